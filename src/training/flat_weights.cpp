#include "training/flat_weights.h"

#include <algorithm>

#include "network/kinds.h"

namespace mobilenet {
namespace {

Role RoleOf(const Layer& layer, const Parameter& parameter) {
  if (!parameter.trainable) return Role::kRunning;
  if (parameter.name.ends_with(".bias")) return Role::kBias;
  if (!parameter.name.ends_with(".weight")) return Role::kNorm;
  return TraitsOf(layer.kind).mixes ? Role::kWeight : Role::kDepthwise;
}

}  // namespace

WeightLayout::WeightLayout(const Network& network) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    for (Parameter& parameter : ParametersOf(network.layers[i])) {
      const Role role = RoleOf(network.layers[i], parameter);
      const auto size = static_cast<std::size_t>(parameter.size());
      slots_.push_back({std::move(parameter), role, i, size_, size});
      size_ += size;
    }
  }
}

const Slot* WeightLayout::Find(std::size_t layer, std::string_view ending) const {
  const auto found = std::ranges::find_if(slots_, [&](const Slot& slot) {
    return slot.layer == layer && std::string_view(slot.parameter.name).ends_with(ending);
  });
  return found == slots_.end() ? nullptr : &*found;
}

std::vector<float> WeightLayout::Flatten(const Network& network, const Weights& weights) const {
  CheckWeights(network, weights);
  std::vector<float> values(size_);
  for (const Slot& slot : slots_)
    std::ranges::copy(weights.find(slot.parameter.name)->second.values, values.data() + slot.offset);
  return values;
}

Weights WeightLayout::ToWeights(std::span<const float> values) const {
  Weights weights;
  for (const Slot& slot : slots_) {
    const auto part = values.subspan(slot.offset, slot.size);
    weights[slot.parameter.name] = Tensor::Of(slot.parameter.shape, {part.begin(), part.end()});
  }
  return weights;
}

}  // namespace mobilenet
