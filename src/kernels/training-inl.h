// Batch norm, activation and gradients over rows of channels. Compiled once for each target.
//
// Rows go in groups, so that a coefficient is loaded once for several rows while memory is still read in
// order.
#if defined(MOBILENET_TRAINING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_TRAINING_INL_H
#undef MOBILENET_TRAINING_INL_H
#else
#define MOBILENET_TRAINING_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/arithmetic-inl.h"
#include "kernels/clamp-inl.h"
#include "kernels/curve-inl.h"
#include "kernels/sixteen_bits-inl.h"
#include "kernels/tile-inl.h"
#include "kernels/training_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using Narrow = hn::CappedTag<float, kColumnStep>;
constexpr std::size_t kGroup = 4;  // rows

// Calls body(d, column) for each register of columns.
template <class Body>
HWY_INLINE void ForColumns(std::size_t columns, const Body& body) {
  const F full;
  const Narrow narrow;
  std::size_t c = 0;
  for (; c + hn::Lanes(full) <= columns; c += hn::Lanes(full)) body(full, c);
  for (; c < columns; c += hn::Lanes(narrow)) body(narrow, c);
}

// Calls body(rows as a constant, first row) for groups of rows.
template <class Body>
HWY_INLINE void ForGroups(std::size_t rows, const Body& body) {
  std::size_t r = 0;
  for (; r + kGroup <= rows; r += kGroup) body(std::integral_constant<std::size_t, kGroup>(), r);
  for (; r < rows; ++r) body(std::integral_constant<std::size_t, 1>(), r);
}

// Calls body(zero) with a zero of the type that the rows are of.
template <class Body>
HWY_INLINE void ForType(const MapRows& rows, const Body& body) {
  if (rows.bf16) return body(std::uint16_t{});
  body(float{});
}

// The row `row` of a map of T.
template <class T>
HWY_INLINE T* RowOf(const MapRows& rows, std::size_t row) {
  return static_cast<T*>(rows.values) + row * rows.pitch;
}

// Asks for what is read a few rows later: maps stream from memory, and the processor's own prefetching stops
// at pages.
template <class T>
HWY_INLINE void Ahead(const T* at) {
  constexpr std::size_t kBytes = 4096;
  hwy::Prefetch(reinterpret_cast<const char*>(at) + kBytes);
}

// Calls body(whether the range has a curve, as a constant).
template <class Body>
HWY_INLINE void ForCurve(const Range& range, const Body& body) {
  if (range.curve == Curve::kStraight) return body(std::false_type());
  body(std::true_type());
}

void Apply(MapRows input, std::size_t rows, std::size_t columns, const Affine& affine, float* output,
           std::size_t output_pitch) {
  ForType(input, [&](auto zero) HWY_ATTR {
    ForCurve(affine.range, [&](auto curved) HWY_ATTR {
      using T = decltype(zero);
      ForGroups(rows, [&](auto count, std::size_t r) HWY_ATTR {
        const T* from = RowOf<T>(input, r);
        float* to = output + r * output_pitch;
        ForColumns(columns, [&](auto d, std::size_t c) HWY_ATTR {
          const auto scale = hn::LoadU(d, affine.scale + c);
          const auto shift = hn::LoadU(d, affine.shift + c);
          const auto low = hn::Set(d, affine.range.low);
          const auto high = hn::Set(d, affine.range.high);
          for (std::size_t i = 0; i < count; ++i) {
            Ahead(from + i * input.pitch + c);
            auto y = hn::MulAdd(LoadValues(d, from + i * input.pitch + c), scale, shift);
            if constexpr (curved) y = Curved(d, y, affine.range.curve);
            hn::StoreU(Clamped(d, y, low, high), d, to + i * output_pitch + c);
          }
        });
      });
    });
  });
}

