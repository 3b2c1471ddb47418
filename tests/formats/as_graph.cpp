#include "as_graph.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/float16.h"
#include "formats/tflite_generated.h"
#include "formats/transposed.h"
#include "network/shapes.h"

namespace mobilenet {
namespace {

std::vector<float> Values(const Weights& weights, const std::string& name) {
  const auto values = weights.at(name).values;
  return {values.begin(), values.end()};
}

bool IsSame(const Layer& layer) { return IsPaddedAs(PaddingStyle::kSame, layer); }

op::Any OperationOf(const Layer& layer, const Weights& weights) {
  if (layer.kind == LayerKind::kAdd) return op::Add();
  if (layer.kind == LayerKind::kScale) return op::Multiply();
  if (layer.kind == LayerKind::kMaxPool) return op::MaxPool{layer.kernel, layer.stride};
  if (layer.kind == LayerKind::kGlobalAveragePool) return op::Average();
  Tensor weight = weights.at(layer.name + ".weight");
  const auto bias = layer.bias ? Values(weights, layer.name + ".bias") : std::vector<float>();
  if (layer.kind == LayerKind::kFullyConnected) return op::Dense{weight, bias};
  if (layer.kind == LayerKind::kPointwise) weight.shape.insert(weight.shape.begin(), {1, 1});
  const auto padding = IsSame(layer) ? std::nullopt : std::optional(layer.padding);
  if (layer.kind == LayerKind::kDepthwise) return op::Depthwise{{weight, bias, layer.stride, padding}};
  return op::Convolution{{weight, bias, layer.stride, padding}};
}

// Builds the tables of a TFLite file, one operator after the other.
class TfliteWriter {
 public:
  TfliteWriter(const Network& network, const TfliteOddities& oddities) : oddities_(oddities) {
    buffers_.push_back(tflite::CreateBuffer(builder_));  // the first one is empty, for what has no values
    input_ = AddMap(network.input, "input");
  }

  [[nodiscard]] int input() const { return input_; }

  int AddMap(const Shape& shape, const std::string& name) {
    const int more = oddities_.misshapen && !tensors_.empty() ? 1 : 0;
    const bool any_height = oddities_.any_height;
    const bool any_width = oddities_.any_width;
    const int width = shape.width + more;
    const std::vector<std::int32_t> signature = {-1, any_height ? -1 : shape.height, any_width ? -1 : width,
                                                 shape.channels};
    const auto type = static_cast<std::int8_t>(tensors_.empty() ? 0 : oddities_.type);
    return AddTensor({1, any_height ? 1 : shape.height, any_width ? 1 : width, shape.channels}, type, 0, name,
                     any_height || any_width ? &signature : nullptr);
  }

  template <typename T>
  int AddConstant(const std::vector<std::int32_t>& shape, const std::vector<T>& values, std::int8_t type) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
    buffers_.push_back(
        tflite::CreateBuffer(builder_, builder_.CreateVector(bytes, values.size() * sizeof(T))));
    return AddTensor(shape, type, static_cast<std::uint32_t>(buffers_.size() - 1), "constant");
  }

  // Weights, in whatever they are to be stored; `along` is the dimension of the channels out.
  int AddWeight(const std::vector<std::int32_t>& shape, const std::vector<float>& values, int along) {
    if (oddities_.weights == Stored::kFloat32) return AddConstant(shape, values, 0);
    if (oddities_.weights == Stored::kInt4) return AddConstant(shape, values, 17);
    if (oddities_.weights == Stored::kFloat16) {
      std::vector<std::uint16_t> halves;
      for (const float value : values) halves.push_back(RoundToF16(value));
      const int half = AddConstant(shape, halves, 1);
      const int widened = AddTensor(shape, 0, 0, "widened");
      AddOperator(6, {half}, widened);
      return widened;
    }
    return AddInt8(shape, values, along);
  }

