#include "formats/pixel_scaling.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace mobilenet {

PixelScaling ScalingOfPixels(op::Rescale files, bool learned) {
  double low = INFINITY;
  double high = -INFINITY;
  double scale = 0;
  for (std::size_t c = 0; c < files.scale.size(); ++c) {
    low = std::min(low, -files.offset[c] / files.scale[c]);
    high = std::max(high, -files.offset[c] / files.scale[c]);
    scale = std::max(scale, std::abs(files.scale[c]));
  }
  const bool pixels = scale < 0.1 || low < -1 || high > 1;
  constexpr double kBetweenMeans = 0.2;  // of pictures from -1 to 1 and from 0 to 1
  const bool from_minus_one = learned ? (low + high) / 2 < kBetweenMeans : low < -0.5;
  if (!pixels) {
    for (std::size_t c = 0; c < files.scale.size(); ++c) {
      if (from_minus_one) files.offset[c] -= files.scale[c];
      files.scale[c] /= from_minus_one ? 127.5 : 255;
    }
  }
  const char* range = pixels ? "0 to 255" : from_minus_one ? "-1 to 1" : "0 to 1";
  return {files, Concat("the file's own first operators, taken to be for pixels from ", range), !pixels};
}

}  // namespace mobilenet
