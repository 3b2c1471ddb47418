// Temperature scaling (Guo et al. 2017, section 4.2).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mobilenet {

// Logits of labelled pictures, or what differs from them by a constant in each row, as the logarithms of
// probabilities do.
struct Scores {
  std::size_t classes = 0;
  std::vector<float> rows;  // one of `classes` for each label
  std::vector<int> labels;

  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    return {rows.data() + index * classes, classes};
  }
  [[nodiscard]] float wanted(std::size_t index) const {
    return row(index)[static_cast<std::size_t>(labels[index])];
  }
};

constexpr double kMostTemperature = 20;  // and the least is a 20th

// The mean cross-entropy of softmax(row / T), and its slope in 1 / T, in which it is convex.
struct TemperatureLoss {
  double value = 0;
  double slope = 0;
};
TemperatureLoss LossAt(const Scores& scores, double temperature);

// The temperature with the least loss, or that end of the range which is nearer to it.
double BestTemperature(const Scores& scores);

}  // namespace mobilenet
