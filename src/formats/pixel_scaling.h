// What a file does to its input, as our preprocessing, which begins at pixels of 0 to 255.
#pragma once

#include <string>

#include "formats/graph.h"

namespace mobilenet {

struct PixelScaling {
  op::Rescale rescale;   // of pixels from 0 to 255
  std::string note;      // for the provenance: what the file's input was taken for
  bool assumed = false;  // that it is other than pixels of 0 to 255
};

// The file's input may be pixels of 0 to 255, or 0 to 1, or -1 to 1: the last two are told by a mean within
// them that belongs to a scale far above that of pixels. Where it was learned from pictures, as a batch
// norm's, it is a picture's mean: of -1 to 1 next to 0.
PixelScaling ScalingOfPixels(op::Rescale files, bool learned = false);

}  // namespace mobilenet
