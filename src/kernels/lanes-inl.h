// Arm's multiply-adds take one lane of a register for all lanes of another, so that four values of a row, or
// four pairs, are one load.
#if defined(MOBILENET_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_LANES_INL_H
#undef MOBILENET_LANES_INL_H
#else
#define MOBILENET_LANES_INL_H
#endif

#include <cstddef>
#include <utility>

#include "hwy/highway.h"
#include "kernels/sixteen_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_NEON
// Whether a tile's sums are made by AddLanes: with all lanes, and in half precision two registers, since
// there a register of sums holds eight columns.
template <Arithmetic kHow, class D, std::size_t kVectors>
constexpr bool kByLanes = hn::MaxLanes(D()) == 4 && (kHow != Arithmetic::kF16Pairs || kVectors == 2);

// sum + a[lane] b. In half precision the value of a pair that goes with the v-th register of weights.
// Instructions as inline assembly, so that GCC leaves them where they are: it moves loads far ahead, and sums
// out of their registers.
template <Arithmetic kHow, std::size_t kLane, std::size_t kV, class V>
HWY_INLINE V MultiplyAddLane(V a, V b, V sum) {
  if constexpr (kHow == Arithmetic::kBf16Dot) {
    asm(".arch_extension bf16\n\tbfdot %0.4s, %1.8h, %2.2h[%3]"
        : "+w"(sum.raw)
        : "w"(b.raw), "w"(a.raw), "i"(kLane));
  } else if constexpr (kHow == Arithmetic::kF16Pairs) {
    asm(".arch_extension fp16\n\tfmla %0.8h, %1.8h, %2.h[%3]"
        : "+w"(sum.raw)
        : "w"(b.raw), "x"(a.raw), "i"(2 * kLane + kV));
  } else {
    asm("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(sum.raw) : "w"(b.raw), "w"(a.raw), "i"(kLane));
  }
  return sum;
}

// The weights that go with one lane: kVectors registers from a panel.
template <Arithmetic kHow, std::size_t kVectors, class V>
HWY_INLINE void LoadWeights(const float* b, std::size_t lane, V (&weight)[kVectors]) {
  const hn::DFromV<V> d;
  const std::size_t row = kHow == Arithmetic::kBf16Widened ? lane / 2 : lane;
  HWY_UNROLL(2)
  for (std::size_t v = 0; v < kVectors; ++v) {
    weight[v] = hn::LoadU(d, b + (row * kVectors + v) * hn::Lanes(d));
    if constexpr (kHow == Arithmetic::kBf16Widened)
      weight[v] = lane % 2 == 0 ? FirstBf16(d, weight[v]) : SecondBf16(d, weight[v]);
  }
  if constexpr (kHow == Arithmetic::kF16Pairs) {
    const hn::Repartition<std::uint16_t, decltype(d)> u16;
    const auto low = hn::BitCast(u16, weight[0]);
    const auto high = hn::BitCast(u16, weight[1]);
    weight[0] = hn::BitCast(d, hn::ConcatEven(u16, high, low));
    weight[1] = hn::BitCast(d, hn::ConcatOdd(u16, high, low));
  }
}

// Adds kLanes values of each row of A (with pairs in them: pairs; with widened weights always four values)
// times their rows of B. In half precision sum[r][0] is of the pairs' first values, for all eight columns,
// and sum[r][1] of the second.
template <Arithmetic kHow, std::size_t kLanes, std::size_t kRows, std::size_t kVectors, class V>
HWY_INLINE void AddLanes(const std::byte* a, std::size_t a_stride, const float* b,
                         V (&sum)[kRows][kVectors]) {
  const hn::DFromV<V> d;
  V values[kRows];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < kRows; ++r) {
    if constexpr (kLanes == 4) {
      hwy::CopyBytes<sizeof(values[r].raw)>(a + r * a_stride, &values[r].raw);
    } else {
      values[r] = Broadcast<kHow>(d, a + r * a_stride);
    }
  }
  V weight[2][kVectors];  // of this lane and the next: cores that run in order must not wait for them
  LoadWeights<kHow>(b, 0, weight[0]);
  const auto add = [&]<std::size_t kLane>(std::integral_constant<std::size_t, kLane>) HWY_ATTR {
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < kRows; ++r) {
      if (r == kRows / 2 && kLane + 1 < kLanes) LoadWeights<kHow>(b, kLane + 1, weight[(kLane + 1) % 2]);
      sum[r][0] = MultiplyAddLane<kHow, kLane, 0>(values[r], weight[kLane % 2][0], sum[r][0]);
      if constexpr (kVectors == 2)
        sum[r][1] = MultiplyAddLane<kHow, kLane, 1>(values[r], weight[kLane % 2][1], sum[r][1]);
    }
  };
  [&]<std::size_t... kLane>(std::index_sequence<kLane...>) HWY_ATTR {
    (add(std::integral_constant<std::size_t, kLane>()), ...);
  }
  (std::make_index_sequence<kLanes>());
}
#endif

// Sums of half precision as float32 ones, of the pairs' first values and of their second.
template <class D, std::size_t kVectors>
HWY_INLINE void SplitSums(D d, const hn::Vec<D> (&sum)[kVectors], hn::Vec<D> (&even)[kVectors],
                          hn::Vec<D> (&odd)[kVectors]) {
#if HWY_TARGET == HWY_NEON
  if constexpr (kByLanes<Arithmetic::kF16Pairs, D, kVectors>) {
    const auto split = [](float32x4_t half, hn::Vec<D>(&out)[kVectors]) HWY_ATTR {
      const float16x8_t eight = vreinterpretq_f16_f32(half);
      out[0] = hn::Vec<D>{vcvt_f32_f16(vget_low_f16(eight))};
      out[1] = hn::Vec<D>{vcvt_high_f32_f16(eight)};
    };
    split(sum[0].raw, even);
    split(sum[1].raw, odd);
    return;
  }
#endif
  HWY_UNROLL(2)
  for (std::size_t v = 0; v < kVectors; ++v) SplitPairs(d, sum[v], even[v], odd[v]);
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
