// The run-length coding of 4- and 8-bit bitmaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mobilenet {

struct BmpRuns {
  unsigned bits;  // 4 or 8
  std::size_t width;
  std::size_t height;
  std::string_view name;  // for messages
};

// One palette index for each pixel, rows in the order stored; pixels that are skipped over are index 0.
// Throws Error where the codes leave the picture or the data ends before the end code.
std::vector<std::uint8_t> ExpandBmpRuns(std::span<const std::uint8_t> codes, const BmpRuns& runs);

}  // namespace mobilenet
