// What a network costs, from its description alone.
#pragma once

#include <cstdint>
#include <vector>

#include "mobilenet/network.h"

namespace mobilenet {

struct LayerCost {
  std::int64_t params = 0;  // trainable: weights, biases, and the scale and shift of batch norms
  std::int64_t macs = 0;    // mult-adds: one multiplication and one addition count as 1
};

struct Cost {
  std::int64_t params = 0;
  std::int64_t macs = 0;
  std::vector<LayerCost> layers;  // in the network's order
};

// Counts, for one image, with K the kernel, M and N the channels in and out, F the side of the output
// (Howard et al. 2017, section 3.1):
//   convolution      K K M N F F    (eq. 2)
//   depthwise        K K M F F      (eq. 4)
//   pointwise        M N F F        (eq. 5, second term)
//   fully connected  M N
// Batch norm, activations and pooling count as nothing, as in the paper.
Cost CostOf(const Network& network);

}  // namespace mobilenet
