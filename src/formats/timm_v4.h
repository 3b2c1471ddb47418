// PyTorch's weights of MobileNet V4, by the names that timm gives them.
#pragma once

#include "formats/graph.h"
#include "formats/safetensors.h"

namespace mobilenet {

// Whether a file holds weights under timm's names of V4's blocks, as "blocks.2.0.pw_exp.conv.weight".
bool HasTimmV4Names(const Safetensors& file);

// Throws Error, naming the first tensor that is missing, has another shape, or belongs to no such network, as
// those of V4's hybrids.
Graph ReadTimmV4(const Safetensors& file);

}  // namespace mobilenet
