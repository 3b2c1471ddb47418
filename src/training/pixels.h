// What the ways to vary a picture share.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mobilenet {

constexpr std::uint8_t kGrey = 128;  // where a picture has been moved away or erased

// Of red, green and blue (ITU-R BT.601).
inline float Luma(const std::uint8_t* pixel) {
  return 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
}

// The nearest byte.
inline std::uint8_t Byte(float value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F) + 0.5F);
}

}  // namespace mobilenet
