// Depthwise convolution with windows of 5x5, in tiles of neighbouring output pixels. Compiled once for each
// target.
//
// For each row of the window its five weights stay in registers, beside the sums of up to 14 pixels, while
// the row's columns pass: each is loaded once for all the pixels of the tile that it belongs to. Zeros stand
// in for columns that don't exist, so that small maps, whose windows nearly all hang over an edge, take the
// same loop. (To branch around them instead made GCC keep the sums in memory.)
#if defined(MOBILENET_DEPTHWISE_TILES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_DEPTHWISE_TILES_INL_H
#undef MOBILENET_DEPTHWISE_TILES_INL_H
#else
#define MOBILENET_DEPTHWISE_TILES_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include "hwy/highway.h"
#include "kernels/depthwise_pixels-inl.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sums, five weights and a column take 20 of AVX-512's and NEON's 32 registers, 13 of the 16 of others.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kTilePixels = 14;
#else
constexpr int kTilePixels = 7;
#endif

// Adds the column `column` of a row under a tile to the pixels whose windows have it.
template <int kKernel, int kStride, int kPixels, class V>
HWY_INLINE void AddTileColumn(int column, V values, const V (&weight)[kKernel], V (&sum)[kPixels]) {
  HWY_UNROLL(7)
  for (int tap = 0; tap < kKernel; ++tap) {
    const int pixel = (column - tap) / kStride;
    if (column >= tap && (column - tap) % kStride == 0 && pixel < kPixels)
      sum[pixel] = hn::MulAdd(values, weight[tap], sum[pixel]);
  }
}

// What is read in place of columns that don't exist.
HWY_ALIGN inline constexpr float kZeros[hn::MaxLanes(F())] = {};

// kPixels neighbouring output pixels from `x` on, one register of channels from `c` on. With kInside all
// their columns exist.
template <int kKernel, int kStride, int kPixels, bool kInside, class D>
HWY_INLINE void DepthwiseTile(D d, const DepthwiseTask& task, int x, std::size_t c) {
  using Vector = hn::Vec<D>;
  constexpr int kColumns = (kPixels - 1) * kStride + kKernel;
  const auto pitch = static_cast<std::ptrdiff_t>(task.input_pitch);
  const int left = x * kStride - task.padding_left;
  const auto width = static_cast<unsigned>(task.width);
  const auto bias = hn::LoadU(d, task.bias + c);
  Vector sum[kPixels];
  HWY_UNROLL(14)
  for (int i = 0; i < kPixels; ++i) sum[i] = bias;
  for (int r = 0; r < task.rows; ++r) {
    Vector weight[kKernel];
    HWY_UNROLL(7)
    for (int t = 0; t < kKernel; ++t) weight[t] = hn::LoadU(d, task.weight[r] + t * task.channels + c);
    const auto* from = reinterpret_cast<const std::byte*>(task.input[r] + c) + left * pitch;
    HWY_UNROLL(31)
    for (int column = 0; column < kColumns; ++column, from += pitch) {
      const bool exists = kInside || static_cast<unsigned>(left + column) < width;
      const auto* values = exists ? reinterpret_cast<const float*>(from) : kZeros;
      AddTileColumn<kKernel, kStride, kPixels>(column, hn::LoadU(d, values), weight, sum);
    }
  }
  HWY_UNROLL(14)
  for (int i = 0; i < kPixels; ++i) StorePixel(d, sum[i], task, x + i, c);
}

// All channels of the tiles of kPixels pixels from `x` on that end before `end`; returns the first pixel
// that is left.
template <int kKernel, int kStride, int kPixels, bool kInside, class D>
HWY_NOINLINE int DepthwiseTiles(D d, const DepthwiseTask& task, int x, int end) {
  const std::size_t lanes = hn::Lanes(d);
  for (; x + kPixels <= end; x += kPixels) {
    // The last register overlaps the one before it where the channels don't divide evenly.
    for (std::size_t c = 0; c < task.channels; c += lanes) {
      DepthwiseTile<kKernel, kStride, kPixels, kInside>(d, task, x, std::min(c, task.channels - lanes));
    }
  }
  return x;
}

template <int kKernel, int kStride, class D>
HWY_INLINE void DepthwiseTiledRow(D d, const DepthwiseTask& task) {
  const Inside inside = InsideOf(task);
  int x = task.x_begin;
  if (x < inside.begin) {
    const int end = std::min(x + kTilePixels, task.x_end);
    x = DepthwiseTiles<kKernel, kStride, kTilePixels, false>(d, task, x, end);
  }
  x = DepthwiseTiles<kKernel, kStride, kTilePixels, true>(d, task, x, inside.end);
  x = DepthwiseTiles<kKernel, kStride, kTilePixels, false>(d, task, x, task.x_end);
  if constexpr (kTilePixels > 7) x = DepthwiseTiles<kKernel, kStride, 7, false>(d, task, x, task.x_end);
  x = DepthwiseTiles<kKernel, kStride, 4, false>(d, task, x, task.x_end);
  x = DepthwiseTiles<kKernel, kStride, 2, false>(d, task, x, task.x_end);
  DepthwiseTiles<kKernel, kStride, 1, false>(d, task, x, task.x_end);
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
