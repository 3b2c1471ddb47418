// Weights of MobileNets under the names and in the layouts that PyTorch's libraries give them.
#pragma once

#include <string>
#include <utility>

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

// RandomWeights of the network, with the seed 8.
Weights TorchTensors(const Network& network, TorchNames names);

}  // namespace mobilenet
