// The matrix product: C = f(A B + bias), A row-major, B packed. Compiled once for each target.
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
#include "kernels/arithmetic-inl.h"
#include "kernels/clamp-inl.h"
#include "kernels/curve-inl.h"
#include "kernels/kernels.h"
#include "kernels/lanes-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;

// The rows of A are reached from every third row's pointer with x86's scaled index (+ 0, 1 or 2 strides):
// fourteen pointers would not fit in the general registers.
constexpr std::size_t kRowsAPointer = 3;

struct TileTask {
  const std::byte* a;
  std::size_t a_stride;
  std::size_t segments;
  std::size_t segment_pitch;
  std::size_t segment_k;  // rows of the panel for one segment
  const float* b;         // a panel
  const float* bias;
  std::size_t bias_stride;  // from row to row: 0, but where c's rows are their own bias
  Range range;
  float* c;
  std::size_t c_stride;
  const float* residual;
  std::size_t residual_stride;
  // What will be read next, and by how many bytes to go on for each k: brought closer meanwhile.
  const char* prefetch;
  std::size_t prefetch_step;
};

constexpr std::size_t PointersTo(std::size_t rows) { return (rows + kRowsAPointer - 1) / kRowsAPointer; }

// Adds a row of a panel times the values of A's rows that belong to it.
template <class How, class D, std::size_t kRows, std::size_t kVectors>
HWY_INLINE void AddRow(D d, const std::byte* const (&a)[PointersTo(kRows)], std::size_t a_stride,
                       const float* b, hn::Vec<D> (&sum)[kRows][kVectors]) {
  hn::Vec<D> weight[How::kParts][kVectors];
  HWY_UNROLL(4)
  for (std::size_t v = 0; v < kVectors; ++v) {
    const auto row = hn::LoadU(d, b + v * hn::Lanes(d));
    HWY_UNROLL(4)
    for (std::size_t part = 0; part < How::kParts; ++part) weight[part][v] = How::Weight(d, row, part);
  }
  HWY_UNROLL(4)
  for (std::size_t part = 0; part < How::kParts; ++part) {
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::byte* row = a[r / kRowsAPointer] + (r % kRowsAPointer) * a_stride;
      const auto value = How::Value(d, row + part * How::kPartBytes);
      HWY_UNROLL(4)
      for (std::size_t v = 0; v < kVectors; ++v)
        sum[r][v] = How::MultiplyAdd(d, value, weight[part][v], sum[r][v]);
    }
  }
}

template <class D, std::size_t kVectors>
HWY_INLINE void StoreRow(D d, hn::Vec<D> low, hn::Vec<D> high, const hn::Vec<D> (&sum)[kVectors], float* c) {
  HWY_UNROLL(4)
  for (std::size_t v = 0; v < kVectors; ++v)
    hn::StoreU(Clamped(d, sum[v], low, high), d, c + v * hn::Lanes(d));
}

template <class D, std::size_t kVectors>
HWY_INLINE void AddTo(D d, const float* residual, hn::Vec<D> (&sum)[kVectors]) {
  HWY_UNROLL(4)
  for (std::size_t v = 0; v < kVectors; ++v)
    sum[v] = hn::Add(sum[v], hn::LoadU(d, residual + v * hn::Lanes(d)));
}

// Kept out of the loop that stores, so that a range by itself costs what it did.
template <class D, std::size_t kRows, std::size_t kVectors>
HWY_INLINE void Bend(D d, Curve curve, hn::Vec<D> (&sum)[kRows][kVectors]) {
  if (curve == Curve::kStraight) return;
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = Curved(d, sum[r][v], curve);
  }
}

template <class How, class D, std::size_t kRows, std::size_t kVectors>
HWY_INLINE void StoreTile(D d, const TileTask& task, hn::Vec<D> (&sum)[kRows][kVectors]) {
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) How::Finish(d, AddBytes(task.bias, r * task.bias_stride), sum[r]);
  if (task.residual != nullptr) {
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kRows; ++r)
      AddTo(d, AddBytes(task.residual, r * task.residual_stride), sum[r]);
  }
  Bend(d, task.range.curve, sum);
  const auto low = hn::Set(d, task.range.low);
  const auto high = hn::Set(d, task.range.high);
  float* c = task.c;  // task is not read again between the stores
  const std::size_t c_stride = task.c_stride;
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) StoreRow(d, low, high, sum[r], AddBytes(c, r * c_stride));
}