void Moments(MapRows input, std::size_t rows, std::size_t columns, const float* centre, float* sum,
             float* squares) {
  ForType(input, [&](auto zero) HWY_ATTR {
    using T = decltype(zero);
    ForGroups(rows, [&](auto count, std::size_t r) HWY_ATTR {
      const T* from = RowOf<T>(input, r);
      ForColumns(columns, [&](auto d, std::size_t c) HWY_ATTR {
        const auto middle = hn::LoadU(d, centre + c);
        auto total = hn::Zero(d);
        auto square = hn::Zero(d);
        for (std::size_t i = 0; i < count; ++i) {
          const auto y = hn::Sub(LoadValues(d, from + i * input.pitch + c), middle);
          total = hn::Add(total, y);
          square = hn::MulAdd(y, y, square);
        }
        hn::StoreU(hn::Add(hn::LoadU(d, sum + c), total), d, sum + c);
        hn::StoreU(hn::Add(hn::LoadU(d, squares + c), square), d, squares + c);
      });
    });
  });
}

void Combine(MapRows gradient, MapRows input, std::size_t rows, std::size_t columns, const float* factor,
             const float* slope, const float* constant, float* output, std::size_t output_pitch) {
  ForType(input, [&](auto zero) HWY_ATTR {
    using T = decltype(zero);
    ForGroups(rows, [&](auto count, std::size_t r) HWY_ATTR {
      const T* g = RowOf<T>(gradient, r);
      const T* y = RowOf<T>(input, r);
      float* to = output + r * output_pitch;
      ForColumns(columns, [&](auto d, std::size_t c) HWY_ATTR {
        const auto a = hn::LoadU(d, factor + c);
        const auto b = hn::LoadU(d, slope + c);
        const auto k = hn::LoadU(d, constant + c);
        for (std::size_t i = 0; i < count; ++i) {
          Ahead(y + i * input.pitch + c);
          Ahead(g + i * gradient.pitch + c);
          const auto rest = hn::MulAdd(LoadValues(d, y + i * input.pitch + c), b, k);
          hn::StoreU(hn::MulAdd(LoadValues(d, g + i * gradient.pitch + c), a, rest), d,
                     to + i * output_pitch + c);
        }
      });
    });
  });
}

// The gradient before an activation, from that behind it: times its slope at z.
template <class D>
HWY_INLINE hn::Vec<D> Before(D d, hn::Vec<D> g, hn::Vec<D> z, const Range& range,
                             std::false_type /*curved*/) {
  return hn::IfThenElseZero(hn::And(hn::Gt(z, hn::Set(d, range.low)), hn::Lt(z, hn::Set(d, range.high))), g);
}

// A curve bends between -3 and 3: there z / 3 + 1 / 2 is the slope of z (z + 3) / 6, and 1 / 6 that of
// (z + 3) / 6.
template <class D>
HWY_INLINE hn::Vec<D> Before(D d, hn::Vec<D> g, hn::Vec<D> z, const Range& range, std::true_type /*curved*/) {
  const auto three = hn::Set(d, 3.0F);
  const auto sixth = hn::Set(d, 1.0F / 6);
  const auto above = hn::Ge(z, three);
  const auto open = hn::Gt(z, hn::Neg(three));
  if (range.curve == Curve::kHardSigmoid)
    return hn::IfThenElseZero(open, hn::IfThenZeroElse(above, hn::Mul(g, sixth)));
  const auto slope = hn::MulAdd(z, hn::Set(d, 1.0F / 3), hn::Set(d, 0.5F));
  return hn::IfThenElseZero(open, hn::IfThenElse(above, g, hn::Mul(g, slope)));
}

