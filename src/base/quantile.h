// The middle of measured values, and other places in their order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace mobilenet {

// The q-quantile of `values`, which are not empty, without interpolation: of two, the median is the larger.
inline double Quantile(std::vector<double> values, double q) {
  const double place =
      std::min(q * static_cast<double>(values.size()), static_cast<double>(values.size() - 1));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(place);
  std::ranges::nth_element(values, at);
  return *at;
}

inline double Median(std::vector<double> values) { return Quantile(std::move(values), 0.5); }

}  // namespace mobilenet
