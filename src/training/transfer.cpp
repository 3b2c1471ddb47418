#include "training/transfer.h"

#include <algorithm>

#include "base/fail.h"
#include "image/normalise.h"
#include "network/part.h"
#include "training/inference.h"

namespace mobilenet {

Network BackboneOf(const Network& network) {
  return UpTo(static_cast<std::size_t>(network.layers.back().inputs.front()), network);
}

Network ClassifierOf(const Network& network) {
  Network head = network;
  head.input = network.layers.back().input;
  head.layers = {network.layers.back()};
  head.layers.front().inputs = {kNetworkInput};
  head.recipe = std::nullopt;
  return head;
}

bool TakeWeights(const Model& from, const Network& network, const std::vector<std::string>& labels,
                 const WeightLayout& layout, std::vector<float>& values) {
  CheckWeights(from.network, from.weights);
  const std::size_t last = network.layers.size() - 1;
  const bool had_classifier = HasClassifier(from.network);
  bool all_known = had_classifier;
  for (const Slot& slot : layout.slots()) {
    if (slot.layer == last && !had_classifier) {
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(slot.offset), slot.size, 0.0F);
      continue;
    }
    const auto found = from.weights.find(slot.parameter.name);
    if (found == from.weights.end()) Fail("the model to start from has no tensor ", slot.parameter.name);
    const std::span<const float> old = found->second.values;
    float* to = values.data() + slot.offset;
    if (slot.layer != last) {
      std::ranges::copy(old, to);
      continue;
    }
    // The classifier's columns, and its bias, go by label; those of sigmoids don't compete.
    const std::size_t columns = labels.size();
    const auto old_columns = static_cast<std::size_t>(from.network.classes());
    for (std::size_t c = 0; c < columns; ++c) {
      const auto known = std::ranges::find(from.labels, labels[c]);
      const bool is_known = from.answers == Answers::kSoftmax && known != from.labels.end();
      all_known = all_known && is_known;
      const auto old_column = static_cast<std::size_t>(known - from.labels.begin());
      for (std::size_t row = 0; row < slot.size / columns; ++row)
        to[row * columns + c] = is_known ? old[row * old_columns + old_column] : 0;
    }
  }
  return all_known;
}

Features FeaturesOf(const Network& network, const Weights& weights, const Pictures& pictures,
                    const Preprocessing& preprocessing, ThreadPool& pool,
                    const std::function<void(std::size_t done)>& progress) {
  const Network backbone = BackboneOf(network);
  Features features;
  features.size = static_cast<std::size_t>(backbone.output().size());
  const std::size_t count = pictures.samples().size();
  features.rows.resize(count * features.size);
  for (const Sample& sample : pictures.samples()) features.labels.push_back(sample.label);
  Inference(backbone, WeightsIn(backbone, weights), pool)
      .Run(count, {.fill =
                       [&](std::size_t index, std::span<float> input) {
                         Image buffer;
                         Normalise(pictures.Get(index, buffer), preprocessing, network.input.channels, input);
                       },
                   .take =
                       [&](std::size_t index, std::span<const float> output) {
                         std::ranges::copy(output, features.rows.begin() +
                                                       static_cast<std::ptrdiff_t>(index * features.size));
                       },
                   .progress = progress});
  return features;
}

}  // namespace mobilenet
