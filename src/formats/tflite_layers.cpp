// TensorFlow Lite's operators that are layers, or do nothing.
#include <algorithm>

#include "formats/tflite_floats.h"
#include "formats/tflite_names.h"
#include "formats/tflite_reader.h"
#include "formats/transposed.h"

namespace mobilenet {

// A constant of fewer bits, for the operators that read it.
void TfliteReader::AddDequantize() {
  const int source = InputOf(0);
  if (WriterOf(source) != kNobody) Bad("widens a map, expected constants");
  constants_[static_cast<std::size_t>(OutputOf())] = source;
}

template <typename Options>
void TfliteReader::SetWindow(const Options& options, op::Window& window) {
  if (options.stride_w() < 1 || options.stride_h() < 1)
    Bad("has the strides ", options.stride_h(), " and ", options.stride_w(), ", expected two from 1");
  if (options.dilation_w() != 1 || options.dilation_h() != 1) Bad("is dilated, expected a dilation of 1");
  window.bias = BiasOf();
  window.stride = {options.stride_h(), options.stride_w()};
  if (options.padding() != kSame) window.padding = Padding();
}

// [out, k, k, in] in the file.
void TfliteReader::AddConvolution() {
  const auto* options = op_->options_as_Conv2DOptions();
  if (options == nullptr) Bad("lacks its convolution options");
  const auto [shape, values] = Floats(1, 4);
  op::Convolution convolution;
  convolution.weight = Tensor::Of({shape[1], shape[2], shape[3], shape[0]}, Transposed(values, shape[0]));
  SetWindow(*options, convolution);
  Append(std::move(convolution), {Input(0)}, options->fused_activation());
}

// [1, k, k, channels] in the file.
void TfliteReader::AddDepthwise() {
  const auto* options = op_->options_as_DepthwiseConv2DOptions();
  if (options == nullptr) Bad("lacks its depthwise options");
  auto [shape, values] = Floats(1, 4);
  if (shape[0] != 1 || options->depth_multiplier() > 1) Bad("has a depth multiplier, expected 1");
  op::Depthwise depthwise;
  depthwise.weight = Tensor::Of({shape[1], shape[2], shape[3]}, std::move(values));
  SetWindow(*options, depthwise);
  Append(std::move(depthwise), {Input(0)}, options->fused_activation());
}

// [out, in] in the file.
void TfliteReader::AddFullyConnected() {
  const auto [shape, values] = Floats(1, 2);
  op::Dense dense = {Tensor::Of({shape[1], shape[0]}, Transposed(values, shape[0])), BiasOf()};
  const auto* options = op_->options_as_FullyConnectedOptions();
  Append(std::move(dense), {Input(0)}, options == nullptr ? 0 : options->fused_activation());
}

void TfliteReader::AddRelu() { Append(op::Activate{Activation::kRelu}, {Input(0)}); }
void TfliteReader::AddRelu6() { Append(op::Activate{Activation::kRelu6}, {Input(0)}); }
void TfliteReader::AddHardSwish() { Append(op::Activate{Activation::kHardSwish}, {Input(0)}); }

// [[0, 0], [top, bottom], [left, right], [0, 0]]
void TfliteReader::AddZeros() {
  const auto p = Integers(1, 8);
  if (p[0] != 0 || p[1] != 0 || p[6] != 0 || p[7] != 0)
    Bad("pads images or channels, expected rows and columns alone");
  Append(op::Zeros{{p[2], p[3], p[4], p[5]}}, {Input(0)});
}

void TfliteReader::AddMean() {
  auto axes = Integers(1, 2);
  for (std::int32_t& axis : axes) axis += axis < 0 ? 4 : 0;  // counted from the end
  std::ranges::sort(axes);
  if (axes[0] != 1 || axes[1] != 2)
    Bad("averages over the axes ", axes[0], " and ", axes[1], ", expected 1 and 2");
  Append(op::Average(), {Input(0)});
}

void TfliteReader::AddPool() {
  const auto* options = op_->options_as_Pool2DOptions();
  if (options == nullptr || options->filter_height() < 1 || options->filter_width() < 1 ||
      options->stride_h() < 1 || options->stride_w() < 1)
    Bad("lacks its window or its strides");
  Append(op::Average{options->filter_height(), options->filter_width(), options->stride_h(),
                     options->stride_w(), options->padding() == kSame},
         {Input(0)}, options->fused_activation());
}

void TfliteReader::AddMaxPool() {
  const auto* options = op_->options_as_Pool2DOptions();
  if (options == nullptr || options->filter_height() != options->filter_width() || options->stride_h() < 1 ||
      options->stride_w() < 1 || options->padding() == kSame)
    Bad("is a max pool of a window that is not square, without strides, or padded as same");
  Append(op::MaxPool{options->filter_height(), {options->stride_h(), options->stride_w()}}, {Input(0)},
         options->fused_activation());
}

// SQUEEZE, too: what comes out is what counts.
void TfliteReader::AddReshape() {
  const tflite::Tensor& output = TensorAt(OutputOf());
  Append(op::Reshape{AnySize(output) ? Shape64{-1} : ShapeOf(output)}, {Input(0)});
}

// What works out the shape for a RESHAPE, whose output tells it.
void TfliteReader::SkipNumbers() {
  const int type = static_cast<unsigned char>(TensorAt(OutputOf()).type());
  if (type != kTfliteInt32)
    Bad("makes a map of ", NameOfTfliteType(type), ", expected numbers for a RESHAPE");
}

void TfliteReader::AddSoftmax() {
  const auto* options = op_->options_as_SoftmaxOptions();
  if (options != nullptr && options->beta() != 1) Bad("has the beta ", options->beta(), ", expected 1");
  Append(op::Softmax(), {Input(0)});
}

void TfliteReader::AddSigmoid() { Append(op::Sigmoid(), {Input(0)}); }

}  // namespace mobilenet
