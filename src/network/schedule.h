// In which steps a network runs, and how long each feature map lives. Plans and the cost model agree through
// this.
#pragma once

#include <span>
#include <vector>

#include "mobilenet/network.h"
#include "network/memory_plan.h"

namespace mobilenet {

// The layers [first, last] that one step runs.
struct StepLayers {
  std::size_t first;
  std::size_t last;
};

// One layer a step, except that a depthwise layer joins the pointwise one behind it where nobody else reads
// what lies between: that map is never written.
std::vector<StepLayers> FuseLayers(const Network& network);

// For each step, the life of the map that it writes. The network's output is the caller's memory and has size
// 0 here, as its input does not appear.
std::vector<Lifetime> MapLifetimes(const Network& network, std::span<const StepLayers> steps,
                                   std::size_t bytes_a_value);

}  // namespace mobilenet
