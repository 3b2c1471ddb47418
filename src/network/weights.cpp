#include <bit>
#include <cmath>
#include <utility>

#include "base/fail.h"
#include "base/random.h"
#include "mobilenet/tensor.h"
#include "network/kinds.h"

namespace mobilenet {
namespace {

float InitialDeviation(const Layer& layer) {
  const double window = double{1} * layer.kernel * layer.kernel;
  const double fan_in = TraitsOf(layer.kind).mixes ? window * layer.input.channels : window;
  return static_cast<float>(std::sqrt(2 / fan_in));
}

// By the exponent's bits, without a branch for each value: every load looks at every weight.
bool AllFinite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7F800000;
  bool finite = true;
  for (const float value : values) finite &= (std::bit_cast<std::uint32_t>(value) & kExponent) != kExponent;
  return finite;
}

Weights DrawWeights(const Network& network, std::uint64_t seed) {
  Weights weights;
  Random random(seed);
  for (const Layer& layer : network.layers) {
    const float deviation = InitialDeviation(layer);
    for (const Parameter& parameter : ParametersOf(layer)) {
      std::vector<float> values(static_cast<std::size_t>(parameter.size()));
      if (parameter.name.ends_with(".weight")) {
        for (float& value : values) value = deviation * random.Normal();
      } else if (parameter.name.ends_with(".gamma") || parameter.name.ends_with(".variance")) {
        values.assign(values.size(), 1.0F);
      }
      weights[parameter.name] = Tensor::Of(parameter.shape, std::move(values));
    }
  }
  return weights;
}

}  // namespace

Tensor Tensor::Of(std::vector<std::int64_t> shape, std::vector<float> values) {
  // Divided down rather than multiplied up: a product of sizes from a file may not fit its type.
  std::size_t left = values.size();
  bool fits = true;
  bool empty = false;
  for (const std::int64_t n : shape) {
    empty = empty || n == 0;
    fits = fits && (n > 0 && left % static_cast<std::size_t>(n) == 0);
    if (fits) left /= static_cast<std::size_t>(n);
  }
  if (empty ? !values.empty() : !fits || left != 1) {
    Fail("a tensor of shape ", ShapeText(shape), " was given ", values.size(), " values");
  }
  auto owner = std::make_shared<const std::vector<float>>(std::move(values));
  return {std::move(shape), *owner, owner};
}

std::string ShapeText(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t n : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + "]";
}

void CheckWeights(const Network& network, const Weights& weights) {
  CheckNetwork(network);
  const std::vector<Parameter> parameters = ParametersOf(network);
  for (const Parameter& parameter : parameters) {
    const auto found = weights.find(parameter.name);
    if (found == weights.end()) Fail("the tensor ", parameter.name, " is missing");
    const Tensor& tensor = found->second;
    if (tensor.shape != parameter.shape) {
      Fail("the tensor ", parameter.name, " has the shape ", ShapeText(tensor.shape), ", expected ",
           ShapeText(parameter.shape));
    }
    if (!AllFinite(tensor.values)) Fail("the tensor ", parameter.name, " holds infinity or not-a-number");
    if (parameter.name.ends_with(".variance")) {
      for (const float variance : tensor.values) {
        if (variance < 0)
          Fail("the tensor ", parameter.name, " holds the variance ", variance, ", expected 0 or more");
      }
    }
  }
  if (weights.size() == parameters.size()) return;
  Weights unknown = weights;
  for (const Parameter& parameter : parameters) unknown.erase(parameter.name);
  Fail("the tensor ", unknown.begin()->first, " belongs to no layer of this network");
}

Weights RandomWeights(const Network& network, std::uint64_t seed) {
  CheckNetwork(network);
  return OrOutOfMemory("random weights", [&] { return DrawWeights(network, seed); });
}

}  // namespace mobilenet
