#include "network/schedule.h"

namespace mobilenet {

std::vector<StepLayers> FuseLayers(const Network& network) {
  std::vector<int> readers(network.layers.size(), 0);
  for (const Layer& layer : network.layers) {
    for (const int input : layer.inputs) {
      if (input != kNetworkInput) ++readers[input];
    }
  }
  std::vector<StepLayers> steps;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const bool fused = i + 1 < network.layers.size() && network.layers[i].kind == LayerKind::kDepthwise &&
                       network.layers[i + 1].kind == LayerKind::kPointwise &&
                       network.layers[i + 1].inputs == std::vector<int>{static_cast<int>(i)} &&
                       readers[i] == 1;
    steps.push_back({i, fused ? i + 1 : i});
    if (fused) ++i;
  }
  return steps;
}

std::vector<Lifetime> MapLifetimes(const Network& network, std::span<const StepLayers> steps,
                                   std::size_t bytes_a_value) {
  std::vector<std::size_t> writer(network.layers.size());  // the step that writes a layer's output
  std::vector<Lifetime> lives(steps.size());
  for (std::size_t s = 0; s < steps.size(); ++s) {
    writer[steps[s].last] = s;
    const auto size = static_cast<std::size_t>(network.layers[steps[s].last].output.size());
    lives[s] = {s + 1 == steps.size() ? 0 : size * bytes_a_value, s, s};
    for (const int input : network.layers[steps[s].first].inputs) {
      if (input != kNetworkInput) lives[writer[input]].last = s;
    }
  }
  return lives;
}

}  // namespace mobilenet
