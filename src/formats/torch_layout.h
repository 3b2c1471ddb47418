// Weights as PyTorch and ONNX lay them out: channels out first, then channels in, rows and columns.
#pragma once

#include <span>
#include <vector>

#include "mobilenet/network.h"

namespace mobilenet {

// A layer's weight, of [k, k, in, out], [k, k, channels] or [in, out], as [out, in, k, k], [channels, 1, k,
// k] or [out, in].
std::vector<float> ChannelsFirst(const Layer& layer, std::span<const float> weight);

// These dimensions.
std::vector<std::int64_t> ChannelsFirstShape(const Layer& layer);

}  // namespace mobilenet
