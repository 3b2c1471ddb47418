#include "image/orient.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace mobilenet {
namespace {

// Turning reads down columns: tiles of this side keep both pictures' cache lines until they are used up.
constexpr int kTile = 32;

// Where the pixel of the upright picture at (x, y) lies in the stored one: origin + x * across + y * down, in
// pixels.
struct Walk {
  std::ptrdiff_t origin, across, down;
};

Walk WalkFor(int orientation, std::ptrdiff_t width, std::ptrdiff_t height) {
  const std::ptrdiff_t right = width - 1;              // offset of the last column
  const std::ptrdiff_t bottom = (height - 1) * width;  // offset of the last row
  switch (orientation) {
    case 2:
      return {right, -1, width};
    case 3:
      return {right + bottom, -1, -width};
    case 4:
      return {bottom, 1, -width};
    case 5:
      return {0, width, 1};
    case 6:
      return {bottom, -width, 1};
    case 7:
      return {right + bottom, -width, -1};
    default:
      return {right, width, -1};
  }
}

template <int kChannels>
void Copy(const std::uint8_t* source, const Walk& walk, Image& upright) {
  for (int tile_y = 0; tile_y < upright.height; tile_y += kTile) {
    for (int tile_x = 0; tile_x < upright.width; tile_x += kTile) {
      const int end_x = std::min(tile_x + kTile, upright.width);
      const int end_y = std::min(tile_y + kTile, upright.height);
      for (int y = tile_y; y < end_y; ++y) {
        const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(y) * upright.width;
        for (int x = tile_x; x < end_x; ++x) {
          const std::uint8_t* from = source + (walk.origin + x * walk.across + y * walk.down) * kChannels;
          std::copy_n(from, kChannels, upright.pixels.data() + (row + x) * kChannels);
        }
      }
    }
  }
}

}  // namespace

Image Orient(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  Image upright = {.width = image.width, .height = image.height, .channels = image.channels, .pixels = {}};
  if (orientation >= 5) std::swap(upright.width, upright.height);
  upright.pixels.resize(image.pixels.size());
  const Walk walk = WalkFor(orientation, image.width, image.height);
  if (image.channels == 3) {
    Copy<3>(image.pixels.data(), walk, upright);
  } else {
    Copy<1>(image.pixels.data(), walk, upright);
  }
  return upright;
}

}  // namespace mobilenet
