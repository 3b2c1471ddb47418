// What was trained, and how accurate it became.
#pragma once

#include <string_view>
#include <vector>

#include "mobilenet/fit.h"

namespace mobilenet {

// The network of that version as it was trained: padded, widened and normalised so.
Recipe TrainedRecipe(std::string_view version, double alpha, int resolution, TrainingRecipe training);

// Networks whose accuracy is published, but those that an accuracy can be interpolated between.
std::vector<Recipe> SingleNetworks(TrainingRecipe training);

}  // namespace mobilenet