// One tile: kRows rows of C, kVectors registers of D of columns.
template <class How, class D, std::size_t kRows, std::size_t kVectors>
HWY_NOINLINE void Tile(const TileTask& task) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t a_stride = task.a_stride;
  constexpr std::size_t kPointers = PointersTo(kRows);
  hn::Vec<D> sum[kRows][kVectors];
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = How::Begin(d, task.bias + v * lanes);
  }
  const float* b = task.b;
  [[maybe_unused]] const char* prefetch = task.prefetch;
  for (std::size_t segment = 0; segment < task.segments; ++segment) {
    const std::byte* a = task.a + segment * task.segment_pitch;
    std::size_t i = 0;
#if HWY_TARGET == HWY_NEON
    if constexpr (How::template kByLanes<D, kVectors>)
      i = AddByLanes<How>(task.segment_k, a_stride, a, b, sum);
#endif
    const std::byte* rows[kPointers];
    HWY_UNROLL(16)
    for (std::size_t p = 0; p < kPointers; ++p) rows[p] = a + p * kRowsAPointer * a_stride;
    for (; i < task.segment_k; ++i) {
      if constexpr (kVectors == 2) {  // narrow panels are small
        hwy::Prefetch(prefetch);
        prefetch += task.prefetch_step;
      }
      AddRow<How>(d, rows, a_stride, b, sum);
      b += kVectors * lanes;
      HWY_UNROLL(16)
      for (std::size_t p = 0; p < kPointers; ++p) rows[p] += How::kParts * How::kPartBytes;
    }
  }
  StoreTile<How>(d, task, sum);
}

using TileFunction = void (*)(const TileTask&);

// Tile functions by their number of rows less one.
template <class How, class D, std::size_t kVectors, std::size_t... kRows>
constexpr std::array<TileFunction, sizeof...(kRows)> TilesFor(std::index_sequence<kRows...>) {
  return {&Tile<How, D, kRows + 1, kVectors>...};
}

using HalfF = hn::CappedTag<float, HalfLanes(hn::MaxLanes(F()))>;

template <class How, class D, std::size_t kVectors>
constexpr auto kTiles = TilesFor<How, D, kVectors>(std::make_index_sequence<kTileRows>());

// Computes a tile of a panel. Where sums can't be long, those of runs of equal length are added up in c.
template <class How>
HWY_INLINE void CallTile(TileFunction function, const TileTask& tile, const Panel& panel) {
  if constexpr (!How::kInRuns) return function(tile);
  const std::size_t runs = (tile.segment_k + kF16Run - 1) / kF16Run;
  const std::size_t length = (tile.segment_k + runs - 1) / runs;
  TileTask run = tile;
  run.range = kWholeRange;
  run.residual = nullptr;
  for (std::size_t left = tile.segment_k; left > 0; left -= run.segment_k) {
    run.segment_k = std::min(length, left);
    if (run.segment_k == left) {
      run.range = tile.range;
      run.residual = tile.residual;
    }
    function(run);
    run.a += run.segment_k * How::kPartBytes;
    run.b += run.segment_k * panel.width;
    run.prefetch += run.segment_k * run.prefetch_step;
    run.bias = run.c;
    run.bias_stride = run.c_stride;
  }
}

// Fewer columns than the panel is wide: the tile goes to a buffer first, since its store is whole registers,
// and its residual comes from one.
template <class How>
HWY_NOINLINE void NarrowTile(TileFunction function, TileTask tile, const Panel& panel, std::size_t rows) {
  HWY_ALIGN float buffer[kTileRows * hn::MaxLanes(F())];
  HWY_ALIGN float residual[kTileRows * hn::MaxLanes(F())] = {};
  const std::size_t row_bytes = panel.width * sizeof(float);
  if (tile.residual != nullptr) {
    for (std::size_t r = 0; r < rows; ++r)
      std::copy_n(AddBytes(tile.residual, r * tile.residual_stride), panel.stored,
                  residual + r * panel.width);
    tile.residual = residual;
    tile.residual_stride = row_bytes;
  }
  float* c = std::exchange(tile.c, buffer);
  const std::size_t c_stride = std::exchange(tile.c_stride, row_bytes);
  CallTile<How>(function, tile, panel);
  for (std::size_t r = 0; r < rows; ++r)
    std::copy_n(buffer + r * panel.width, panel.stored, AddBytes(c, r * c_stride));
}