  void AddOperator(std::int8_t code, const std::vector<std::int32_t>& inputs, int output,
                   tflite::Options type = tflite::Options_NONE, flatbuffers::Offset<void> options = 0) {
    codes_.push_back(tflite::CreateOperatorCode(builder_, code, 0, 1, code));
    const std::vector<std::int32_t> outputs = {output};
    operators_.push_back(tflite::CreateOperatorDirect(builder_, static_cast<std::uint32_t>(codes_.size() - 1),
                                                      &inputs, &outputs, type, options));
  }

  flatbuffers::FlatBufferBuilder& builder() { return builder_; }
  [[nodiscard]] const TfliteOddities& oddities() const { return oddities_; }

  std::vector<std::uint8_t> Finish(int output) {
    const std::vector<std::int32_t> inputs(static_cast<std::size_t>(oddities_.inputs), input_);
    const std::vector<std::int32_t> outputs(static_cast<std::size_t>(oddities_.outputs), output);
    const std::vector subgraphs = {
        tflite::CreateSubGraphDirect(builder_, &tensors_, &inputs, &outputs, &operators_)};
    builder_.Finish(tflite::CreateModelDirect(builder_, 3, &codes_, &subgraphs, "", &buffers_), "TFL3");
    return {builder_.GetBufferPointer(), builder_.GetBufferPointer() + builder_.GetSize()};
  }

 private:
  int AddInt8(const std::vector<std::int32_t>& shape, const std::vector<float>& values, int along) {
    std::size_t run = 1;
    for (std::size_t i = along + 1; i < shape.size(); ++i) run *= static_cast<std::size_t>(shape[i]);
    std::vector<float> scales(static_cast<std::size_t>(shape[along]), 1e-6F);
    const auto scale = [&](std::size_t i) -> float& { return scales[i / run % scales.size()]; };
    for (std::size_t i = 0; i < values.size(); ++i) scale(i) = std::max(scale(i), std::abs(values[i]) / 127);
    std::vector<std::int8_t> numbers;
    for (std::size_t i = 0; i < values.size(); ++i)
      numbers.push_back(static_cast<std::int8_t>(std::lround(values[i] / scale(i))));
    if (oddities_.weights == Stored::kBadScales) scales.pop_back();
    const std::vector<std::int64_t> zeros(scales.size());
    const auto steps = tflite::CreateQuantizationDirect(builder_, nullptr, nullptr, &scales, &zeros,
                                                        tflite::QuantizationDetails_NONE, 0, along);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(numbers.data());
    buffers_.push_back(tflite::CreateBuffer(builder_, builder_.CreateVector(bytes, numbers.size())));
    return AddTensor(shape, 9, static_cast<std::uint32_t>(buffers_.size() - 1), "constant", nullptr, steps);
  }

  int AddTensor(const std::vector<std::int32_t>& shape, std::int8_t type, std::uint32_t buffer,
                const std::string& name, const std::vector<std::int32_t>* signature = nullptr,
                flatbuffers::Offset<tflite::Quantization> quantization = 0) {
    tensors_.push_back(tflite::CreateTensorDirect(builder_, &shape, type, buffer, name.c_str(), quantization,
                                                  false, 0, signature));
    return static_cast<int>(tensors_.size()) - 1;
  }

