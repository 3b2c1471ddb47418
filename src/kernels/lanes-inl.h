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
#include "kernels/arithmetic-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_NEON
// The weights that go with one lane: kVectors registers from a panel.
template <class How, std::size_t kVectors, class V>
HWY_INLINE void LoadWeights(const float* b, std::size_t lane, V (&weight)[kVectors]) {
  const hn::DFromV<V> d;
  const std::size_t row = lane / How::kParts;
  HWY_UNROLL(2)
  for (std::size_t v = 0; v < kVectors; ++v)
    weight[v] = How::Weight(d, hn::LoadU(d, b + (row * kVectors + v) * hn::Lanes(d)), lane % How::kParts);
  How::ArrangeForLanes(d, weight);
}

// Adds kLanes values of each row of A (or as many pairs) times their rows of B.
template <class How, std::size_t kLanes, std::size_t kRows, std::size_t kVectors, class V>
HWY_INLINE void AddLanes(const std::byte* a, std::size_t a_stride, const float* b,
                         V (&sum)[kRows][kVectors]) {
  const hn::DFromV<V> d;
  V values[kRows];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < kRows; ++r) {
    if constexpr (kLanes == 4) {
      values[r] = hn::LoadU(d, reinterpret_cast<const float*>(a + r * a_stride));
    } else {
      values[r] = How::Value(d, a + r * a_stride);
    }
  }
  V weight[2][kVectors];  // of this lane and the next: cores that run in order must not wait for them
  LoadWeights<How>(b, 0, weight[0]);
  const auto add = [&]<std::size_t kLane>(std::integral_constant<std::size_t, kLane>) HWY_ATTR {
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < kRows; ++r) {
      if (r == kRows / 2 && kLane + 1 < kLanes) LoadWeights<How>(b, kLane + 1, weight[(kLane + 1) % 2]);
      sum[r][0] = How::template MultiplyAddLane<kLane, 0>(values[r], weight[kLane % 2][0], sum[r][0]);
      if constexpr (kVectors == 2)
        sum[r][1] = How::template MultiplyAddLane<kLane, 1>(values[r], weight[kLane % 2][1], sum[r][1]);
    }
  };
  [&]<std::size_t... kLane>(std::index_sequence<kLane...>) HWY_ATTR {
    (add(std::integral_constant<std::size_t, kLane>()), ...);
  }
  (std::make_index_sequence<kLanes>());
}

// Adds `count` rows of B from `b` on, times their values of A, and advances both. Returns how many rows of B
// were added: what is left, fewer than four lanes, is for single values.
template <class How, std::size_t kRows, std::size_t kVectors, class V>
HWY_INLINE std::size_t AddByLanes(std::size_t count, std::size_t a_stride, const std::byte*& a,
                                  const float*& b, V (&sum)[kRows][kVectors]) {
  constexpr std::size_t kRowsAtOnce = 4 / How::kParts;
  constexpr std::size_t kRowLength = kVectors * hn::MaxLanes(hn::DFromV<V>());
  std::size_t i = 0;
  for (; i + kRowsAtOnce <= count; i += kRowsAtOnce) {
    AddLanes<How, 4>(a, a_stride, b, sum);
    a += 4 * How::kPartBytes;
    b += kRowsAtOnce * kRowLength;
  }
  for (; How::kOnlyByLanes && i < count; ++i) {
    AddLanes<How, 1>(a, a_stride, b, sum);
    a += How::kPartBytes;
    b += kRowLength;
  }
  return i;
}
#endif

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