// A single row (the classifier of one image) has too few sums in one panel to hide the latency of a
// multiply-add: four panels go at once. This is bound by reading B.
template <class How>
HWY_NOINLINE void FourPanels(const ProductTask& task, std::size_t panel) {
  const F d;
  const std::size_t lanes = hn::Lanes(d);
  const PackedMatrix& matrix = *task.b;
  const auto* a = static_cast<const std::byte*>(task.a);
  const float* b[4];
  V sum[4][2];
  HWY_UNROLL(4)
  for (std::size_t p = 0; p < 4; ++p) {
    b[p] = matrix.values.data() + matrix.panels[panel + p].offset;
    const float* bias = matrix.bias.data() + matrix.panels[panel + p].bias_offset;
    sum[p][0] = How::Begin(d, bias);
    sum[p][1] = How::Begin(d, bias + lanes);
  }
  for (std::size_t i = 0; i < matrix.k; ++i) {
    HWY_UNROLL(4)
    for (std::size_t p = 0; p < 4; ++p) {
      HWY_UNROLL(2)
      for (std::size_t v = 0; v < 2; ++v) {
        const V row = hn::LoadU(d, b[p] + (2 * i + v) * lanes);
        HWY_UNROLL(4)
        for (std::size_t part = 0; part < How::kParts; ++part) {
          const V value = How::Value(d, a + (i * How::kParts + part) * How::kPartBytes);
          sum[p][v] = How::MultiplyAdd(d, value, How::Weight(d, row, part), sum[p][v]);
        }
      }
    }
  }
  const V low = hn::Set(d, task.range.low);
  const V high = hn::Set(d, task.range.high);
  HWY_UNROLL(4)
  for (std::size_t p = 0; p < 4; ++p) {
    const Panel& at = matrix.panels[panel + p];
    How::Finish(d, matrix.bias.data() + at.bias_offset, sum[p]);
    if (task.residual != nullptr) AddTo(d, task.residual + at.column, sum[p]);
  }
  Bend(d, task.range.curve, sum);
  HWY_UNROLL(4)
  for (std::size_t p = 0; p < 4; ++p)
    StoreRow(d, low, high, sum[p], task.c + matrix.panels[panel + p].column);
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
          .b = b.values.data(),
          .bias = b.bias.data(),
          .bias_stride = 0,
          .range = task.range,
          .c = task.c,
          .c_stride = task.c_stride,
          .residual = task.residual,
          .residual_stride = task.residual_stride,
          .prefetch = nullptr,
          .prefetch_step = 0};
}

// The first tile of a panel, but for what is to be prefetched.
HWY_INLINE void GoToPanel(const ProductTask& task, const Panel& panel, TileTask& tile) {
  tile.a = static_cast<const std::byte*>(task.a);
  tile.b = task.b->values.data() + panel.offset;
  tile.bias = task.b->bias.data() + panel.bias_offset;
  tile.c = task.c + panel.column;
  tile.residual = task.residual == nullptr ? nullptr : task.residual + panel.column;
}

HWY_INLINE void GoOn(std::size_t rows, TileTask& tile) {
  tile.a += rows * tile.a_stride;
  tile.c = AddBytes(tile.c, rows * tile.c_stride);
  if (tile.residual != nullptr) tile.residual = AddBytes(tile.residual, rows * tile.residual_stride);
}

#if HWY_TARGET == HWY_AVX3
void ProductOfTwo(const ProductTask& task) {
  const Heights heights(task.rows);
  TileTask tile = FirstTile(task);
  for (std::size_t t = 0; t < heights.tiles; ++t) {
    const std::size_t rows = heights.Of(t);
    kTiles<TwoRows, F, 1>[rows - 1](tile);
    GoOn(rows, tile);
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

template <class How>
void Product(const ProductTask& task) {
  const std::size_t lanes = hn::Lanes(F());
  const PackedMatrix& b = *task.b;
  const Heights heights(task.rows);
  TileTask tile = FirstTile(task);
  for (std::size_t p = task.first_panel; p < task.last_panel; ++p) {
    const Panel& panel = b.panels[p];
    if constexpr (!How::kInRuns) {
      if (task.rows == 1 && task.segments == 1 && p + 4 <= task.last_panel &&
          b.panels[p + 3].width == 2 * lanes) {
        FourPanels<How>(task, p);
        p += 3;
        continue;
      }
    }
    const auto& functions = panel.width == 2 * lanes ? kTiles<How, F, 2>
                            : panel.width == lanes   ? kTiles<How, F, 1>
                                                     : kTiles<How, HalfF, 1>;
    GoToPanel(task, panel, tile);
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
        NarrowTile<How>(functions[rows - 1], tile, panel, rows);
      } else {
        CallTile<How>(functions[rows - 1], tile, panel);
      }
      GoOn(rows, tile);
      tile.prefetch += prefetch_share;
    }
  }
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
