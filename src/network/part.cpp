#include "network/part.h"

#include <vector>

namespace mobilenet {

Network UpTo(std::size_t layer, const Network& network) {
  std::vector<bool> needed(layer + 1);
  needed[layer] = true;
  for (std::size_t i = layer + 1; i-- > 0;) {
    if (!needed[i]) continue;
    for (const int from : network.layers[i].inputs) {
      if (from != kNetworkInput) needed[static_cast<std::size_t>(from)] = true;
    }
  }
  Network part;
  part.input = network.input;
  std::vector<int> places(layer + 1, kNetworkInput);  // in the part
  for (std::size_t i = 0; i <= layer; ++i) {
    if (!needed[i]) continue;
    places[i] = static_cast<int>(part.layers.size());
    Layer& kept = part.layers.emplace_back(network.layers[i]);
    for (int& from : kept.inputs) {
      if (from != kNetworkInput) from = places[static_cast<std::size_t>(from)];
    }
  }
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
