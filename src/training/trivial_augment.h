// One change of random kind and strength to each picture.
#pragma once

#include "base/random.h"
#include "mobilenet/image.h"

namespace mobilenet {

enum class Change {
  kNone,
  kShearX,  // these change where things are; uncovered pixels turn grey
  kShearY,
  kShiftX,
  kShiftY,
  kRotate,
  kBrightness,  // these how they look
  kColour,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutoContrast,
  kEqualize,
};
constexpr int kChanges = 14;

// Makes one change of a strength from -1 to 1: a shear by up to 0.3, a shift by up to a third of the side, a
// turn by up to 30 degrees, a factor of 0.1 to 1.9 for looks. Of posterizing (8 bits down to 4) and
// solarizing (from 256 down to 0) the sign doesn't count; the last two and kNone have no strength. The ranges
// are those of Cubuk et al. 2020.
void Apply(Change change, double strength, Image& image);

// TrivialAugment (Mueller and Hutter 2021): one of the changes, of one of the strengths, all equally likely.
void TrivialAugment(Image& image, Random& random);

}  // namespace mobilenet
