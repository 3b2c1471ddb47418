// PyTorch's weights of MobileNet V3, by the names that timm and torchvision give them.
#pragma once

#include "formats/graph.h"
#include "formats/safetensors.h"

namespace mobilenet {

// Whether a file holds weights under timm's names of a V3, as "conv_head.bias" behind blocks, or
// torchvision's, as "features.1.block.0.0.weight".
bool HasTimmV3Names(const Safetensors& file);
bool HasTorchvisionV3Names(const Safetensors& file);

// Throws Error, naming the first tensor that is missing, has another shape, or belongs to no V3.
Graph ReadTimmV3(const Safetensors& file);
Graph ReadTorchvisionV3(const Safetensors& file);

}  // namespace mobilenet
