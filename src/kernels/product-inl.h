// The matrix product: C = clamp(A B + bias), A row-major, B packed. Compiled once for each target.
//
// A tile of C stays in registers for the whole sum over k: kRows x 2 vectors of accumulators, beside the
// factors (kernels/tile-inl.h). That makes 14 x 2 of AVX-512's 32 registers, 6 x 2 of the 16 of AVX2 and
// SSE4, 8 x 2 of NEON's 32, and no fewer independent sums than the latency of a multiply-add times the number
// of units (4 x 2; 4 x 4 on large Arm cores) needs.
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

#include "base/bytes.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/clamp-inl.h"
#include "kernels/kernels.h"
#include "kernels/lanes-inl.h"
#include "kernels/sixteen_bits-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;

// The rows of A are reached from every third row's pointer with x86's scaled index (+ 0, 1 or 2 strides):
// fourteen pointers would not fit in the general registers.
constexpr std::size_t kRowsAPointer = 3;

template <std::size_t kVectors, class D>
HWY_INLINE void StoreRow(D d, const hn::Vec<D> (&sum)[kVectors], Range range, float* c) {
  const auto low = hn::Set(d, range.low);
  const auto high = hn::Set(d, range.high);
  HWY_UNROLL(4)
  for (std::size_t v = 0; v < kVectors; ++v) {
    hn::StoreU(Clamped(d, sum[v], low, high), d, c + v * hn::Lanes(d));
  }
}

#if HWY_TARGET == HWY_AVX3
// Value i is that of `from[i]`. (Highway's own checks its indices in debug builds, for which it needs a
// library.)
HWY_INLINE V Permuted(V v, const std::int32_t (&from)[16]) {
  return V{_mm512_permutexvar_ps(_mm512_load_si512(from), v.raw)};
}
#endif

struct TileTask {
  const std::byte* a;
  std::size_t a_stride;
  std::size_t segments;
  std::size_t segment_pitch;
  std::size_t segment_k;  // values of a row in one segment; the last may have fewer
  std::size_t k;          // in all of them
  const float* b;         // a panel
  const float* bias;
  Range range;
  float* c;
  std::size_t c_stride;
  // What will be read next, and by how many bytes to go on for each k: brought closer meanwhile.
  const char* prefetch;
  std::size_t prefetch_step;
};

