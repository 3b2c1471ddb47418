#include "kernels/packing.h"

#include <algorithm>
#include <cstring>

#include "base/bfloat16.h"
#include "base/float16.h"

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

// Panels, and zeros for values and bias.
PackedMatrix Zeros(std::size_t k, std::size_t columns, std::size_t lanes, const std::shared_ptr<Slab>& slab) {
  PackedMatrix packed;
  packed.k = k;
  packed.columns = columns;
  packed.panels = PanelsFor(k, columns, lanes);
  const Panel& last = packed.panels.back();
  const CacheLineAllocator<float> allocator(slab);
  packed.values = AlignedVector<float>(last.offset + k * last.width, 0, allocator);
  packed.bias = AlignedVector<float>(last.bias_offset + last.width, 0, allocator);
  return packed;
}

void SetBias(const float* bias, PackedMatrix& packed) {
  for (const Panel& panel : packed.panels) {
    std::copy_n(bias + panel.column, panel.stored, packed.bias.data() + panel.bias_offset);
  }
}

// `round` makes 16 bits of a float.
template <typename Round>
void RefillPairs(const float* matrix, std::size_t k, std::size_t row_stride, std::size_t column_stride,
                 const Round& round, PackedMatrix& packed) {
  for (const Panel& panel : packed.panels) {
    const float* from = matrix + panel.column * column_stride;
    const auto set = [&](std::size_t row, std::size_t j, float* to) {
      const float* at = from + row * row_stride + j * column_stride;
      const std::uint32_t low = round(*at);
      const std::uint32_t high = row + 1 < k ? round(at[row_stride]) : 0;
      const std::uint32_t pair = low | high << 16;
      std::memcpy(to + row / 2 * panel.width + j, &pair, sizeof(pair));
    };
    float* to = packed.values.data() + panel.offset;
    if (column_stride == 1) {
      for (std::size_t row = 0; row < k; row += 2) {
        for (std::size_t j = 0; j < panel.stored; ++j) set(row, j, to);
      }
    } else {  // transposed: a column of the matrix after the other
      for (std::size_t j = 0; j < panel.stored; ++j) {
        for (std::size_t row = 0; row < k; row += 2) set(row, j, to);
      }
    }
  }
}

template <typename Round>
PackedMatrix PackPairs(const float* matrix, const float* bias, std::size_t k, std::size_t columns,
                       std::size_t lanes, const Round& round, const std::shared_ptr<Slab>& slab) {
  PackedMatrix packed = Zeros(PairsOf(k), columns, lanes, slab);
  SetBias(bias, packed);
  RefillPairs(matrix, k, columns, 1, round, packed);
  return packed;
}

constexpr auto kToBf16 = [](float value) { return RoundToBf16(value); };
constexpr auto kToF16 = [](float value) { return RoundToF16(value); };

}  // namespace

PackedMatrix Pack(const float* matrix, const float* bias, std::size_t k, std::size_t columns,
                  std::size_t lanes, const std::shared_ptr<Slab>& slab) {
  PackedMatrix packed = Zeros(k, columns, lanes, slab);
  SetBias(bias, packed);
  Refill(matrix, columns, 1, packed);
  return packed;
}

PackedMatrix EmptyPanels(std::size_t k, std::size_t columns, std::size_t lanes) {
  return Zeros(k, columns, lanes, nullptr);
}

void Refill(const float* matrix, std::size_t row_stride, std::size_t column_stride, PackedMatrix& packed) {
  for (const Panel& panel : packed.panels) {
    float* to = packed.values.data() + panel.offset;
    const float* from = matrix + panel.column * column_stride;
    if (column_stride == 1) {
      for (std::size_t row = 0; row < packed.k; ++row)
        std::copy_n(from + row * row_stride, panel.stored, to + row * panel.width);
      continue;
    }
    // A column of the matrix after the other: transposed, those are its rows.
    for (std::size_t j = 0; j < panel.stored; ++j) {
      for (std::size_t row = 0; row < packed.k; ++row)
        to[row * panel.width + j] = from[j * column_stride + row * row_stride];
    }
  }
}

void RefillBf16(const float* matrix, std::size_t k, std::size_t row_stride, std::size_t column_stride,
                PackedMatrix& packed) {
  RefillPairs(matrix, k, row_stride, column_stride, kToBf16, packed);
}

PackedMatrix PackBf16(const float* matrix, const float* bias, std::size_t k, std::size_t columns,
                      std::size_t lanes, const std::shared_ptr<Slab>& slab) {
  return PackPairs(matrix, bias, k, columns, lanes, kToBf16, slab);
}

PackedMatrix PackF16(const float* matrix, const float* bias, std::size_t k, std::size_t columns,
                     std::size_t lanes, const std::shared_ptr<Slab>& slab) {
  return PackPairs(matrix, bias, k, columns, lanes, kToF16, slab);
}

}  // namespace mobilenet
