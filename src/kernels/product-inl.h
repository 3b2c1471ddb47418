// The matrix product: C = clamp(A B + bias), A row-major, B packed. Compiled once for each target.
//
// A tile of C stays in registers for the whole sum over k: kRows x 2 vectors of accumulators, two registers
// for B, one for the value of A that is broadcast. That makes 14 x 2 of AVX-512's 32 registers, 6 x 2 of the
// 16 of AVX2 and SSE4, 12 x 2 of NEON's 32, and far more independent sums than the latency of a multiply-add
// times the number of units (4 x 2) needs.
#if defined(MOBILENET_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_PRODUCT_INL_H
#undef MOBILENET_PRODUCT_INL_H
#else
#define MOBILENET_PRODUCT_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "hwy/highway.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3
constexpr std::size_t kTileRows = 14;
#elif HWY_TARGET == HWY_NEON
constexpr std::size_t kTileRows = 12;
#else
constexpr std::size_t kTileRows = 6;
#endif

using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;

// The rows of A are reached from every third row's pointer with x86's scaled index (+ 0, 1 or 2 strides):
// fourteen pointers would not fit in the general registers.
constexpr std::size_t kRowsAPointer = 3;

template <std::size_t kVectors>
HWY_INLINE void StoreRow(F d, const V (&sum)[kVectors], Range range, float* c) {
  const V low = hn::Set(d, range.low);
  const V high = hn::Set(d, range.high);
  HWY_UNROLL(4)
  for (std::size_t v = 0; v < kVectors; ++v) {
    hn::StoreU(hn::Min(hn::Max(sum[v], low), high), d, c + v * hn::Lanes(d));
  }
}

// One tile: kRows rows of C, kVectors registers of columns. `b` is a panel of that width.
template <std::size_t kRows, std::size_t kVectors>
HWY_NOINLINE void Tile(const float* HWY_RESTRICT a, std::size_t a_stride, const float* HWY_RESTRICT b,
                       const float* HWY_RESTRICT bias, std::size_t k, Range range, float* HWY_RESTRICT c,
                       std::size_t c_stride) {
  const F d;
  const std::size_t lanes = hn::Lanes(d);
  constexpr std::size_t kPointers = (kRows + kRowsAPointer - 1) / kRowsAPointer;
  const float* rows[kPointers];
  HWY_UNROLL(16)
  for (std::size_t p = 0; p < kPointers; ++p) rows[p] = a + p * kRowsAPointer * a_stride;

  V sum[kRows][kVectors];
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::LoadU(d, bias + v * lanes);
  }
  for (std::size_t i = 0; i < k; ++i) {
    V weight[kVectors];
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kVectors; ++v) weight[v] = hn::LoadU(d, b + v * lanes);
    b += kVectors * lanes;
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kRows; ++r) {
      const V value = hn::Set(d, rows[r / kRowsAPointer][(r % kRowsAPointer) * a_stride]);
      HWY_UNROLL(4)
      for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(value, weight[v], sum[r][v]);
    }
    HWY_UNROLL(16)
    for (std::size_t p = 0; p < kPointers; ++p) ++rows[p];
  }
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) StoreRow<kVectors>(d, sum[r], range, c + r * c_stride);
}

using TileFunction = void (*)(const float*, std::size_t, const float*, const float*, std::size_t, Range,
                              float*, std::size_t);

template <std::size_t kVectors, std::size_t... kRows>
constexpr std::array<TileFunction, sizeof...(kRows)> TilesFor(std::index_sequence<kRows...>) {
  return {&Tile<kRows + 1, kVectors>...};
}

// A tile function by its number of rows less one.
constexpr auto kOneVectorTiles = TilesFor<1>(std::make_index_sequence<kTileRows>());
constexpr auto kTwoVectorTiles = TilesFor<2>(std::make_index_sequence<kTileRows>());

