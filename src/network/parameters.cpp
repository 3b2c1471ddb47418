#include <cstdint>
#include <utility>

#include "base/fail.h"
#include "mobilenet/network.h"

namespace mobilenet {
namespace {

std::vector<std::int64_t> WeightShape(const Layer& layer) {
  const std::int64_t k = layer.kernel;
  switch (layer.kind) {
    case LayerKind::kConvolution:
      return {k, k, layer.input.channels, layer.output.channels};
    case LayerKind::kDepthwise:
      return {k, k, layer.input.channels};
    case LayerKind::kPointwise:
    case LayerKind::kFullyConnected:
      return {layer.input.channels, layer.output.channels};
    case LayerKind::kGlobalAveragePool:
    case LayerKind::kAdd:
      return {};
  }
  return {};
}

}  // namespace

const Shape& Network::output() const {
  if (layers.empty()) Fail("the network has no layers");
  return layers.back().output;
}

std::int64_t Parameter::size() const {
  std::int64_t size = 1;
  for (const std::int64_t n : shape) size *= n;
  return size;
}

std::vector<Parameter> ParametersOf(const Layer& layer) {
  std::vector<Parameter> parameters;
  auto shape = WeightShape(layer);
  if (!shape.empty()) parameters.push_back({layer.name + ".weight", std::move(shape)});
  const std::vector<std::int64_t> channels = {layer.output.channels};
  if (layer.bias) parameters.push_back({layer.name + ".bias", channels});
  if (layer.batch_norm) {
    parameters.push_back({layer.name + ".norm.gamma", channels});
    parameters.push_back({layer.name + ".norm.beta", channels});
    parameters.push_back({layer.name + ".norm.mean", channels, false});
    parameters.push_back({layer.name + ".norm.variance", channels, false});
  }
  return parameters;
}

std::vector<Parameter> ParametersOf(const Network& network) {
  std::vector<Parameter> parameters;
  for (const Layer& layer : network.layers) {
    for (Parameter& parameter : ParametersOf(layer)) parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::string_view NameOf(PaddingStyle style) {
  switch (style) {
    case PaddingStyle::kSame:
      return "same";
    case PaddingStyle::kSymmetric:
      return "symmetric";
  }
  return "";
}

std::string_view NameOf(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "none";
    case Activation::kRelu:
      return "relu";
    case Activation::kRelu6:
      return "relu6";
  }
  return "";
}

std::string_view NameOf(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConvolution:
      return "convolution";
    case LayerKind::kDepthwise:
      return "depthwise";
    case LayerKind::kPointwise:
      return "pointwise";
    case LayerKind::kGlobalAveragePool:
      return "global average pool";
    case LayerKind::kFullyConnected:
      return "fully connected";
    case LayerKind::kAdd:
      return "add";
  }
  return "";
}

}  // namespace mobilenet
