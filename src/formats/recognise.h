// Which MobileNet a network is.
#pragma once

#include <optional>

#include "mobilenet/network.h"

namespace mobilenet {

// The recipe that builds exactly these layers, but for their names: the one with the roundest alpha, and
// padded as `padding`, the file's word, where several styles would build them. Nothing where none does. The
// V2 of keras.applications writes down its zeros, too, but works them out as kSame does unless it was made
// for inputs of any size.
std::optional<Recipe> FindRecipe(const Network& network, PaddingStyle padding, bool any_size);

}  // namespace mobilenet
