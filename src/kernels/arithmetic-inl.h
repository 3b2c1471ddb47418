// How products multiply and add: a struct for each arithmetic, whose static functions the loops in
// product-inl.h and lanes-inl.h are made of. A new arithmetic is a struct that says where it differs from
// Float32. Compiled once for each target.
#if defined(MOBILENET_ARITHMETIC_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_ARITHMETIC_INL_H
#undef MOBILENET_ARITHMETIC_INL_H
#else
#define MOBILENET_ARITHMETIC_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/sixteen_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Float32 {
  // A row of a panel is multiplied in so many parts, each with the next kPartBytes of a row of A.
  static constexpr std::size_t kParts = 1;
  static constexpr std::size_t kPartBytes = sizeof(float);
  // Whether sums can't be long, so that tiles add up runs (CallInRuns).
  static constexpr bool kInRuns = false;

  // What a sum begins with.
  template <class D>
  static HWY_INLINE hn::Vec<D> Begin(D d, const float* bias) {
    return hn::LoadU(d, bias);
  }
  // The bytes of A at `from` in all lanes.
  template <class D>
  static HWY_INLINE hn::Vec<D> Value(D d, const std::byte* from) {
    float value = 0;  // or what else has its size
    hwy::CopyBytes<sizeof(value)>(from, &value);
    return hn::Set(d, value);
  }
  // A part of a register of a panel.
  template <class D>
  static HWY_INLINE hn::Vec<D> Weight(D /*d*/, hn::Vec<D> row, std::size_t /*part*/) {
    return row;
  }
  template <class D>
  static HWY_INLINE hn::Vec<D> MultiplyAdd(D /*d*/, hn::Vec<D> value, hn::Vec<D> weight, hn::Vec<D> sum) {
    return hn::MulAdd(value, weight, sum);
  }
  // Makes float32, bias and all, of a row's sums.
  template <class D, std::size_t kVectors>
  static HWY_INLINE void Finish(D /*d*/, const float* /*bias*/, hn::Vec<D> (&/*sum*/)[kVectors]) {}

#if HWY_TARGET == HWY_NEON
  // Whether a tile's sums are made by AddLanes, and if so, whether only by that: where sums lie otherwise.
  template <class D, std::size_t kVectors>
  static constexpr bool kByLanes = hn::MaxLanes(D()) == 4;
  static constexpr bool kOnlyByLanes = false;

  // sum + value[lane] weight, where weight is the v-th register of a row of the panel. Instructions as inline
  // assembly, so that GCC leaves them where they are: it moves loads far ahead, and sums out of their
  // registers.
  template <std::size_t kLane, std::size_t kV, class V>
  static HWY_INLINE V MultiplyAddLane(V value, V weight, V sum) {
    asm("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(sum.raw) : "w"(weight.raw), "w"(value.raw), "i"(kLane));
    return sum;
  }
  // What MultiplyAddLane takes, of a row of the panel.
  template <class D, std::size_t kVectors>
  static HWY_INLINE void ArrangeForLanes(D /*d*/, hn::Vec<D> (&/*weight*/)[kVectors]) {}
#endif
};

#if HWY_TARGET == HWY_AVX3
// Value i is that of `from[i]`. (Highway's own checks its indices in debug builds, for which it needs a
// library.)
HWY_INLINE hn::Vec<hn::ScalableTag<float>> Permuted(hn::Vec<hn::ScalableTag<float>> v,
                                                    const std::int32_t (&from)[16]) {
  return hn::Vec<hn::ScalableTag<float>>{_mm512_permutexvar_ps(_mm512_load_si512(from), v.raw)};
}

// Two rows at once, which alternate value by value; the columns of the panel stand twice.
struct TwoRows : Float32 {
  static constexpr std::size_t kPartBytes = 2 * sizeof(float);

  template <class D>
  static HWY_INLINE hn::Vec<D> Value(D d, const std::byte* from) {
    double pair = 0;
    hwy::CopyBytes<sizeof(pair)>(from, &pair);
    return hn::BitCast(d, hn::Set(hn::Repartition<double, D>(), pair));
  }
  // One row behind the other.
  template <class D>
  static HWY_INLINE void Finish(D /*d*/, const float* /*bias*/, hn::Vec<D> (&sum)[1]) {
    HWY_ALIGN static constexpr std::int32_t kApart[16] = {0, 2, 4, 6, 8, 10, 12, 14,
                                                          1, 3, 5, 7, 9, 11, 13, 15};
    sum[0] = Permuted(sum[0], kApart);
  }
};
#endif

// Pairs of bfloat16 weights, which are widened and multiplied with float32.
struct Bf16Widened : Float32 {
  static constexpr std::size_t kParts = 2;

