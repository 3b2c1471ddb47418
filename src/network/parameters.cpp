#include <cstdint>
#include <utility>

#include "base/fail.h"
#include "mobilenet/network.h"
#include "network/kinds.h"

namespace mobilenet {

const Shape& Network::output() const {
  if (layers.empty()) Fail("the network has no layers");
  return layers.back().output;
}

bool HasClassifier(const Network& network) {
  const Shape& output = network.output();
  const Layer& last = network.layers.back();
  const bool linear = !last.batch_norm && last.activation == Activation::kNone;
  return output.height == 1 && output.width == 1 && TraitsOf(last.kind).mixes && linear;
}

int Network::classes() const { return HasClassifier(*this) ? output().channels : 0; }

std::int64_t Parameter::size() const {
  std::int64_t size = 1;
  for (const std::int64_t n : shape) size *= n;
  return size;
}

std::vector<Parameter> ParametersOf(const Layer& layer) {
  std::vector<Parameter> parameters;
  auto shape = WeightShapeOf(layer);
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
    case PaddingStyle::kKeras:
      return "keras";
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
    case Activation::kHardSigmoid:
      return "hard-sigmoid";
    case Activation::kHardSwish:
      return "hard-swish";
  }
  return "";
}

}  // namespace mobilenet
