#include "classify/temperature.h"

#include <algorithm>
#include <cmath>

namespace mobilenet {

TemperatureLoss LossAt(const Scores& scores, double temperature) {
  TemperatureLoss loss;
  for (std::size_t i = 0; i < scores.labels.size(); ++i) {
    const double most = std::ranges::max(scores.row(i));
    const double wanted = scores.wanted(i);
    double sum = 0;
    double weighted = 0;
    for (const float z : scores.row(i)) {
      const double power = std::exp((z - most) / temperature);
      sum += power;
      weighted += power * z;
    }
    loss.value += std::log(sum) + (most - wanted) / temperature;
    loss.slope += weighted / sum - wanted;
  }
  loss.value /= static_cast<double>(scores.labels.size());
  return loss;
}

// Where the slope is 0, by bisection of the logarithm.
double BestTemperature(const Scores& scores) {
  double high = std::log(kMostTemperature);
  double low = -high;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (LossAt(scores, std::exp(middle)).slope > 0 ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

}  // namespace mobilenet