// One tile: kRows rows of C, kVectors registers of D of columns. Sums of half precision are added to C after
// each segment.
template <Arithmetic kHow, class D, std::size_t kRows, std::size_t kVectors>
HWY_NOINLINE void Tile(const TileTask& task) {
  constexpr bool kF16 = kHow == Arithmetic::kF16Pairs;
  constexpr std::size_t kStep = kHow == Arithmetic::kBf16Widened || kHow == Arithmetic::kTwoRows ? 2 : 1;
  using Vector = hn::Vec<D>;
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t a_stride = task.a_stride;
  constexpr std::size_t kPointers = (kRows + kRowsAPointer - 1) / kRowsAPointer;

  Vector sum[kRows][kVectors];
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kVectors; ++v)
      sum[r][v] = kF16 ? hn::Zero(d) : hn::LoadU(d, task.bias + v * lanes);
  }
  const float* HWY_RESTRICT b = task.b;
  [[maybe_unused]] const char* prefetch = task.prefetch;
  for (std::size_t segment = 0; segment < task.segments; ++segment) {
    const std::byte* rows[kPointers];
    HWY_UNROLL(16)
    for (std::size_t p = 0; p < kPointers; ++p) {
      rows[p] = task.a + segment * task.segment_pitch + p * kRowsAPointer * a_stride;
    }
    // (Where all are equal the compiler must not be given more to keep: it would spill weights for it.)
    const std::size_t count =
        kF16 ? std::min(task.segment_k, task.k - segment * task.segment_k) : task.segment_k;
    std::size_t i = 0;
#if HWY_TARGET == HWY_NEON
    if constexpr (kByLanes<kHow, D, kVectors>) {
      constexpr std::size_t kAtOnce = 4 / kStep;
      for (; i + kAtOnce <= count; i += kAtOnce) {
        AddLanes<kHow, 4>(rows[0], a_stride, b, sum);
        rows[0] += 4 * sizeof(float);
        b += kAtOnce * kVectors * lanes;
      }
      for (; kF16 && i < count; ++i) {
        AddLanes<kHow, 1>(rows[0], a_stride, b, sum);
        rows[0] += sizeof(float);
        b += kVectors * lanes;
      }
      HWY_UNROLL(16)
      for (std::size_t p = 1; p < kPointers; ++p) rows[p] = rows[0] + p * kRowsAPointer * a_stride;
    }
#endif
    for (; i < count; ++i) {
      if constexpr (kVectors == 2) {  // narrow panels are small
        hwy::Prefetch(prefetch);
        prefetch += task.prefetch_step;
      }
      Vector weight[kVectors];
      HWY_UNROLL(4)
      for (std::size_t v = 0; v < kVectors; ++v) weight[v] = hn::LoadU(d, b + v * lanes);
      b += kVectors * lanes;
      // The rows' values from `at` on, times `factor`.
      const auto add = [&](std::size_t at, const Vector(&factor)[kVectors]) HWY_ATTR {
        HWY_UNROLL(16)
        for (std::size_t r = 0; r < kRows; ++r) {
          const Vector value = Broadcast<kHow>(
              d, rows[r / kRowsAPointer] + (r % kRowsAPointer) * a_stride + at * sizeof(float));
          HWY_UNROLL(4)
          for (std::size_t v = 0; v < kVectors; ++v)
            sum[r][v] = MultiplyAdd<kHow>(d, value, factor[v], sum[r][v]);
        }
      };
      if constexpr (kHow == Arithmetic::kBf16Widened) {
        Vector even[kVectors];
        Vector odd[kVectors];
        HWY_UNROLL(4)
        for (std::size_t v = 0; v < kVectors; ++v) {
          even[v] = FirstBf16(d, weight[v]);
          odd[v] = SecondBf16(d, weight[v]);
        }
        add(0, even);
        add(1, odd);
      } else {
        add(0, weight);
      }
      HWY_UNROLL(16)
      for (std::size_t p = 0; p < kPointers; ++p) rows[p] += kStep * sizeof(float);
    }
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
    if constexpr (kF16) {
      const Range range = segment + 1 == task.segments ? task.range : kWholeRange;
      HWY_UNROLL(16)
      for (std::size_t r = 0; r < kRows; ++r) {
        float* c = AddBytes(task.c, r * task.c_stride);
        const float* before = segment == 0 ? task.bias : c;
        Vector even[kVectors];
        Vector odd[kVectors];
        SplitSums(d, sum[r], even, odd);
        HWY_UNROLL(4)
        for (std::size_t v = 0; v < kVectors; ++v)
          sum[r][v] = hn::Add(hn::Add(even[v], odd[v]), hn::LoadU(d, before + v * lanes));
        StoreRow<kVectors>(d, sum[r], range, c);
        HWY_UNROLL(4)
        for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
      }
    }
#endif
  }
#if HWY_TARGET == HWY_AVX3
  if constexpr (kHow == Arithmetic::kTwoRows) {  // one behind the other
    HWY_ALIGN static constexpr std::int32_t kApart[16] = {0, 2, 4, 6, 8, 10, 12, 14,
                                                          1, 3, 5, 7, 9, 11, 13, 15};
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kRows; ++r) sum[r][0] = Permuted(sum[r][0], kApart);
  }
#endif
  if constexpr (!kF16) {
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kRows; ++r)
      StoreRow<kVectors>(d, sum[r], task.range, AddBytes(task.c, r * task.c_stride));
  }
}

