// Half precision, IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace mobilenet {

constexpr float kLargestF16 = 65504;

// Rounds to the nearest, ties to even; what is larger than half precision can hold becomes the largest that
// it can. A NaN stays one.
inline std::uint16_t RoundToF16(float value) {
  constexpr float kSmallestNormal = 0x1p-14F;
  const auto sign = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16 & 0x8000U);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7E00U);
  const float magnitude = std::min(std::abs(value), kLargestF16);
  auto bits = std::bit_cast<std::uint32_t>(magnitude);
  if (magnitude < kSmallestNormal) {
    // Added to a half, whose last bit counts as much as a subnormal's, it is rounded by the addition.
    bits = std::bit_cast<std::uint32_t>(magnitude + 0.5F) - std::bit_cast<std::uint32_t>(0.5F);
  } else {
    constexpr std::uint32_t kLessExponent = (127 - 15) << 23;
    bits = (bits - kLessExponent + 0xFFFU + (bits >> 13 & 1U)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | bits);
}

inline float FromF16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1F;
  const int fraction = bits & 0x3FF;
  float value = 0;
  if (exponent > 0 && exponent < 0x1F) {
    value = std::bit_cast<float>(static_cast<std::uint32_t>((exponent + 127 - 15) << 23 | fraction << 13));
  } else if (exponent == 0x1F) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else {
    value = std::ldexp(static_cast<float>(fraction), -24);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

}  // namespace mobilenet
