// What timm calls the layers of its MobileNets.
#pragma once

#include <string>
#include <vector>

#include "mobilenet/network.h"

namespace mobilenet {

// A layer and its batch norm, up to ".weight" and the like. Without a norm the layer has a bias.
struct TimmLayer {
  std::string layer, norm;
};

// Of the layers of the recipe's network that have weights, in their order.
std::vector<TimmLayer> TimmNames(const Recipe& recipe);

}  // namespace mobilenet
