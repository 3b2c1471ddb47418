// Which MobileNet a network is.
#pragma once

#include <optional>

#include "mobilenet/network.h"

namespace mobilenet {

// The recipe that builds exactly these layers, but for their names: the one with the roundest alpha, and
// padded as `padding` where both styles would build them. Nothing where none does.
std::optional<Recipe> FindRecipe(const Network& network, PaddingStyle padding);

}  // namespace mobilenet
