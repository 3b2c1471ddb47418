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
// Of these a build has those whose libraries it found.
Decoded DecodeGif(const Encoded& encoded);
Decoded DecodeTiff(const Encoded& encoded);
Decoded DecodeHeif(const Encoded& encoded);

// Throws Error where a side is 0 or there are more than options.max_pixels. Called before memory is taken.
void CheckSize(const Encoded& encoded, std::string_view format, std::uint64_t width, std::uint64_t height);

// An RGB image of this size, every sample `value`. The size has been through CheckSize.
Image MakeImage(std::uint64_t width, std::uint64_t height, std::uint8_t value = 0);

// `sample` with this coverage (255: opaque) over white, rounded.
inline std::uint8_t OverWhite(unsigned sample, unsigned alpha) {
  return static_cast<std::uint8_t>((sample * alpha + 255 * (255 - alpha) + 127) / 255);
}

// `value` of a sample with `bits` bits (1 to 16) as one of 8 bits, rounded.
inline std::uint8_t EightBits(unsigned value, int bits) {
  const unsigned most = (1U << bits) - 1;
  return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
}

// The same for a sample that was multiplied by its coverage already.
inline std::uint8_t PremultipliedOverWhite(unsigned sample, unsigned alpha) {
  return static_cast<std::uint8_t>(sample + 255 - alpha > 255 ? 255 : sample + 255 - alpha);
}

// Four samples that say how much light cyan, magenta, yellow and black ink leave, as red, green and blue.
inline void LightToRgb(const std::uint8_t* light, std::uint8_t* rgb) {
  const unsigned white = light[3];
  for (int c = 0; c < 3; ++c) {
    rgb[c] = static_cast<std::uint8_t>(white - ((255U - light[c]) * white + 127) / 255);
  }
}

// RGBA pixels over white. `rgba` holds 4/3 as many bytes as `rgb`.
void ComposeOverWhite(std::span<const std::uint8_t> rgba, std::span<std::uint8_t> rgb);

}  // namespace mobilenet
