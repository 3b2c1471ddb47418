// The last part of Preprocess by itself.
#pragma once

#include <span>

#include "mobilenet/image.h"

namespace mobilenet {

// Writes a picture that has the network's size as its input: channel order, mean and scale, and luma where
// `channels` is 1. `output` has width x height x channels floats.
void Normalise(const Image& image, const Preprocessing& preprocessing, int channels, std::span<float> output);

}  // namespace mobilenet
