// Weights of files that keep the channels out first. Ours come last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mobilenet {

// A matrix of `rows` rows, its columns as rows.
inline std::vector<float> Transposed(std::span<const float> values, std::int64_t rows) {
  const auto out = static_cast<std::size_t>(rows);
  const std::size_t columns = values.size() / out;
  std::vector<float> result(values.size());
  for (std::size_t r = 0; r < out; ++r) {
    for (std::size_t c = 0; c < columns; ++c) result[c * out + r] = values[r * columns + c];
  }
  return result;
}

}  // namespace mobilenet
