// Deterministic test data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bfloat16.h"
#include "base/float16.h"

namespace mobilenet {

// `count` values in [-1, 1), the same for a seed on every machine.
inline std::vector<float> RandomValues(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  std::uint32_t state = seed * 2654435761U + 1;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) / static_cast<float>(1U << 23) - 1;
  }
  return values;
}

// Each value as bfloat16 holds it.
inline std::vector<float> RoundedToBf16(std::vector<float> values) {
  for (float& value : values) value = FromBf16(RoundToBf16(value));
  return values;
}

// The same in half precision.
inline std::vector<float> RoundedToF16(std::vector<float> values) {
  for (float& value : values) value = FromF16(RoundToF16(value));
  return values;
}

}  // namespace mobilenet
