#include "image/shrink.h"

#include <algorithm>
#include <cmath>

namespace mobilenet {

Image Shrink(const Image& image, double factor) {
  const auto scaled = [&](int length) { return std::max(1, static_cast<int>(std::lround(length * factor))); };
  return Resize(image, scaled(image.width), scaled(image.height), ResizeFilter::kBilinear,
                {.left = 0,
                 .top = 0,
                 .right = static_cast<double>(image.width),
                 .bottom = static_cast<double>(image.height)});
}

}  // namespace mobilenet
