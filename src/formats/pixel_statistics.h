// What the first layer remembers of the pixels that a network was trained on.
#pragma once

#include <optional>

#include "formats/graph.h"

namespace mobilenet {

// Of the network's input, in its own units, with the standard errors of what is worked out here.
struct PixelStatistics {
  double mean = 0;
  double mean_error = 0;
  // The logarithm of the deviation; nothing where no batch norm tells.
  std::optional<double> log_deviation;
  double log_deviation_error = 0;
};

// From the first layer and the batch norm behind it, which is null where it was folded. Nothing where they
// don't tell: the time that it takes grows with the fourth power of a window's side, and large ones are left
// alone.
std::optional<PixelStatistics> StatisticsOf(const op::Convolution& first, const op::Norm* norm);

}  // namespace mobilenet