void Mask(MapRows gradient, MapRows input, std::size_t rows, std::size_t columns, const Affine& affine,
          const float* centre, float* sum, float* products) {
  ForType(input, [&](auto zero) HWY_ATTR {
    ForCurve(affine.range, [&](auto curved) HWY_ATTR {
      using T = decltype(zero);
      ForGroups(rows, [&](auto count, std::size_t r) HWY_ATTR {
        T* g = RowOf<T>(gradient, r);
        const T* from = RowOf<T>(input, r);
        ForColumns(columns, [&](auto d, std::size_t c) HWY_ATTR {
          const auto scale = hn::LoadU(d, affine.scale + c);
          const auto shift = hn::LoadU(d, affine.shift + c);
          const auto middle = hn::LoadU(d, centre + c);
          auto total = hn::Zero(d);
          auto product = hn::Zero(d);
          for (std::size_t i = 0; i < count; ++i) {
            const auto y = LoadValues(d, from + i * input.pitch + c);
            const auto z = hn::MulAdd(y, scale, shift);
            const auto kept = Before(d, LoadValues(d, g + i * gradient.pitch + c), z, affine.range, curved);
            StoreValues(d, kept, g + i * gradient.pitch + c);
            total = hn::Add(total, kept);
            product = hn::MulAdd(kept, hn::Sub(y, middle), product);
          }
          hn::StoreU(hn::Add(hn::LoadU(d, sum + c), total), d, sum + c);
          hn::StoreU(hn::Add(hn::LoadU(d, products + c), product), d, products + c);
        });
      });
    });
  });
}

void Products(const float* a, const float* b, std::size_t pitch, std::size_t rows, std::size_t columns,
              float* sum) {
  ForGroups(rows, [&](auto count, std::size_t r) HWY_ATTR {
    ForColumns(columns, [&](auto d, std::size_t c) HWY_ATTR {
      auto total = hn::LoadU(d, sum + c);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = (r + i) * pitch + c;
        total = hn::MulAdd(hn::LoadU(d, a + at), hn::LoadU(d, b + at), total);
      }
      hn::StoreU(total, d, sum + c);
    });
  });
}

void Interleave(const float* input, std::size_t input_pitch, std::size_t rows, std::size_t columns,
                float* output, std::size_t output_pitch) {
  for (std::size_t r = 0; r < rows; r += 2, input += 2 * input_pitch, output += output_pitch) {
    ForColumns(columns, [&](auto d, std::size_t c) HWY_ATTR {
      const hn::RebindToUnsigned<decltype(d)> u32;
      auto pair = hn::PromoteTo(u32, ToBf16(d, hn::LoadU(d, input + c)));
      if (r + 1 < rows) {
        const auto second = hn::PromoteTo(u32, ToBf16(d, hn::LoadU(d, input + input_pitch + c)));
        pair = hn::Or(pair, hn::ShiftLeft<16>(second));
      }
      hn::StoreU(hn::BitCast(d, pair), d, output + c);
    });
  }
}

// A tile of kRows rows of c and kVectors registers of columns stays in registers for all of a's and b's rows.
template <class How, class D, std::size_t kRows, std::size_t kVectors>
HWY_NOINLINE void OuterTile(const OuterTask& task, std::size_t i, std::size_t j) {
  const D d;
  using Vector = hn::Vec<D>;
  const std::size_t lanes = hn::Lanes(d);
  const float* HWY_RESTRICT a = task.a + i;
  const float* HWY_RESTRICT b = task.b + j;
  float* c = task.c + i * task.c_pitch + j;
  Vector sum[kRows][kVectors];
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(2)
    for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::LoadU(d, c + r * task.c_pitch + v * lanes);
  }
  for (std::size_t row = 0; row < task.rows; ++row) {
    Vector factor[kVectors];
    HWY_UNROLL(2)
    for (std::size_t v = 0; v < kVectors; ++v) factor[v] = hn::LoadU(d, b + v * lanes);
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kRows; ++r) {
      const Vector value = hn::Set(d, a[r]);
      HWY_UNROLL(2)
      for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = How::MultiplyAdd(d, value, factor[v], sum[r][v]);
    }
    a += task.a_pitch;
    b += task.b_pitch;
  }
  HWY_UNROLL(16)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(2)
    for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, c + r * task.c_pitch + v * lanes);
  }
}

using OuterFunction = void (*)(const OuterTask&, std::size_t i, std::size_t j);