  TfliteOddities oddities_;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<flatbuffers::Offset<tflite::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<tflite::Operator>> operators_;
  std::vector<flatbuffers::Offset<tflite::OperatorCode>> codes_;
  std::vector<flatbuffers::Offset<tflite::Buffer>> buffers_;
  int input_ = 0;
};

std::int8_t FusedCode(Activation activation) {
  return activation == Activation::kNone ? 0 : activation == Activation::kRelu ? 1 : 3;
}

// The tensor that a layer's window reads: where it isn't padded as "same", zeros come before it.
int PaddedInput(const Layer& layer, int input, TfliteWriter& writer) {
  if (IsSame(layer)) return input;
  const Padding& p = layer.padding;
  const Shape padded = {layer.input.height + p.top + p.bottom, layer.input.width + p.left + p.right,
                        layer.input.channels};
  std::vector<std::int32_t> numbers = {0, 0, p.top, p.bottom, p.left, p.right, 0, 0};
  if (writer.oddities().pads >= 0) ++numbers[static_cast<std::size_t>(writer.oddities().pads)];
  const int zeros = writer.AddConstant<std::int32_t>({4, 2}, numbers, 2);
  const int output = writer.AddMap(padded, layer.name + "/pad");
  writer.AddOperator(34, {input, zeros}, output);
  return output;
}

void AddWindow(const Layer& layer, const Weights& weights, int input, int output, TfliteWriter& writer) {
  const Tensor& weight = weights.at(layer.name + ".weight");
  const int k = layer.kernel;
  const int out = layer.output.channels;
  const bool depthwise = layer.kind == LayerKind::kDepthwise;
  std::vector<float> values = {weight.values.begin(), weight.values.end()};
  // Channels out come first.
  if (!depthwise) values = Transposed(values, static_cast<std::int64_t>(values.size()) / out);
  const int source = PaddedInput(layer, input, writer);
  const int constant =
      writer.AddWeight(depthwise ? std::vector{1, k, k, out} : std::vector{out, k, k, layer.input.channels},
                       values, depthwise ? 3 : 0);
  const int bias = writer.AddConstant<float>({out}, Values(weights, layer.name + ".bias"), 0);
  const std::int8_t padding = IsSame(layer) ? 0 : 1;
  const std::int8_t fused = FusedCode(layer.activation);
  auto& builder = writer.builder();
  if (depthwise) {
    const auto options = tflite::CreateDepthwiseConv2DOptions(builder, padding, layer.stride.across,
                                                              layer.stride.down, 1, fused)
                             .Union();
    writer.AddOperator(4, {source, constant, bias}, output, tflite::Options_DepthwiseConv2DOptions, options);
  } else {
    const auto options =
        tflite::CreateConv2DOptions(builder, padding, layer.stride.across, layer.stride.down, fused).Union();
    writer.AddOperator(3, {source, constant, bias}, output, tflite::Options_Conv2DOptions, options);
  }
}

void AddOther(const Layer& layer, const Weights& weights, const std::vector<std::int32_t>& inputs, int output,
              TfliteWriter& writer) {
  if (layer.kind == LayerKind::kAdd) {
    const auto options = tflite::CreateAddOptions(writer.builder(), FusedCode(layer.activation)).Union();
    const int other = writer.oddities().adds_constant ? writer.AddConstant<float>({1}, {1}, 0) : inputs[1];
    return writer.AddOperator(0, {inputs[0], other}, output, tflite::Options_AddOptions, options);
  }
  if (layer.kind == LayerKind::kGlobalAveragePool && writer.oddities().activation != 0) {
    const auto options =
        tflite::CreatePool2DOptions(writer.builder(), 1, 1, 1, layer.input.width, layer.input.height,
                                    static_cast<std::int8_t>(writer.oddities().activation));
    return writer.AddOperator(1, {inputs[0]}, output, tflite::Options_Pool2DOptions, options.Union());
  }
  if (layer.kind == LayerKind::kGlobalAveragePool) {
    const int axes = writer.AddConstant<std::int32_t>({2}, {1, 2}, 2);
    return writer.AddOperator(40, {inputs[0], axes}, output);
  }
  const int out = layer.output.channels;
  const auto values = Transposed(weights.at(layer.name + ".weight").values, layer.input.channels);
  const int weight = writer.AddWeight({out, layer.input.channels}, values, 0);
  const int bias = writer.AddConstant<float>({out}, Values(weights, layer.name + ".bias"), 0);
  const auto options =
      tflite::CreateFullyConnectedOptions(writer.builder(), FusedCode(layer.activation)).Union();
  writer.AddOperator(9, {inputs[0], weight, bias}, output, tflite::Options_FullyConnectedOptions, options);
}

// What becomes of a map.
int AddScalings(const std::vector<TfliteScaling>& scalings, const Shape& shape, int map,
                TfliteWriter& writer) {
  for (const TfliteScaling& scaling : scalings) {
    const auto count = static_cast<std::int32_t>(scaling.values.size());
    const int constant = writer.AddConstant<float>(
        count == 1 ? std::vector<std::int32_t>() : std::vector{count}, scaling.values, 0);
    const int output = writer.AddMap(shape, "scaled");
    const std::vector inputs =
        scaling.constant_first ? std::vector{constant, map} : std::vector{map, constant};
    writer.AddOperator(static_cast<std::int8_t>(scaling.code), inputs, output);
    map = output;
  }
  return map;
}

int AddParts(const Shape& shape, int map, TfliteWriter& writer) {
  const auto add = [&](std::int8_t code, const std::vector<std::int32_t>& inputs) {
    const int output = writer.AddMap(shape, "part");
    writer.AddOperator(code, inputs, output);
    return output;
  };
  const int axis = writer.AddConstant<std::int32_t>({1}, {writer.oddities().axis}, 2);
  int from = map;
  if (writer.oddities().softmax == SoftmaxSpelling::kCentred) from = add(41, {map, add(82, {map, axis})});
  const int exponential = add(47, {from});
  const int sum = add(74, {writer.oddities().sums_centred ? from : exponential, axis});
  return add(42, {exponential, sum});
}

int AddEnd(const Shape& shape, int map, TfliteWriter& writer) {
  if (writer.oddities().softmax != SoftmaxSpelling::kOperator) return AddParts(shape, map, writer);
  const int softmax = writer.AddMap(shape, "softmax");
  const auto options = tflite::CreateSoftmaxOptions(writer.builder(), writer.oddities().beta).Union();
  writer.AddOperator(static_cast<std::int8_t>(writer.oddities().code), {map}, softmax,
                     tflite::Options_SoftmaxOptions, options);
  return softmax;
}

}  // namespace