// Fewer columns than a register has lanes: the tile goes to a buffer first, since its store is a whole
// register.
HWY_NOINLINE void NarrowTile(const ProductTask& task, const Panel& panel, std::size_t row, std::size_t rows) {
  HWY_ALIGN float buffer[kTileRows * hn::MaxLanes(F())];
  const PackedMatrix& b = *task.b;
  kOneVectorTiles[rows - 1](task.a + row * task.a_stride, task.a_stride, b.values.data() + panel.offset,
                            b.bias.data() + panel.bias_offset, b.k, task.range, buffer, panel.width);
  float* c = task.c + row * task.c_stride + panel.column;
  for (std::size_t r = 0; r < rows; ++r) {
    const float* from = buffer + r * panel.width;
    float* to = c + r * task.c_stride;
    std::size_t j = 0;
    const hn::CappedTag<float, 4> d4;
    for (; j + hn::Lanes(d4) <= panel.stored; j += hn::Lanes(d4))
      hn::StoreU(hn::LoadU(d4, from + j), d4, to + j);
    for (; j < panel.stored; ++j) to[j] = from[j];
  }
}

// A single row (the classifier of one image) has too few sums in one panel to hide the latency of a
// multiply-add: four panels go at once. This is bound by reading B.
HWY_NOINLINE void FourPanels(const ProductTask& task, std::size_t panel) {
  const F d;
  const std::size_t lanes = hn::Lanes(d);
  const PackedMatrix& matrix = *task.b;
  const float* b[4];
  V sum[4][2];
  HWY_UNROLL(4)
  for (std::size_t p = 0; p < 4; ++p) {
    b[p] = matrix.values.data() + matrix.panels[panel + p].offset;
    const float* bias = matrix.bias.data() + matrix.panels[panel + p].bias_offset;
    sum[p][0] = hn::LoadU(d, bias);
    sum[p][1] = hn::LoadU(d, bias + lanes);
  }
  for (std::size_t i = 0; i < matrix.k; ++i) {
    const V value = hn::Set(d, task.a[i]);
    HWY_UNROLL(4)
    for (std::size_t p = 0; p < 4; ++p) {
      sum[p][0] = hn::MulAdd(value, hn::LoadU(d, b[p] + i * 2 * lanes), sum[p][0]);
      sum[p][1] = hn::MulAdd(value, hn::LoadU(d, b[p] + i * 2 * lanes + lanes), sum[p][1]);
    }
  }
  HWY_UNROLL(4)
  for (std::size_t p = 0; p < 4; ++p) {
    StoreRow<2>(d, sum[p], task.range, task.c + matrix.panels[panel + p].column);
  }
}

// How rows are cut into tiles: as few as possible, and of nearly equal height, since a tile of few rows reads
// B for little work (49 rows are 13 + 12 + 12 + 12, not 14 + 14 + 14 + 7).
void Product(const ProductTask& task) {
  const std::size_t lanes = hn::Lanes(F());
  const PackedMatrix& b = *task.b;
  const std::size_t tiles = (task.rows + kTileRows - 1) / kTileRows;
  for (std::size_t p = task.first_panel; p < task.last_panel; ++p) {
    const Panel& panel = b.panels[p];
    if (task.rows == 1 && p + 4 <= task.last_panel && b.panels[p + 3].width == 2 * lanes) {
      FourPanels(task, p);
      p += 3;
      continue;
    }
    std::size_t row = 0;
    for (std::size_t t = 0; t < tiles; ++t) {
      const std::size_t rows = (task.rows - row + tiles - t - 1) / (tiles - t);
      if (panel.stored < panel.width) {
        NarrowTile(task, panel, row, rows);
      } else {
        const auto& functions = panel.width == lanes ? kOneVectorTiles : kTwoVectorTiles;
        functions[rows - 1](task.a + row * task.a_stride, task.a_stride, b.values.data() + panel.offset,
                            b.bias.data() + panel.bias_offset, b.k, task.range,
                            task.c + row * task.c_stride + panel.column, task.c_stride);
      }
      row += rows;
    }
  }
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
