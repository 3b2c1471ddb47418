// Which pixels of one axis make an output's, and the weight of each, for every filter.
#pragma once

#include "image/resize_passes.h"
#include "mobilenet/preprocessing.h"

namespace mobilenet {

// Taps for `outputs` coordinates that share [begin, end) of `inputs`. The ends are floats, as in Pillow's
// interface: a box of doubles would give other weights.
Taps MakeTaps(ResizeFilter filter, int inputs, float begin, float end, int outputs);

}  // namespace mobilenet