Graph GraphOf(const Network& network, const Weights& weights) {
  Graph graph;
  graph.file = "f";
  graph.format = "test";
  graph.resolution = {network.input.height, network.input.width};
  graph.channels = network.input.channels;
  std::vector<int> nodes;  // the last of each layer
  for (const Layer& layer : network.layers) {
    std::vector<int> inputs;
    for (const int from : layer.inputs)
      inputs.push_back(from == kNetworkInput ? from : nodes[static_cast<std::size_t>(from)]);
    graph.Append({"the layer " + layer.name, "test", layer.name, inputs, OperationOf(layer, weights)});
    if (layer.batch_norm) {
      const auto of = [&](const char* end) { return Values(weights, layer.name + end); };
      graph.Append({"the layer " + layer.name + "_bn",
                    "test",
                    "",
                    {},
                    op::Norm{of(".norm.gamma"), of(".norm.beta"), of(".norm.mean"), of(".norm.variance"),
                             layer.epsilon}});
    }
    if (layer.activation != Activation::kNone)
      graph.Append({"the layer " + layer.name + "_relu", "test", "", {}, op::Activate{layer.activation}});
    nodes.push_back(graph.output);
  }
  return graph;
}

std::vector<std::uint8_t> TfliteOf(const Network& network, const Weights& weights,
                                   const TfliteOddities& oddities) {
  TfliteWriter writer(network, oddities);
  const int input = AddScalings(oddities.scalings, network.input, writer.input(), writer);
  std::vector<int> maps;
  for (const Layer& layer : network.layers) {
    std::vector<std::int32_t> inputs;
    for (const int from : layer.inputs)
      inputs.push_back(from == kNetworkInput ? input : maps[static_cast<std::size_t>(from)]);
    const int output = writer.AddMap(layer.output, layer.name + ";more");
    maps.push_back(output);
    const bool window = layer.kind == LayerKind::kConvolution || layer.kind == LayerKind::kDepthwise ||
                        layer.kind == LayerKind::kPointwise;
    if (window) {
      AddWindow(layer, weights, inputs[0], output, writer);
    } else {
      AddOther(layer, weights, inputs, output, writer);
    }
    if (layer.kind == LayerKind::kGlobalAveragePool)
      maps.back() = AddScalings(oddities.behind_average, layer.output, output, writer);
  }
  return writer.Finish(AddEnd(network.output(), maps.back(), writer));
}

}  // namespace mobilenet
