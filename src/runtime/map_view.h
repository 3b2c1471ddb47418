// Feature maps, and the parts of them that a step computes.
#pragma once

#include <cstddef>

namespace mobilenet {

// A feature map, or the last `rows` rows of one: row y is at y % rows.
struct MapView {
  float* data;
  std::size_t pitch;  // floats from one pixel to the next
  int width;
  int rows;

  [[nodiscard]] float* Row(int y) const {
    return data + static_cast<std::size_t>(y % rows) * static_cast<std::size_t>(width) * pitch;
  }
};

// The output pixels [begin, end) of a step, counted row by row, and the panels of columns to compute.
struct Part {
  std::size_t begin;
  std::size_t end;
  std::size_t first_panel;
  std::size_t last_panel;
};

}  // namespace mobilenet
