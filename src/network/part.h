// Parts of a network, and how it ends.
#pragma once

#include <cstddef>

#include "mobilenet/network.h"
#include "mobilenet/tensor.h"

namespace mobilenet {

// The layers that lead to this one, which becomes the output. Nothing is left of the recipe.
Network UpTo(std::size_t layer, const Network& network);

// The weights that the layers of `part` have, of those of the network that it is a part of.
Weights WeightsIn(const Network& part, const Weights& weights);

// Whether the last layer is a classifier and nothing else: fully connected, without batch norm or activation,
// so that its output is linear in its weights.
bool EndsWithClassifier(const Network& network);

}  // namespace mobilenet
