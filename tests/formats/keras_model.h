// Networks as Keras describes them.
#pragma once

#include <string>

#include "formats/keras.h"
#include "mobilenet/network.h"

namespace mobilenet {

// A whole network as Keras configures it, and its weights.
struct KerasModel {
  std::string config;
  KerasWeights weights;
};

enum class KerasStyle { kSequential, kFunctional2, kFunctional3 };

// The network that a recipe builds, with RandomWeights of the seed 4. Layers have our names, batch norms and
// activations these with "_bn" and "_relu" behind them.
KerasModel KerasModelOf(const Recipe& recipe, KerasStyle style = KerasStyle::kSequential);

}  // namespace mobilenet
