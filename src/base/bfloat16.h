// bfloat16: the upper half of a float32.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace mobilenet {

// Rounds to the nearest, ties to even; what is larger than bfloat16 can hold becomes infinity. A NaN stays
// one.
inline std::uint16_t RoundToBf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

inline float FromBf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace mobilenet
