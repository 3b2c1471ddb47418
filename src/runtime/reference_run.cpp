#include "runtime/reference_run.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "kernels/reference/reference.h"
#include "runtime/window.h"

namespace mobilenet {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> Linear(const Layer& layer, const Weights& weights, const std::vector<float>& input) {
  std::vector<float> output(static_cast<std::size_t>(layer.output.size()));
  const auto channels = static_cast<std::size_t>(layer.output.channels);
  const auto pixels = static_cast<std::size_t>(layer.input.height) * layer.input.width;
  if (layer.kind == LayerKind::kGlobalAveragePool) {
    reference::Average(input.data(), pixels, channels, output.data());
    return output;
  }
  std::vector<float> bias(channels, 0.0F);
  if (layer.bias) std::ranges::copy(weights.at(layer.name + ".bias").values, bias.begin());
  const float* weight = weights.at(layer.name + ".weight").values.data();
  const Range all = {-kInfinity, kInfinity};
  if (layer.kind == LayerKind::kConvolution) {
    reference::Convolution(WindowOf(layer), input.data(), weight, bias.data(), all, output.data());
  } else if (layer.kind == LayerKind::kDepthwise) {
    reference::Depthwise(WindowOf(layer), input.data(), weight, bias.data(), all, output.data());
  } else {
    reference::Product(pixels, static_cast<std::size_t>(layer.input.channels), channels, input.data(), weight,
                       bias.data(), all, output.data());
  }
  return output;
}

void BatchNorm(const Layer& layer, const Weights& weights, std::vector<float>& values) {
  const auto of = [&](const char* suffix) { return weights.at(layer.name + suffix).values; };
  const auto gamma = of(".norm.gamma");
  const auto beta = of(".norm.beta");
  const auto mean = of(".norm.mean");
  const auto variance = of(".norm.variance");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % gamma.size();
    values[i] = (values[i] - mean[c]) / std::sqrt(variance[c] + layer.epsilon) * gamma[c] + beta[c];
  }
}

void Activate(Activation activation, std::vector<float>& values) {
  if (activation == Activation::kNone) return;
  const float high = activation == Activation::kRelu6 ? 6 : kInfinity;
  for (float& value : values) value = std::clamp(value, 0.0F, high);
}

}  // namespace

std::vector<float> ReferenceRun(const Network& network, const Weights& weights,
                                std::span<const float> input) {
  CheckWeights(network, weights);
  if (static_cast<std::int64_t>(input.size()) != network.input.size()) {
    Fail("the input has ", input.size(), " values, expected ", network.input.size());
  }
  std::vector<std::vector<float>> outputs;
  const std::vector<float> first(input.begin(), input.end());
  for (const Layer& layer : network.layers) {
    const int from = layer.inputs.front();
    std::vector<float> values = Linear(layer, weights, from == kNetworkInput ? first : outputs[from]);
    if (layer.batch_norm) BatchNorm(layer, weights, values);
    Activate(layer.activation, values);
    outputs.push_back(std::move(values));
  }
  return outputs.back();
}

}  // namespace mobilenet
