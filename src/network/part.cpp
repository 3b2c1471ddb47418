#include "network/part.h"

#include <optional>

namespace mobilenet {

Network UpTo(std::size_t layer, const Network& network) {
  Network part = network;
  part.layers.resize(layer + 1);
  part.recipe = std::nullopt;
  return part;
}

Weights WeightsIn(const Network& part, const Weights& weights) {
  Weights some;
  for (const Parameter& parameter : ParametersOf(part))
    some[parameter.name] = weights.find(parameter.name)->second;
  return some;
}

bool EndsWithClassifier(const Network& network) {
  const Layer& last = network.layers.back();
  return last.kind == LayerKind::kFullyConnected && !last.batch_norm && last.activation == Activation::kNone;
}

}  // namespace mobilenet
