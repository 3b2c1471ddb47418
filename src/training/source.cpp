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
  const Image varied = Augment(training_.Get(index, buffer), augment_, input_.width, input_.height, random);
  Normalise(varied, preprocessing_, input_.channels, input);
}

void PictureSource::Validation(std::size_t index, std::span<float> input) const {
  Image buffer;
  Normalise(validation_.Get(index, buffer), preprocessing_, input_.channels, input);
}

}  // namespace mobilenet
