// Weights: named blocks of float32.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/export.h"
#include "mobilenet/network.h"

namespace mobilenet {

// A read-only block of float32 with a shape. Copies are cheap and share the memory, which `owner` keeps
// alive: a vector, or a whole mapped file.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::span<const float> values;
  std::shared_ptr<const void> owner;

  // A tensor that owns `values`, whose number must be the product of `shape`; throws Error otherwise.
  MOBILENET_EXPORT static Tensor Of(std::vector<std::int64_t> shape, std::vector<float> values);
};

// Tensors by the names that ParametersOf gives.
using Weights = std::map<std::string, Tensor, std::less<>>;

// Throws Error, naming the tensor, where one that `network` needs is missing, has another shape, or holds a
// value that is not finite, or where there is one that the network doesn't know.
MOBILENET_EXPORT void CheckWeights(const Network& network, const Weights& weights);

// Fresh weights: He et al. 2015 normal for what mixes or filters, batch norms at identity, biases 0.
// The same seed gives the same weights on every machine.
MOBILENET_EXPORT Weights RandomWeights(const Network& network, std::uint64_t seed);

// "[3, 3, 8]", as messages show it.
MOBILENET_EXPORT std::string ShapeText(std::span<const std::int64_t> shape);

}  // namespace mobilenet
