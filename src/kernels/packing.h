// How a weight matrix lies in memory for the product: panels of columns, each panel row after row.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/aligned.h"

namespace mobilenet {

// Columns [column, column + width) of a matrix of k rows, at `offset` in PackedMatrix::values as [k][width].
// `stored` < width where the matrix has fewer columns than a register has lanes: the rest are zeros.
struct Panel {
  std::size_t column;
  std::size_t width;
  std::size_t stored;
  std::size_t offset;
  std::size_t bias_offset;
};

// A [k, columns] matrix in panels of 2 * lanes columns. What remains goes to panels of lanes or
// HalfLanes(lanes) columns, of which the last overlaps the one before it where it must, so that every panel
// is full and no store needs a mask: the shared columns are computed twice, to the same values.
struct PackedMatrix {
  std::size_t k = 0;
  std::size_t columns = 0;
  std::vector<Panel> panels;
  AlignedVector<float> values;
  AlignedVector<float> bias;  // for each panel in turn, `width` floats

  // How many runs of panels share no column, so that different threads may write them: the last two panels
  // are one run where they overlap.
  [[nodiscard]] std::size_t runs() const {
    const std::size_t n = panels.size();
    const bool overlap = n > 1 && panels[n - 2].column + panels[n - 2].width > panels[n - 1].column;
    return overlap ? n - 1 : n;
  }
};

// Columns of the narrowest panels: half a register, or one value where a register holds four or fewer.
constexpr std::size_t HalfLanes(std::size_t lanes) { return lanes >= 8 ? lanes / 2 : 1; }

// Packs a matrix as Pack does, but with weights of bfloat16: the rows 2 i and 2 i + 1 lie together, column by
// column, as the pairs that dot products take, so that the packed matrix has PairsOf(k) rows of 32-bit pairs.
// A missing last row is zeros.
PackedMatrix PackBf16(const float* matrix, const float* bias, std::size_t k, std::size_t columns,
                      std::size_t lanes, const std::shared_ptr<Slab>& slab = nullptr);

// The same in half precision; what is too large for it becomes the largest number that it has.
PackedMatrix PackF16(const float* matrix, const float* bias, std::size_t k, std::size_t columns,
                     std::size_t lanes, const std::shared_ptr<Slab>& slab = nullptr);

// Packs a row-major [k, columns] matrix and its bias of `columns` values, into memory of `slab` where there
// is one.
PackedMatrix Pack(const float* matrix, const float* bias, std::size_t k, std::size_t columns,
                  std::size_t lanes, const std::shared_ptr<Slab>& slab = nullptr);

// Rows of 32-bit pairs that `rows` rows of 16 bits make.
constexpr std::size_t PairsOf(std::size_t rows) { return (rows + 1) / 2; }

// Panels for a [k, columns] matrix, full of zeros, for Refill; with PairsOf(k) for k, for RefillBf16.
PackedMatrix EmptyPanels(std::size_t k, std::size_t columns, std::size_t lanes);

// Packs a [k, columns] matrix into panels made for that shape; element (i, j) is matrix[i * row_stride + j *
// column_stride], so that a transposed matrix packs like any other. The bias stays.
void Refill(const float* matrix, std::size_t row_stride, std::size_t column_stride, PackedMatrix& packed);

// The same for a [k, columns] matrix as PackBf16 packs it.
void RefillBf16(const float* matrix, std::size_t k, std::size_t row_stride, std::size_t column_stride,
                PackedMatrix& packed);

}  // namespace mobilenet