  template <class D>
  static HWY_INLINE hn::Vec<D> Weight(D d, hn::Vec<D> row, std::size_t part) {
    return part == 0 ? FirstBf16(d, row) : SecondBf16(d, row);
  }
};

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON

// Pairs of bfloat16 on both sides: sum + a[0] b[0] + a[1] b[1]. Instructions as inline assembly, here and
// below: GCC 12 copies and spills the sums around the intrinsic for bfloat16, and has that for half precision
// for another target only.
struct Bf16Dot : Float32 {
  template <class D>
  static HWY_INLINE hn::Vec<D> MultiplyAdd(D /*d*/, hn::Vec<D> value, hn::Vec<D> weight, hn::Vec<D> sum) {
#if HWY_TARGET == HWY_AVX3
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(value.raw), "v"(weight.raw));
#else
    asm(".arch_extension bf16\n\tbfdot %0.4s, %1.8h, %2.8h"
        : "+w"(sum.raw)
        : "w"(value.raw), "w"(weight.raw));
#endif
    return sum;
  }
#if HWY_TARGET == HWY_NEON
  template <std::size_t kLane, std::size_t kV, class V>
  static HWY_INLINE V MultiplyAddLane(V value, V weight, V sum) {
    asm(".arch_extension bf16\n\tbfdot %0.4s, %1.8h, %2.2h[%3]"
        : "+w"(sum.raw)
        : "w"(weight.raw), "w"(value.raw), "i"(kLane));
    return sum;
  }
#endif
};

// Pairs of half precision on both sides, each of the two for itself: two sums, of half precision too. By
// lanes, the first register of a row's sums is of the pairs' first values, for all eight columns, and the
// second of the second.
struct F16Pairs : Float32 {
  static constexpr bool kInRuns = true;

  template <class D>
  static HWY_INLINE hn::Vec<D> Begin(D d, const float* /*bias*/) {
    return hn::Zero(d);
  }
  template <class D>
  static HWY_INLINE hn::Vec<D> MultiplyAdd([[maybe_unused]] D d, hn::Vec<D> value, hn::Vec<D> weight,
                                           hn::Vec<D> sum) {
#if HWY_TARGET == HWY_AVX3
    return MultiplyAddPairs(d, value, weight, sum);
#else
    asm(".arch_extension fp16\n\tfmla %0.8h, %1.8h, %2.8h" : "+w"(sum.raw) : "w"(value.raw), "w"(weight.raw));
    return sum;
#endif
  }
  template <class D, std::size_t kVectors>
  static HWY_INLINE void Finish(D d, const float* bias, hn::Vec<D> (&sum)[kVectors]) {
    hn::Vec<D> even[kVectors];
    hn::Vec<D> odd[kVectors];
    Split(d, sum, even, odd);
    HWY_UNROLL(2)
    for (std::size_t v = 0; v < kVectors; ++v)
      sum[v] = hn::Add(hn::Add(even[v], odd[v]), hn::LoadU(d, bias + v * hn::Lanes(d)));
  }
  // The sums as float32 ones, of the pairs' first values and of their second.
  template <class D, std::size_t kVectors>
  static HWY_INLINE void Split(D d, const hn::Vec<D> (&sum)[kVectors], hn::Vec<D> (&even)[kVectors],
                               hn::Vec<D> (&odd)[kVectors]) {
#if HWY_TARGET == HWY_NEON
    if constexpr (kByLanes<D, kVectors>) {
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

#if HWY_TARGET == HWY_NEON
  // A register of sums by lanes holds eight columns.
  template <class D, std::size_t kVectors>
  static constexpr bool kByLanes = hn::MaxLanes(D()) == 4 && kVectors == 2;
  static constexpr bool kOnlyByLanes = true;

  template <std::size_t kLane, std::size_t kV, class V>
  static HWY_INLINE V MultiplyAddLane(V value, V weight, V sum) {
    asm(".arch_extension fp16\n\tfmla %0.8h, %1.8h, %2.h[%3]"
        : "+w"(sum.raw)
        : "w"(weight.raw), "x"(value.raw), "i"(2 * kLane + kV));
    return sum;
  }
  template <class D>
  static HWY_INLINE void ArrangeForLanes(D d, hn::Vec<D> (&weight)[2]) {
    const hn::Repartition<std::uint16_t, D> u16;
    const auto low = hn::BitCast(u16, weight[0]);
    const auto high = hn::BitCast(u16, weight[1]);
    weight[0] = hn::BitCast(d, hn::ConcatEven(u16, high, low));
    weight[1] = hn::BitCast(d, hn::ConcatOdd(u16, high, low));
  }
#endif
};
#endif

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
