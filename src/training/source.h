// Where a training loop's inputs come from.
#pragma once

#include <span>
#include <vector>

#include "training/augment.h"
#include "training/pictures.h"

namespace mobilenet {

// Inputs with their labels: those to train on and those to validate with. Safe from any number of threads.
class Source {
 public:
  virtual ~Source() = default;

  [[nodiscard]] virtual const std::vector<int>& training() const = 0;  // the label of each
  [[nodiscard]] virtual const std::vector<int>& validation() const = 0;
  // Write one input, of as many floats as the network's input has. What is random in a training input depends
  // on the seed, the epoch and the index alone. Throw Error where it can't be had any more.
  virtual void Training(int epoch, std::size_t index, std::span<float> input) const = 0;
  virtual void Validation(std::size_t index, std::span<float> input) const = 0;
};

// What each class counts in the loss: all alike, or `balanced`, so that every class counts as much as the
// others however many inputs it has, and the mean over the inputs is 1.
std::vector<float> ClassWeights(const std::vector<int>& labels, int classes, bool balanced);

// Pictures, varied for training.
class PictureSource : public Source {
 public:
  PictureSource(Pictures training, Pictures validation, const AugmentOptions& augment,
                const Preprocessing& preprocessing, const Shape& input, std::uint64_t seed);

  [[nodiscard]] const std::vector<int>& training() const override { return training_labels_; }
  [[nodiscard]] const std::vector<int>& validation() const override { return validation_labels_; }
  void Training(int epoch, std::size_t index, std::span<float> input) const override;
  void Validation(std::size_t index, std::span<float> input) const override;

 private:
  Pictures training_;
  Pictures validation_;
  std::vector<int> training_labels_;
  std::vector<int> validation_labels_;
  AugmentOptions augment_;
  Preprocessing preprocessing_;
  Shape input_;
  std::uint64_t seed_;
};

// What a network without its classifier makes of pictures: rows of `size` floats.
struct Features {
  std::size_t size = 0;
  std::vector<float> rows;
  std::vector<int> labels;

  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    return {rows.data() + index * size, size};
  }
};

class FeatureSource : public Source {
 public:
  FeatureSource(Features training, Features validation)
      : training_(std::move(training)), validation_(std::move(validation)) {}

  [[nodiscard]] const Features& features() const { return training_; }  // to train on

  [[nodiscard]] const std::vector<int>& training() const override { return training_.labels; }
  [[nodiscard]] const std::vector<int>& validation() const override { return validation_.labels; }
  void Training(int /*epoch*/, std::size_t index, std::span<float> input) const override {
    std::ranges::copy(training_.row(index), input.begin());
  }
  void Validation(std::size_t index, std::span<float> input) const override {
    std::ranges::copy(validation_.row(index), input.begin());
  }

 private:
  Features training_;
  Features validation_;
};

}  // namespace mobilenet
