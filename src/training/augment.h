// Pictures varied at random.
#pragma once

#include <span>

#include "base/random.h"
#include "mobilenet/image.h"
#include "mobilenet/training.h"

namespace mobilenet {

// One variation of `image`, as kept for `options.crop` (not kAuto), in the network's size. All that is random
// comes from `random`, in a fixed order. `filter` resizes crops.
Image Augment(const Image& image, const AugmentOptions& options, int width, int height, Random& random,
              ResizeFilter filter = ResizeFilter::kBilinear);

// A draw from the beta distribution with both parameters `a`, in (0, 1] (Joehnk 1964).
double Beta(double a, Random& random);

}  // namespace mobilenet
