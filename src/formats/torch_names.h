// PyTorch's weights, by the names that torchvision (MobileNet V2; V3's are in torch_v3.h), timm (V1 and V2;
// V4's are in timm_v4.h) and EfficientNet-PyTorch (EfficientNet-Lite: inverted residuals of our kinds) give
// them. Such files hold no graph: the names stand for it.
#pragma once

#include <string>
#include <string_view>

#include "formats/graph.h"
#include "formats/safetensors.h"

namespace mobilenet {

// Whether a file holds weights under torchvision's names, as "features.0.0.weight", timm's, as
// "conv_stem.weight", or EfficientNet-PyTorch's, as "_conv_stem.weight".
bool HasTorchvisionNames(const Safetensors& file);
bool HasTimmNames(const Safetensors& file);
bool HasEfficientNetNames(const Safetensors& file);

// Throws Error, naming the first tensor that is missing, has another shape, or belongs to no such network.
Graph ReadTorchvision(const Safetensors& file);
Graph ReadTimm(const Safetensors& file);
Graph ReadEfficientNetLite(const Safetensors& file);

// ImageNet's mean and deviation, as `whose` (torchvision's or timm's) networks have, and a note that says so.
void SetTorchPreprocessing(std::string_view whose, Graph& graph);

// What SaveTimm says in a file's metadata, behind our prefix, besides what DescriptionOf does.
constexpr std::string_view kTimmArchitecture = "architecture";
constexpr std::string_view kTimmResolution = "resolution";

// Whether timm's network of that name is one that TensorFlow trained: padded as it does, with an epsilon of
// 1e-3. Its weights' names don't tell.
constexpr bool IsOfTensorFlow(std::string_view architecture) { return architecture.starts_with("tf_"); }

}  // namespace mobilenet
