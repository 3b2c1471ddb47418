#include "runtime/fold.h"

#include <cmath>

namespace mobilenet {

FoldedLayer Fold(const Layer& layer, const Weights& weights) {
  const auto values = [&](const char* suffix) { return weights.at(layer.name + suffix).values; };
  const auto weight = values(".weight");
  FoldedLayer folded{{weight.begin(), weight.end()}, std::vector<float>(layer.output.channels)};
  const std::size_t channels = folded.bias.size();
  if (layer.bias) {
    const auto bias = values(".bias");
    folded.bias.assign(bias.begin(), bias.end());
  }
  if (!layer.batch_norm) return folded;

  const auto gamma = values(".norm.gamma");
  const auto beta = values(".norm.beta");
  const auto mean = values(".norm.mean");
  const auto variance = values(".norm.variance");
  std::vector<double> scale(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    scale[c] = gamma[c] / std::sqrt(double{variance[c]} + double{layer.epsilon});
    folded.bias[c] = static_cast<float>(beta[c] + (double{folded.bias[c]} - mean[c]) * scale[c]);
  }
  for (std::size_t i = 0; i < folded.weight.size(); i += channels) {
    for (std::size_t c = 0; c < channels; ++c) {
      folded.weight[i + c] = static_cast<float>(folded.weight[i + c] * scale[c]);
    }
  }
  return folded;
}

}  // namespace mobilenet
