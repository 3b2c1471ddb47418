#include "kernels/packing.h"

#include <algorithm>

namespace mobilenet {
namespace {

std::vector<Panel> PanelsFor(std::size_t k, std::size_t columns, std::size_t lanes) {
  std::vector<Panel> panels;
  std::size_t column = 0;
  std::size_t offset = 0;
  std::size_t bias_offset = 0;
  const auto add = [&](std::size_t start, std::size_t width, std::size_t stored) {
    panels.push_back({start, width, stored, offset, bias_offset});
    offset += k * width;
    bias_offset += width;
  };
  for (; column + 2 * lanes <= columns; column += 2 * lanes) add(column, 2 * lanes, 2 * lanes);
  const std::size_t rest = columns - column;
  const std::size_t half = HalfLanes(lanes);
  // The last `width` columns, or all of them where there are fewer.
  const auto add_last = [&](std::size_t width) {
    add(columns - std::min(width, columns), width, std::min(width, columns));
  };
  if (rest == 0) return panels;
  if (rest <= half) {
    add_last(half);
  } else if (rest <= lanes) {
    add_last(lanes);
  } else if (rest <= lanes + half || columns < 2 * lanes) {
    add(column, lanes, lanes);
    add_last(rest <= lanes + half ? half : lanes);
  } else {
    add_last(2 * lanes);
  }
  return panels;
}

}  // namespace

PackedMatrix Pack(const float* matrix, const float* bias, std::size_t k, std::size_t columns,
                  std::size_t lanes) {
  PackedMatrix packed;
  packed.k = k;
  packed.columns = columns;
  packed.panels = PanelsFor(k, columns, lanes);
  const Panel& last = packed.panels.back();
  packed.values.assign(last.offset + k * last.width, 0);
  packed.bias.assign(last.bias_offset + last.width, 0);
  for (const Panel& panel : packed.panels) {
    for (std::size_t row = 0; row < k; ++row) {
      std::copy_n(matrix + row * columns + panel.column, panel.stored,
                  packed.values.data() + panel.offset + row * panel.width);
    }
    std::copy_n(bias + panel.column, panel.stored, packed.bias.data() + panel.bias_offset);
  }
  return packed;
}

}  // namespace mobilenet
