#include "training/source.h"

#include <utility>

#include "image/normalise.h"

namespace mobilenet {
namespace {

std::vector<int> LabelsOf(const Pictures& pictures) {
  std::vector<int> labels;
  for (const Sample& sample : pictures.samples()) labels.push_back(sample.label);
  return labels;
}

}  // namespace

std::vector<float> ClassWeights(const std::vector<int>& labels, int classes, bool balanced) {
  std::vector<float> weights(static_cast<std::size_t>(classes), 1);
  if (!balanced) return weights;
  std::vector<std::size_t> counts(weights.size());
  for (const int label : labels) ++counts[static_cast<std::size_t>(label)];
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] > 0)
      weights[c] = static_cast<float>(labels.size()) / static_cast<float>(counts.size() * counts[c]);
  }
  return weights;
}

PictureSource::PictureSource(Pictures training, Pictures validation, const AugmentOptions& augment,
                             const Preprocessing& preprocessing, const Shape& input, std::uint64_t seed)
    : training_(std::move(training)),
      validation_(std::move(validation)),
      training_labels_(LabelsOf(training_)),
      validation_labels_(LabelsOf(validation_)),
      augment_(augment),
      preprocessing_(preprocessing),
      input_(input),
      seed_(seed) {}

void PictureSource::Training(int epoch, std::size_t index, std::span<float> input) const {
  Random random(seed_ + static_cast<std::uint64_t>(epoch) * 0x10001, index);
  Image buffer;
  const Image varied = Augment(training_.Get(index, buffer), augment_, input_.width, input_.height, random,
                               preprocessing_.filter);
  Normalise(varied, preprocessing_, input_.channels, input);
}

void PictureSource::Validation(std::size_t index, std::span<float> input) const {
  Image buffer;
  Normalise(validation_.Get(index, buffer), preprocessing_, input_.channels, input);
}

}  // namespace mobilenet
