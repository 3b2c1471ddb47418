#include "runtime/reference_run.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/fail.h"
#include "kernels/reference/reference.h"
#include "runtime/window.h"

namespace mobilenet {
namespace {

using Values = std::vector<float>;

// What a layer makes of its inputs, before batch norm and activation.
Values Compute(const Layer& layer, const Weights& weights, std::span<const Values* const> inputs) {
  Values output(static_cast<std::size_t>(layer.output.size()));
  const float* input = inputs[0]->data();
  const auto channels = static_cast<std::size_t>(layer.output.channels);
  const auto pixels = static_cast<std::size_t>(layer.input.height) * layer.input.width;
  const auto weight = [&] { return weights.at(layer.name + ".weight").values.data(); };
  Values bias(channels, 0.0F);
  if (layer.bias) std::ranges::copy(weights.at(layer.name + ".bias").values, bias.begin());
  switch (layer.kind) {
    case LayerKind::kConvolution:
      reference::Convolution(WindowOf(layer), input, weight(), bias.data(), kWholeRange, output.data());
      break;
    case LayerKind::kDepthwise:
      reference::Depthwise(WindowOf(layer), input, weight(), bias.data(), kWholeRange, output.data());
      break;
    case LayerKind::kPointwise:
    case LayerKind::kFullyConnected:
      reference::Product(pixels, static_cast<std::size_t>(layer.input.channels), channels, input, weight(),
                         bias.data(), kWholeRange, output.data());
      break;
    case LayerKind::kGlobalAveragePool:
      reference::Average(input, pixels, channels, output.data());
      break;
    case LayerKind::kMaxPool:
      reference::MaxPool(WindowOf(layer), input, output.data());
      break;
    case LayerKind::kAdd:
      std::ranges::transform(*inputs[0], *inputs[1], output.begin(), std::plus<>());
      break;
    case LayerKind::kScale:
      reference::Scale(pixels, channels, input, inputs[1]->data(), output.data());
      break;
  }
  return output;
}

void BatchNorm(const Layer& layer, const Weights& weights, Values& values) {
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

void Activate(Activation activation, Values& values) {
  const Range range = RangeOf(activation);
  for (float& value : values) value = reference::Activated(value, range);
}

}  // namespace

std::vector<float> ReferenceRun(const Network& network, const Weights& weights,
                                std::span<const float> input) {
  CheckWeights(network, weights);
  if (static_cast<std::int64_t>(input.size()) != network.input.size()) {
    Fail("the input has ", input.size(), " values, expected ", network.input.size());
  }
  std::vector<Values> outputs;
  const Values first(input.begin(), input.end());
  for (const Layer& layer : network.layers) {
    std::vector<const Values*> inputs;
    for (const int from : layer.inputs) inputs.push_back(from == kNetworkInput ? &first : &outputs[from]);
    Values values = Compute(layer, weights, inputs);
    if (layer.batch_norm) BatchNorm(layer, weights, values);
    Activate(layer.activation, values);
    outputs.push_back(std::move(values));
  }
  return outputs.back();
}

}  // namespace mobilenet