using TileFunction = void (*)(const TileTask&);

// Tile functions by their number of rows less one.
template <Arithmetic kHow, class D, std::size_t kVectors, std::size_t... kRows>
constexpr std::array<TileFunction, sizeof...(kRows)> TilesFor(std::index_sequence<kRows...>) {
  return {&Tile<kHow, D, kRows + 1, kVectors>...};
}

using HalfF = hn::CappedTag<float, HalfLanes(hn::MaxLanes(F()))>;

template <Arithmetic kHow, class D, std::size_t kVectors>
constexpr auto kTiles = TilesFor<kHow, D, kVectors>(std::make_index_sequence<kTileRows>());

// Fewer columns than the panel is wide: the tile goes to a buffer first, since its store is whole registers.
HWY_NOINLINE void NarrowTile(TileFunction function, TileTask tile, const Panel& panel, std::size_t rows) {
  HWY_ALIGN float buffer[kTileRows * hn::MaxLanes(F())];
  float* c = std::exchange(tile.c, buffer);
  const std::size_t c_stride = std::exchange(tile.c_stride, panel.width * sizeof(float));
  function(tile);
  for (std::size_t r = 0; r < rows; ++r)
    std::copy_n(buffer + r * panel.width, panel.stored, AddBytes(c, r * c_stride));
}

// A single row (the classifier of one image) has too few sums in one panel to hide the latency of a
// multiply-add: four panels go at once. This is bound by reading B.
template <Arithmetic kHow>
HWY_NOINLINE void FourPanels(const ProductTask& task, std::size_t panel) {
  const F d;
  const std::size_t lanes = hn::Lanes(d);
  const PackedMatrix& matrix = *task.b;
  const std::byte* a = static_cast<const std::byte*>(task.a);
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
    HWY_UNROLL(4)
    for (std::size_t p = 0; p < 4; ++p) {
      HWY_UNROLL(2)
      for (std::size_t v = 0; v < 2; ++v) {
        const V weight = hn::LoadU(d, b[p] + (2 * i + v) * lanes);
        if constexpr (kHow == Arithmetic::kBf16Widened) {
          sum[p][v] =
              hn::MulAdd(Broadcast<kHow>(d, a + 2 * i * sizeof(float)), FirstBf16(d, weight), sum[p][v]);
          sum[p][v] = hn::MulAdd(Broadcast<kHow>(d, a + (2 * i + 1) * sizeof(float)), SecondBf16(d, weight),
                                 sum[p][v]);
        } else {
          sum[p][v] = MultiplyAdd<kHow>(d, Broadcast<kHow>(d, a + i * sizeof(float)), weight, sum[p][v]);
        }
      }
    }
  }
  HWY_UNROLL(4)
  for (std::size_t p = 0; p < 4; ++p) {
    StoreRow<2>(d, sum[p], task.range, task.c + matrix.panels[panel + p].column);
  }
}

// A panel is read again by every tile, so only its first reading can miss the cache. With few tiles that is
// much of the time: meanwhile each brings its share of the next panel.
constexpr std::size_t kFewTiles = 8;

// How rows are cut into tiles: as few as possible, and of nearly equal height, since a tile of few rows reads
// B for little work (49 rows are 13 + 12 + 12 + 12, not 14 + 14 + 14 + 7).
struct Heights {
  explicit Heights(std::size_t rows)
      : tiles((rows + kTileRows - 1) / kTileRows), height(rows / tiles), higher(rows % tiles) {}
  [[nodiscard]] std::size_t Of(std::size_t tile) const { return height + (tile < higher ? 1 : 0); }

  std::size_t tiles;
  std::size_t height;
  std::size_t higher;  // so many tiles have a row more
};

