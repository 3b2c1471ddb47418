// Weights of MobileNets under the names and in the layouts that PyTorch's libraries give them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mobilenet/model.h"
#include "mobilenet/network.h"
#include "mobilenet/tensor.h"

namespace mobilenet {

// The names of one of our layers and its batch norm: "conv1", "block5.expand", ...
using TorchNames = std::pair<std::string, std::string> (*)(const std::string& layer);

std::pair<std::string, std::string> TorchvisionNames(const std::string& layer);
std::pair<std::string, std::string> TimmNames(const std::string& layer);  // of V2
std::pair<std::string, std::string> TimmV1Names(const std::string& layer);
std::pair<std::string, std::string> TimmV4SmallNames(const std::string& layer);
std::pair<std::string, std::string> TimmV4MediumNames(const std::string& layer);

std::pair<std::string, std::string> TimmV3LargeNames(const std::string& layer);
std::pair<std::string, std::string> TimmV3SmallNames(const std::string& layer);
std::pair<std::string, std::string> TorchvisionV3LargeNames(const std::string& layer);
std::pair<std::string, std::string> TorchvisionV3SmallNames(const std::string& layer);

// The weights that tests/data/torch_logits.py makes of the names, in PyTorch's layouts, and the logits for
// the pixels there.
Weights NamedTensors(const Network& network, TorchNames names);
std::vector<float> LogitsOfPattern(const Model& model, std::size_t classes);

// RandomWeights of the network, with the seed 8.
Weights TorchTensors(const Network& network, TorchNames names);

}  // namespace mobilenet
