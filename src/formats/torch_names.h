// PyTorch's weights of MobileNet V2, by the names that torchvision and timm give them. Such files hold no
// graph: the names stand for it.
#pragma once

#include "formats/graph.h"
#include "formats/safetensors.h"

namespace mobilenet {

// Whether a file holds weights under torchvision's names, as "features.0.0.weight", or timm's, as
// "conv_stem.weight".
bool HasTorchvisionNames(const Safetensors& file);
bool HasTimmNames(const Safetensors& file);

// Throws Error, naming the first tensor that is missing, has another shape, or belongs to no MobileNet V2.
Graph ReadTorchvision(const Safetensors& file);
Graph ReadTimm(const Safetensors& file);

}  // namespace mobilenet
