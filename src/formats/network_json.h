// A network as JSON: its layers, and the recipe that made them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "mobilenet/network.h"

namespace mobilenet {

// {"input": [h, w, c], "layers": [...], "recipe": {...}}. A recipe that doesn't make just these layers is
// left out: it would be a wrong caption.
nlohmann::json NetworkJson(const Network& network);

// {"version": "v2", "alpha": 1, ...}
nlohmann::json RecipeJson(const Recipe& recipe);

// Reads what NetworkJson makes; `where` begins messages. Throws Error for a network that doesn't hold
// together, or whose recipe is another network's.
Network ReadNetworkJson(const std::string& where, nlohmann::json value);

// What files of format 1 have in its place: a recipe of V1 alone.
Network ReadRecipeOfV1(const std::string& where, nlohmann::json value);

}  // namespace mobilenet
