// How long a network will take, from the shapes of its steps and what other networks took.
#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mobilenet/network.h"

namespace mobilenet {

// x >= 0 that makes the sum over rows of (row . x - target)^2 smallest. All rows have the same length. By
// coordinate descent: exact enough for the sixteen unknowns that it is used for, and without a matrix
// library.
std::vector<double> NonNegativeLeastSquares(std::span<const std::vector<double>> rows,
                                            std::span<const double> targets);

// The time of a step is taken as a sum of what it does (multiply tiles, compute depthwise rows, write the
// map, read weights, ...), each at a price of its own that is never negative. Steps of one kind share their
// prices, which are fitted so that the sum of squared errors is smallest, each divided by the geometric mean
// of the step's time and its network's.
class LatencyModel {
 public:
  // Milliseconds of each step of a network, in the order of StepsOf.
  struct Sample {
    Network network;
    std::vector<double> step_ms;
    double total_ms = 0;
  };

  explicit LatencyModel(std::span<const Sample> samples);

  // Milliseconds of the whole network. 0 for steps of kinds that no sample had.
  [[nodiscard]] double Predict(const Network& network) const;

  // Whether the samples had all its kinds of steps.
  [[nodiscard]] bool Knows(const Network& network) const;

 private:
  std::map<std::string, std::vector<double>> prices_;  // by the kind of step
  double scale_ = 1;                                   // total over the sum of the steps
};

}  // namespace mobilenet
