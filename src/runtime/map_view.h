// Feature maps, and the parts of them that a step computes.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace mobilenet {

// A feature map, or the last `rows` rows of one: row y is at y % rows.
struct MapView {
  float* data;
  std::size_t pitch;  // bytes from one pixel to the next
  int width;
  int rows;

  [[nodiscard]] float* Row(int y) const {
    return AddBytes(data, static_cast<std::size_t>(y % rows) * static_cast<std::size_t>(width) * pitch);
  }
  // Of pixels that are counted row by row.
  [[nodiscard]] float* Pixel(std::size_t index) const {
    const auto columns = static_cast<std::size_t>(width);
    return AddBytes(Row(static_cast<int>(index / columns)), index % columns * pitch);
  }
};

// The output pixels [begin, end) of a step, counted row by row, and the panels of columns to compute. Of maps
// of which only some rows are kept, the pixels of one row.
struct Part {
  std::size_t begin;
  std::size_t end;
  std::size_t first_panel;
  std::size_t last_panel;
};

}  // namespace mobilenet
