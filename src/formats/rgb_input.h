// Networks that were trained on BGR, for those who have RGB.
#pragma once

#include <string>
#include <string_view>

#include "mobilenet/model.h"

namespace mobilenet {

// The same model for an input of RGB: the weights that read the input are turned around. Throws Error, naming
// `path` and saying what to do instead, where something else reads it.
Model TakingRgb(Model model, const std::string& path, std::string_view instead);

}  // namespace mobilenet
