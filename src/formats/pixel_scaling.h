// What a file does to its input, as our preprocessing, which begins at pixels of 0 to 255.
#pragma once

#include <string>

#include "formats/graph.h"

namespace mobilenet {

struct PixelScaling {
  op::Rescale rescale;  // of pixels from 0 to 255
  std::string note;     // for the provenance: what the file's input was taken for
};

// The file's input may be pixels of 0 to 255, or 0 to 1, or -1 to 1: the last two are told by a mean within
// them that belongs to a scale far above that of pixels.
PixelScaling ScalingOfPixels(op::Rescale files);

}  // namespace mobilenet