TileTask FirstTile(const ProductTask& task) {
  const PackedMatrix& b = *task.b;
  return {.a = static_cast<const std::byte*>(task.a),
          .a_stride = task.a_stride,
          .segments = task.segments,
          .segment_pitch = task.segment_pitch,
          .segment_k = b.k / task.segments,
          .k = b.k,
          .b = b.values.data(),
          .bias = b.bias.data(),
          .range = task.range,
          .c = task.c,
          .c_stride = task.c_stride,
          .prefetch = nullptr,
          .prefetch_step = 0};
}

#if HWY_TARGET == HWY_AVX3
void ProductOfTwo(const ProductTask& task) {
  const Heights heights(task.rows);
  TileTask tile = FirstTile(task);
  for (std::size_t t = 0; t < heights.tiles; ++t) {
    const std::size_t rows = heights.Of(t);
    kTiles<Arithmetic::kTwoRows, F, 1>[rows - 1](tile);
    tile.a += rows * task.a_stride;
    tile.c = AddBytes(tile.c, rows * task.c_stride);
  }
}

void Alternate(const float* a, const float* b, std::size_t n, float* to) {
  const F d;
  const hn::Half<F> half;
  HWY_ALIGN static constexpr std::int32_t kTogether[16] = {0, 8,  1, 9,  2, 10, 3, 11,
                                                           4, 12, 5, 13, 6, 14, 7, 15};

  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const auto both = hn::Combine(d, hn::LoadU(half, b + i), hn::LoadU(half, a + i));
    hn::StoreU(Permuted(both, kTogether), d, to + 2 * i);
  }
  for (; i < n; ++i) {
    to[2 * i] = a[i];
    to[2 * i + 1] = b[i];
  }
}
#endif

template <Arithmetic kHow>
void Product(const ProductTask& task) {
  const std::size_t lanes = hn::Lanes(F());
  const PackedMatrix& b = *task.b;
  const Heights heights(task.rows);
  TileTask tile = FirstTile(task);
  if constexpr (kHow == Arithmetic::kF16Pairs) {  // runs of equal length
    tile.segments = (b.k + kF16Run - 1) / kF16Run;
    tile.segment_k = (b.k + tile.segments - 1) / tile.segments;
    tile.segment_pitch = tile.segment_k * sizeof(float);
  }
  for (std::size_t p = task.first_panel; p < task.last_panel; ++p) {
    const Panel& panel = b.panels[p];
    if constexpr (kHow != Arithmetic::kF16Pairs) {
      if (task.rows == 1 && task.segments == 1 && p + 4 <= task.last_panel &&
          b.panels[p + 3].width == 2 * lanes) {
        FourPanels<kHow>(task, p);
        p += 3;
        continue;
      }
    }
    const auto& functions = panel.width == 2 * lanes ? kTiles<kHow, F, 2>
                            : panel.width == lanes   ? kTiles<kHow, F, 1>
                                                     : kTiles<kHow, HalfF, 1>;
    tile.a = static_cast<const std::byte*>(task.a);
    tile.b = b.values.data() + panel.offset;
    tile.bias = b.bias.data() + panel.bias_offset;
    tile.c = task.c + panel.column;
    tile.prefetch = reinterpret_cast<const char*>(tile.b);
    tile.prefetch_step = 0;
    std::size_t prefetch_share = 0;
    if (heights.tiles <= kFewTiles && p + 1 < task.last_panel) {
      const std::size_t bytes = b.k * panel.width * sizeof(float);
      tile.prefetch += bytes;
      tile.prefetch_step = panel.width * sizeof(float) / heights.tiles;
      prefetch_share = bytes / heights.tiles;
    }
    for (std::size_t t = 0; t < heights.tiles; ++t) {
      const std::size_t rows = heights.Of(t);
      if (panel.stored < panel.width) {
        NarrowTile(functions[rows - 1], tile, panel, rows);
      } else {
        functions[rows - 1](tile);
      }
      tile.a += rows * task.a_stride;
      tile.c = AddBytes(tile.c, rows * task.c_stride);
      tile.prefetch += prefetch_share;
    }
  }
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