template <class How, class D, std::size_t kVectors, std::size_t... kRows>
constexpr std::array<OuterFunction, sizeof...(kRows)> OuterTilesFor(std::index_sequence<kRows...>) {
  return {&OuterTile<How, D, kRows + 1, kVectors>...};
}

template <class How, class D, std::size_t kVectors>
constexpr auto kOuterTiles = OuterTilesFor<How, D, kVectors>(std::make_index_sequence<kTileRows>());

template <class How>
void Outer(const OuterTask& task) {
  const std::size_t lanes = hn::Lanes(F());
  const std::size_t tiles = (task.inner + kTileRows - 1) / kTileRows;
  // The rows of b under a tile stay in the first cache while a goes by.
  const auto column = [&](const auto& functions, std::size_t j) {
    for (std::size_t t = 0; t < tiles; ++t) {
      const std::size_t begin = t * task.inner / tiles;
      functions[(t + 1) * task.inner / tiles - begin - 1](task, begin, j);
    }
  };
  std::size_t j = 0;
  for (; j + 2 * lanes <= task.columns; j += 2 * lanes) column(kOuterTiles<How, F, 2>, j);
  for (; j + lanes <= task.columns; j += lanes) column(kOuterTiles<How, F, 1>, j);
  for (; j < task.columns; j += hn::Lanes(Narrow())) column(kOuterTiles<How, Narrow, 1>, j);
}

// One register of channels of kRows rows of a 3x3 window's sums, which stay in registers along the row.
template <int kRows, class D>
HWY_INLINE void DepthwiseWeights3x3(D d, const DepthwiseWeightsTask& task, std::size_t c) {
  using Vector = hn::Vec<D>;
  const std::size_t columns = task.columns;
  const std::size_t pitch = task.input_pitch;
  const std::size_t step = pitch * static_cast<std::size_t>(task.stride);
  const float* input[kRows];
  Vector sum[kRows][3];
  HWY_UNROLL(3)
  for (int r = 0; r < kRows; ++r) {
    input[r] = task.input[r] + c;
    HWY_UNROLL(3)
    for (int t = 0; t < 3; ++t) sum[r][t] = hn::LoadU(d, task.sum[r] + t * columns + c);
  }
  const float* gradient = task.gradient + c;
  for (int x = 0; x < task.width; ++x) {
    const Vector g = hn::LoadU(d, gradient);
    gradient += task.gradient_pitch;
    HWY_UNROLL(3)
    for (int r = 0; r < kRows; ++r) {
      HWY_UNROLL(3)
      for (int t = 0; t < 3; ++t) sum[r][t] = hn::MulAdd(hn::LoadU(d, input[r] + t * pitch), g, sum[r][t]);
      input[r] += step;
    }
  }
  HWY_UNROLL(3)
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(3)
    for (int t = 0; t < 3; ++t) hn::StoreU(sum[r][t], d, task.sum[r] + t * columns + c);
  }
}

void DepthwiseWeights(const DepthwiseWeightsTask& task) {
  ForColumns(task.columns, [&](auto d, std::size_t c) HWY_ATTR {
    if (task.kernel == 3 && task.rows == 3) return DepthwiseWeights3x3<3>(d, task, c);
    if (task.kernel == 3 && task.rows == 2) return DepthwiseWeights3x3<2>(d, task, c);
    for (int r = 0; r < task.rows; ++r) {
      for (int t = 0; t < task.kernel; ++t) {
        float* to = task.sum[r] + static_cast<std::size_t>(t) * task.columns + c;
        auto sum = hn::LoadU(d, to);
        for (int x = 0; x < task.width; ++x) {
          const float* input =
              task.input[r] + static_cast<std::size_t>(x * task.stride + t) * task.input_pitch + c;
          const float* gradient = task.gradient + static_cast<std::size_t>(x) * task.gradient_pitch + c;
          sum = hn::MulAdd(hn::LoadU(d, input), hn::LoadU(d, gradient), sum);
        }
        hn::StoreU(sum, d, to);
      }
    }
  });
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
