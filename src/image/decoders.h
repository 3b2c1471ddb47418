// What decode.cpp and the readers of the single formats share.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "mobilenet/image.h"

namespace mobilenet {

// One encoded picture, as the readers get it.
struct Encoded {
  std::span<const std::uint8_t> bytes;
  const DecodeOptions& options;
  std::string_view name;  // for messages
};

// Pixels as they are stored (always RGB), and the EXIF orientation that makes them upright.
struct Decoded {
  Image image;
  int orientation = 1;
};

Decoded DecodeJpeg(const Encoded& encoded);
Decoded DecodePng(const Encoded& encoded);
Decoded DecodeWebp(const Encoded& encoded);
Decoded DecodeBmp(const Encoded& encoded);

// Throws Error where a side is 0 or there are more than options.max_pixels. Called before memory is taken.
void CheckSize(const Encoded& encoded, std::string_view format, std::uint64_t width, std::uint64_t height);

// An RGB image of this size, every sample `value`. The size has been through CheckSize.
Image MakeImage(std::uint64_t width, std::uint64_t height, std::uint8_t value = 0);

// `sample` with this coverage (255: opaque) over white, rounded.
inline std::uint8_t OverWhite(unsigned sample, unsigned alpha) {
  return static_cast<std::uint8_t>((sample * alpha + 255 * (255 - alpha) + 127) / 255);
}

// RGBA pixels over white. `rgba` holds 4/3 as many bytes as `rgb`.
void ComposeOverWhite(std::span<const std::uint8_t> rgba, std::span<std::uint8_t> rgb);

}  // namespace mobilenet
