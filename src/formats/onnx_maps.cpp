// ONNX's operators on maps: convolutions and their like, averages, activations.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <set>

#include "base/fail.h"
#include "formats/onnx_reader.h"
#include "network/kinds.h"

namespace mobilenet {

// Pads come as all the beginnings, and then all the ends.
std::optional<Padding> OnnxReader::PaddingOf(int kernel_height, int kernel_width, const Stride& stride,
                                             const Shape& map) {
  const std::string style = Text("auto_pad", "NOTSET");
  if (style == "SAME_UPPER") return std::nullopt;
  if (style == "VALID") return Padding();
  if (style == "SAME_LOWER") {  // an odd rest goes above and to the left
    const auto pad = [](int side, int kernel, int step) {
      return std::max(((side + step - 1) / step - 1) * step + kernel - side, 0);
    };
    const int rows = pad(map.height, kernel_height, stride.down);
    const int columns = pad(map.width, kernel_width, stride.across);
    return Padding{rows - rows / 2, rows / 2, columns - columns / 2, columns / 2};
  }
  if (style != "NOTSET") Bad("has the auto_pad ", style, ", expected SAME_UPPER, SAME_LOWER or VALID");
  std::vector<std::int64_t> pads = IntegersIn("pads");
  if (pads.empty()) pads.resize(4);
  const auto fits = [](std::int64_t n) { return n >= 0 && n < kMostWindow; };
  if (pads.size() != 4 || !std::ranges::all_of(pads, fits))
    Bad("has the pads ", ShapeText(pads), ", expected four from 0 to ", kMostWindow - 1);
  return Padding{static_cast<int>(pads[0]), static_cast<int>(pads[2]), static_cast<int>(pads[1]),
                 static_cast<int>(pads[3])};
}

Stride OnnxReader::StrideOf() const {
  std::vector<std::int64_t> strides = IntegersIn("strides");
  if (strides.empty()) strides = {1, 1};
  const auto fits = [](std::int64_t n) { return n >= 1 && n <= kMostWindow; };
  if (strides.size() != 2 || !std::ranges::all_of(strides, fits))
    Bad("has the strides ", ShapeText(strides), ", expected two from 1 to ", kMostWindow);
  return {static_cast<int>(strides[0]), static_cast<int>(strides[1])};
}

// Stride, padding and bias of a window whose weight is set, and the size of what it makes.
void OnnxReader::SetWindow(op::Window& window, Map& map) {
  for (const std::int64_t dilation : IntegersIn("dilations")) {
    if (dilation != 1) Bad("has the dilation ", dilation, ", expected 1");
  }
  const auto kernel = std::vector(window.weight.shape.begin(), window.weight.shape.begin() + 2);
  const std::vector<std::int64_t> said = IntegersIn("kernel_shape");
  if (!said.empty() && said != kernel)
    Bad("has the kernel_shape ", ShapeText(said), ", but a weight of ", ShapeText(kernel));
  if (kernel[0] > kMostWindow || kernel[1] > kMostWindow)
    Bad("has a window of ", kernel[0], " x ", kernel[1], ", expected at most ", kMostWindow);
  window.stride = StrideOf();
  const int height = static_cast<int>(kernel[0]);
  const int width = static_cast<int>(kernel[1]);
  window.padding = PaddingOf(height, width, window.stride, map.shape);
  if (Has(2)) window.bias = FloatsAt(2);
  const auto places = [&](int side, int around, int size, int step) {
    if (!window.padding) return (side + step - 1) / step;
    return std::max((side + around - size) / step + 1, 0);
  };
  const Padding p = window.padding.value_or(Padding());
  map.shape.height = places(map.shape.height, p.top + p.bottom, height, window.stride.down);
  map.shape.width = places(map.shape.width, p.left + p.right, width, window.stride.across);
}

// [out, in / groups, k, k] in the file.
void OnnxReader::AddConvolution() {
  const Map in = NchwAt(0);
  const Constant weight = ConstantAt(1);
  const auto& shape = weight.shape;
  if (shape.size() != 4) Bad("has a weight of shape ", ShapeText(shape), ", expected 4 dimensions");
  const std::int64_t groups = Integer("group", 1);
  const bool depthwise = groups > 1 && groups == shape[0] && shape[1] == 1;
  if (groups != 1 && !depthwise)
    Bad("has ", groups, " groups and a weight of shape ", ShapeText(shape),
        ", expected one group, or as many as channels in and out");
  Map map = in;
  map.shape.channels = static_cast<int>(shape[0]);
  std::vector<float> values = OrBad([&] { return tensors_.Floats(weight, {2, 3, 1, 0}); });
  if (depthwise) {
    op::Depthwise window;
    window.weight = Tensor::Of({shape[2], shape[3], shape[0]}, std::move(values));
    SetWindow(window, map);
    return Append(std::move(window), {in}, std::move(map));
  }
  op::Convolution window;
  window.weight = Tensor::Of({shape[2], shape[3], shape[1], shape[0]}, std::move(values));
  SetWindow(window, map);
  Append(std::move(window), {in}, std::move(map));
}

void OnnxReader::AddNorm() {
  const Map in = MapAt(0);
  if (in.axes.size() < 2 || in.axes[1] != Axis::kChannels)
    Bad("reads a map of the axes ", TextOf(in), ", expected channels second");
  if (Integer("training_mode", 0) != 0) Bad("is in training mode, expected a network that is trained");
  op::Norm norm = {FloatsAt(1), FloatsAt(2), FloatsAt(3), FloatsAt(4)};
  norm.epsilon = static_cast<float>(Number("epsilon", 1e-5F));
  Append(std::move(norm), {in}, in);
}

// alpha * A * B + beta * C.
void OnnxReader::AddGemm() {
  const Map in = MapAt(0);
  if (in.axes != std::vector{Axis::kBatch, Axis::kChannels} || Integer("transA", 0) != 0)
    Bad("multiplies a map of the axes ", TextOf(in), ", expected the batch and channels, not transposed");
  const Constant weight = ConstantAt(1);
  if (weight.shape.size() != 2)
    Bad("has a weight of shape ", ShapeText(weight.shape), ", expected 2 dimensions");
  const bool out_first = Integer("transB", 0) != 0;
  const std::int64_t rows = weight.shape[out_first ? 1 : 0];
  const std::int64_t columns = weight.shape[out_first ? 0 : 1];
  std::vector<float> values = OrBad([&] {
    return tensors_.Floats(weight, out_first ? std::vector{1, 0} : std::vector{0, 1});
  });
  const auto scale = [](double factor, std::vector<float>& numbers) {
    if (factor == 1) return;
    for (float& number : numbers) number = static_cast<float>(number * factor);
  };
  scale(Number("alpha", 1), values);
  op::Dense dense = {Tensor::Of({rows, columns}, std::move(values)), {}};
  if (Has(2)) {
    dense.bias = FloatsAt(2);
    if (dense.bias.size() == 1) dense.bias.assign(static_cast<std::size_t>(columns), dense.bias[0]);
    scale(Number("beta", 1), dense.bias);
  }
  Map map = in;
  map.shape.channels = static_cast<int>(columns);
  Append(std::move(dense), {in}, std::move(map));
}

void OnnxReader::AddMatMul() {
  const Map in = MapAt(0);
  const Constant weight = ConstantAt(1);
  if (in.axes.empty() || in.axes.back() != Axis::kChannels || weight.shape.size() != 2)
    Bad("multiplies a map of the axes ", TextOf(in), " and a weight of shape ", ShapeText(weight.shape),
        ", expected channels last and 2 dimensions");
  std::vector<float> values = OrBad([&] { return tensors_.Floats(weight); });
  Map map = in;
  map.shape.channels = static_cast<int>(weight.shape[1]);
  Append(op::Dense{Tensor::Of(weight.shape, std::move(values)), {}}, {in}, std::move(map));
}

void OnnxReader::AddZeros() {
  const std::string mode = Text("mode", "constant");
  if (mode != "constant" || Number("value", 0) != 0 || (Has(2) && NumberAt(2) != 0))
    Bad("pads with something else than zeros (", mode, ")");
  const Map in = MapAt(0);
  const std::vector<std::int64_t> pads = IntegersOf("pads", 1).value_or(std::vector<std::int64_t>());
  std::vector<std::int64_t> axes;
  if (Has(3)) axes = IntegersAt(3);
  if (!Has(3)) {
    for (std::size_t i = 0; i < in.axes.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  if (pads.size() != 2 * axes.size())
    Bad("has the pads ", ShapeText(pads), ", expected two for each of ", axes.size(), " axes");
  Padding zeros;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t before = pads[i];
    const std::int64_t after = pads[axes.size() + i];
    if (before == 0 && after == 0) continue;
    const Axis axis = in.axes[static_cast<std::size_t>(AxisOf(axes[i], in.axes.size()))];
    const bool sides = axis == Axis::kHeight || axis == Axis::kWidth;
    if (!sides || std::min(before, after) < 0 || std::max(before, after) >= kMostWindow)
      Bad("has the pads ", ShapeText(pads), ", expected rows and columns alone, fewer than ", kMostWindow);
    (axis == Axis::kHeight ? zeros.top : zeros.left) = static_cast<int>(before);
    (axis == Axis::kHeight ? zeros.bottom : zeros.right) = static_cast<int>(after);
  }
  Map map = in;
  map.shape.height += zeros.top + zeros.bottom;
  map.shape.width += zeros.left + zeros.right;
  Append(op::Zeros{zeros}, {in}, std::move(map));
}

void OnnxReader::AddGlobalAverage() {
  const Map in = NchwAt(0);
  Map map = in;
  map.shape.height = map.shape.width = 1;
  Append(op::Average(), {in}, std::move(map));
}

void OnnxReader::AddMaxPool() {
  const Map in = NchwAt(0);
  const std::vector<std::int64_t> kernel = IntegersIn("kernel_shape");
  if (kernel.size() != 2 || kernel[0] != kernel[1] || kernel[0] < 1 || kernel[0] > kMostDepthwiseWindow)
    Bad("has the kernel_shape ", ShapeText(kernel), ", expected a square of 1 to ", kMostDepthwiseWindow);
  const int side = static_cast<int>(kernel[0]);
  const op::MaxPool pool = {side, StrideOf()};
  for (const std::int64_t dilation : IntegersIn("dilations")) {
    if (dilation != 1) Bad("has the dilation ", dilation, ", expected 1");
  }
  if (PaddingOf(side, side, pool.stride, in.shape) != Padding() || Integer("ceil_mode", 0) != 0)
    Bad("is padded or rounds sizes up, expected a max pool that does neither");
  Map map = in;
  map.shape.height = std::max((in.shape.height - side) / pool.stride.down + 1, 0);
  map.shape.width = std::max((in.shape.width - side) / pool.stride.across + 1, 0);
  Append(pool, {in}, std::move(map));
}

// Over the whole map, which ToModel checks.
void OnnxReader::AddAverage() {
  const Map in = NchwAt(0);
  const std::vector<std::int64_t> kernel = IntegersIn("kernel_shape");
  std::vector<std::int64_t> strides = IntegersIn("strides");
  if (strides.empty()) strides = {1, 1};
  const auto fits = [](std::int64_t n) { return n >= 1 && n <= kMostSide; };
  if (kernel.size() != 2 || strides.size() != 2 || !std::ranges::all_of(kernel, fits) ||
      !std::ranges::all_of(strides, fits))
    Bad("has the kernel_shape ", ShapeText(kernel), " and the strides ", ShapeText(strides),
        ", expected two of each from 1");
  const int height = static_cast<int>(kernel[0]);
  const int width = static_cast<int>(kernel[1]);
  const bool whole = height == in.shape.height && width == in.shape.width;
  const std::optional<Padding> padding = PaddingOf(height, width, 1, in.shape);
  if (!whole || padding != Padding())
    Bad("averages over ", height, " x ", width, " pixels", padding == Padding() ? "" : " and padding",
        ", expected the whole map of ", in.shape.height, " x ", in.shape.width);
  Map map = in;
  map.shape.height = map.shape.width = 1;
  Append(op::Average(), {in}, std::move(map));
}

void OnnxReader::AddMean() {
  const Map in = MapAt(0);
  std::set<int> reduced;
  for (const std::int64_t axis : IntegersOf("axes", 1).value_or(std::vector<std::int64_t>()))
    reduced.insert(AxisOf(axis, in.axes.size()));
  std::multiset<Axis> over;
  for (const int axis : reduced) over.insert(in.axes[static_cast<std::size_t>(axis)]);
  over.erase(Axis::kOne);
  if (over != std::multiset{Axis::kHeight, Axis::kWidth} && over != std::multiset{Axis::kPixels})
    Bad("averages over other axes than height and width of ", TextOf(in));
  Map map = in;
  map.shape.height = map.shape.width = 1;
  map.axes.clear();
  for (std::size_t i = 0; i < in.axes.size(); ++i) {
    if (!reduced.contains(static_cast<int>(i))) {
      map.axes.push_back(in.axes[i]);
    } else if (Integer("keepdims", 1) != 0) {
      map.axes.push_back(Axis::kOne);
    }
  }
  Append(op::Average(), {in}, std::move(map));
}

// What is cut at 6 above alone waits for the 0 below.
void OnnxReader::Clip(const Map& map, double low, double high) {
  Map clipped = map;
  if (map.capped) high = std::min(high, 6.0);
  clipped.capped = false;
  if (low == 0 && (high == 6 || high >= FLT_MAX))
    return Append(op::Activate{high == 6 ? Activation::kRelu6 : Activation::kRelu}, {clipped}, clipped);
  const auto* before =
      map.node == kNetworkInput
          ? nullptr
          : std::get_if<op::Activate>(&graph_.nodes[static_cast<std::size_t>(map.node)].operation);
  if (low <= -FLT_MAX && high == 6 && before != nullptr)
    return Append(op::Activate{Activation::kRelu6}, {clipped}, clipped);
  if (low > -FLT_MAX || (high != 6 && high < FLT_MAX))
    Bad("clips at ", low, " and ", high, ", expected 0, or 0 and 6");
  clipped.capped = high == 6;
  Set(clipped);
}

void OnnxReader::AddRelu() {
  const Map map = UncutMapAt(0);
  Clip(map, 0, INFINITY);
}

// By attributes before version 11, by inputs since.
void OnnxReader::AddClip() {
  const double low = Has(1) ? NumberAt(1) : Number("min", -INFINITY);
  const double high = Has(2) ? NumberAt(2) : Number("max", INFINITY);
  Clip(UncutMapAt(0), low, high);
}

void OnnxReader::AddMinimum() {
  const bool constant_first = std::holds_alternative<Constant>(ValueAt(0));
  const double high = NumberAt(constant_first ? 0 : 1);
  Clip(UncutMapAt(constant_first ? 1 : 0), -INFINITY, high);
}

void OnnxReader::AddMaximum() {
  const bool constant_first = std::holds_alternative<Constant>(ValueAt(0));
  const double low = NumberAt(constant_first ? 0 : 1);
  Clip(UncutMapAt(constant_first ? 1 : 0), low, INFINITY);
}

void OnnxReader::AddSigmoid() {
  const Map in = MapAt(0);
  Append(op::Sigmoid(), {in}, in);
}

// max(0, min(1, alpha x + beta)): ours has 1/6, others 1/5.
void OnnxReader::AddHardSigmoid() {
  const Map in = MapAt(0);
  const double beta = Number("beta", 0.5);
  if (beta != 0.5) Bad("has the beta ", beta, ", expected 0.5");
  const double slope = 6 * Number("alpha", 0.2);
  constexpr double kNear = 1e-5;
  Append(op::Activate{Activation::kHardSigmoid, std::abs(slope - 1) < kNear ? 1 : slope}, {in}, in);
}

void OnnxReader::AddHardSwish() {
  const Map in = MapAt(0);
  Append(op::Activate{Activation::kHardSwish}, {in}, in);
}

void OnnxReader::AddSoftmax() {
  constexpr int kAlongLast = 13;  // before that version, along all from the second on
  const Map in = MapAt(0);
  const int axis = AxisOf(Integer("axis", operator_set_ < kAlongLast ? 1 : -1), in.axes.size());
  if (in.axes[static_cast<std::size_t>(axis)] != Axis::kChannels)
    Bad("is a softmax along the axis ", axis, " of ", TextOf(in), ", expected the channels");
  Append(op::Softmax(), {in}, in);
}

void OnnxReader::PassOn() { Set(ValueAt(0)); }

void OnnxReader::AddDropout() {
  if (Has(2) && IntegersAt(2) != std::vector<std::int64_t>{0})
    Bad("is in training mode, expected a network that is trained");
  PassOn();
}

// Between precisions: what is computed is float32 here.
void OnnxReader::AddCast() {
  const std::int64_t to = Integer("to", 0);
  const bool floats = to == onnx_type::kFloat32 || to == onnx_type::kFloat16 || to == onnx_type::kBfloat16 ||
                      to == onnx_type::kFloat64;
  const bool integers = to == onnx_type::kInt64 || to == onnx_type::kInt32;
  const Value value = ValueAt(0);
  if (!floats && !(integers && std::holds_alternative<Constant>(value)))
    Bad("makes values of the type ", to, ", expected float32 (1)");
  Set(value);
}

}  // namespace mobilenet
