// The training loss by the book: plain loops in double precision, batch statistics, no gradients. What
// numerical gradients are taken of.
#pragma once

#include <span>
#include <vector>

#include "mobilenet/network.h"
#include "training/flat_weights.h"
#include "training/training_pass.h"

namespace mobilenet {

// What a layer makes of a batch before bias, batch norm and activation: convolutions of any kind, the
// classifier and pooling. `weight` is as Weights has it.
std::vector<double> PlainLinear(const Layer& layer, std::span<const double> input, const double* weight,
                                std::size_t batch);

double PlainLoss(const Network& network, std::span<const double> values, std::span<const float> images,
                 std::span<const Target> targets, double label_smoothing);

}  // namespace mobilenet
