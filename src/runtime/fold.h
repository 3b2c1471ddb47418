// Batch norm folded into the linear operation before it.
#pragma once

#include <vector>

#include "mobilenet/tensor.h"

namespace mobilenet {

struct FoldedLayer {
  std::vector<float> weight;  // in the layer's own layout; the output channel is the last axis
  std::vector<float> bias;    // one for each output channel
};

// weight * gamma / sqrt(variance + epsilon), and beta - mean * that factor (Jacob et al. 2018, eq. 14);
// computed in double precision. Layers without batch norm keep their weight and bias (zeros where they have
// none).
FoldedLayer Fold(const Layer& layer, const Weights& weights);

}  // namespace mobilenet
