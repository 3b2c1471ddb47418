// The network by the book: layer after layer with the plain kernels, batch norm not folded, nothing fused or
// packed. Slow. What a Plan's answer is compared with.
#pragma once

#include <span>
#include <vector>

#include "mobilenet/tensor.h"

namespace mobilenet {

// Returns the logits for one image. Throws Error where the weights don't fit or the input's length is wrong.
std::vector<float> ReferenceRun(const Network& network, const Weights& weights, std::span<const float> input);

}  // namespace mobilenet
