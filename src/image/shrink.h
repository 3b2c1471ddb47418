// Whole pictures made smaller.
#pragma once

#include "mobilenet/image.h"

namespace mobilenet {

// The picture at `factor` (up to 1) of its size, bilinear, each side at least a pixel.
Image Shrink(const Image& image, double factor);

}  // namespace mobilenet
