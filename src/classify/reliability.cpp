#include <algorithm>
#include <cmath>

#include "mobilenet/classifier.h"

namespace mobilenet {

void Reliability::Add(double probability, bool right) {
  const auto last = static_cast<double>(bins.size() - 1);
  const double at = std::clamp(std::floor(probability * static_cast<double>(bins.size())), 0.0, last);
  Bin& bin = bins[static_cast<std::size_t>(at)];
  ++bin.images;
  bin.right += right ? 1 : 0;
  bin.confidence += probability;
}

double Reliability::Error() const {
  int images = 0;
  double error = 0;
  for (const Bin& bin : bins) {
    images += bin.images;
    error += std::abs(bin.right - bin.confidence);
  }
  return images > 0 ? error / images : 0;
}

}  // namespace mobilenet
