// All of a network's numbers in one piece, so that gradients, optimisers, averages and checkpoints are loops
// over floats, and adding up the gradients of several workers is one call.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "mobilenet/network.h"
#include "mobilenet/tensor.h"

namespace mobilenet {

// What a block of numbers is, which decides on its weight decay.
enum class Role {
  kWeight,     // of convolutions, pointwise and fully connected layers
  kDepthwise,  // filters
  kBias,
  kNorm,     // a batch norm's gamma and beta
  kRunning,  // its running mean and variance: not trained
};

struct Slot {
  Parameter parameter;
  Role role = Role::kWeight;
  std::size_t layer = 0;  // index in Network::layers
  std::size_t offset = 0;
  std::size_t size = 0;
};

// Where each parameter of a network stands. Immutable.
class WeightLayout {
 public:
  explicit WeightLayout(const Network& network);

  [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // The slot of a layer's parameter with the name's ending, ".weight"; null where there is none.
  [[nodiscard]] const Slot* Find(std::size_t layer, std::string_view ending) const;

  // Copies tensors into one block, and out again. Flatten throws Error as CheckWeights does.
  [[nodiscard]] std::vector<float> Flatten(const Network& network, const Weights& weights) const;
  [[nodiscard]] Weights ToWeights(std::span<const float> values) const;

 private:
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace mobilenet
