// Values of 16 bits: rounding to them, and what instructions on them Highway lacks.
#if defined(MOBILENET_SIXTEEN_BITS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_SIXTEEN_BITS_INL_H
#undef MOBILENET_SIXTEEN_BITS_INL_H
#else
#define MOBILENET_SIXTEEN_BITS_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "base/bfloat16.h"
#include "base/bytes.h"
#include "base/float16.h"
#include "hwy/highway.h"
#include "kernels/clamp-inl.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3
// The lower halves of the lanes, which are of half precision, as float32.
HWY_INLINE __m512 LowerF16(__m512i pairs) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(pairs)); }
HWY_INLINE __m256 LowerF16(__m256i pairs) { return _mm256_cvtph_ps(_mm256_cvtepi32_epi16(pairs)); }
#elif HWY_TARGET == HWY_NEON
HWY_INLINE float32x4_t LowerF16(uint32x4_t pairs) {
  return vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32(pairs)));
}
HWY_INLINE float32x2_t LowerF16(uint32x2_t pairs) {
  return vget_low_f32(LowerF16(vcombine_u32(pairs, pairs)));
}
#endif

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
// The two of each lane's pair of half precision, in float32.
template <class D>
HWY_INLINE void SplitPairs(D /*d*/, hn::Vec<D> pairs, hn::Vec<D>& lower, hn::Vec<D>& upper) {
  const auto bits = hn::BitCast(hn::RebindToUnsigned<D>(), pairs);
  lower = hn::Vec<D>{LowerF16(bits.raw)};
  upper = hn::Vec<D>{LowerF16(hn::ShiftRight<16>(bits).raw)};
}
#endif

#if HWY_TARGET == HWY_AVX3

// sum + a b for each of the lanes' pairs of half precision. Where MOBILENET_EMULATE_F16 is set, for tests,
// the instruction is not needed: the same but for a second rounding.
template <class D>
HWY_INLINE hn::Vec<D> MultiplyAddPairs([[maybe_unused]] D d, hn::Vec<D> a, hn::Vec<D> b, hn::Vec<D> sum) {
#ifdef MOBILENET_EMULATE_F16
  const hn::RebindToUnsigned<D> u32;
  const hn::Rebind<hwy::float16_t, D> f16;
  const hn::Rebind<std::uint16_t, D> u16;
  hn::Vec<D> a2[2];
  hn::Vec<D> b2[2];
  hn::Vec<D> sum2[2];
  SplitPairs(d, a, a2[0], a2[1]);
  SplitPairs(d, b, b2[0], b2[1]);
  SplitPairs(d, sum, sum2[0], sum2[1]);
  const auto half = [&](int i) HWY_ATTR {
    const auto rounded = hn::DemoteTo(f16, hn::MulAdd(a2[i], b2[i], sum2[i]));
    return hn::PromoteTo(u32, hn::BitCast(u16, rounded));
  };
  return hn::BitCast(d, hn::Or(half(0), hn::ShiftLeft<16>(half(1))));
#else
  asm("vfmadd231ph %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
  return sum;
#endif
}
#endif

// The first or the second of each lane's pair of bfloat16, in float32.
template <class D>
HWY_INLINE hn::Vec<D> FirstBf16(D d, hn::Vec<D> pairs) {
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::BitCast(hn::RebindToUnsigned<D>(), pairs)));
}
template <class D>
HWY_INLINE hn::Vec<D> SecondBf16(D d, hn::Vec<D> pairs) {
  const hn::RebindToUnsigned<D> bits;
  return hn::BitCast(d, hn::And(hn::BitCast(bits, pairs), hn::Set(bits, 0xFFFF0000U)));
}

// Rounds to bfloat16, to the nearest, ties to even.
template <class D>
HWY_INLINE hn::VFromD<hn::Rebind<std::uint16_t, D>> ToBf16(D /*d*/, hn::Vec<D> v) {
#if HWY_TARGET == HWY_AVX3
  if constexpr (sizeof(v.raw) == 64) {
    __m256i half;
    asm("vcvtneps2bf16 %1, %0" : "=v"(half) : "v"(v.raw));
    return hn::VFromD<hn::Rebind<std::uint16_t, D>>{half};
  }
#endif
  const hn::RebindToUnsigned<D> u32;
  const hn::RebindToSigned<D> i32;
  const hn::Rebind<std::uint16_t, D> u16;
  const auto bits = hn::BitCast(u32, v);
  const auto tie = hn::And(hn::ShiftRight<16>(bits), hn::Set(u32, 1));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(u32, 0x7FFF)), tie);
  // Rounding could carry a NaN into the sign, or into infinity.
  const auto quiet = hn::Or(bits, hn::Set(u32, 0x400000));
  const auto result = hn::IfThenElse(hn::RebindMask(u32, hn::IsNaN(v)), quiet, rounded);
  return hn::DemoteTo(u16, hn::BitCast(i32, hn::ShiftRight<16>(result)));
}

// Values of float32 or bfloat16, as float32.
template <class D>
HWY_INLINE hn::Vec<D> LoadValues(D d, const float* from) {
  return hn::LoadU(d, from);
}
template <class D>
HWY_INLINE hn::Vec<D> LoadValues(D d, const std::uint16_t* from) {
  const hn::RebindToUnsigned<D> u32;
  const auto bits = hn::PromoteTo(u32, hn::LoadU(hn::Rebind<std::uint16_t, D>(), from));
  return hn::BitCast(d, hn::ShiftLeft<16>(bits));
}

// Rounds and stores half a register.
template <class D>
HWY_INLINE void StoreBf16(D d, hn::Vec<D> v, void* to) {
  hn::StoreU(ToBf16(d, v), hn::Rebind<std::uint16_t, D>(), static_cast<std::uint16_t*>(to));
}

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
// The same in half precision, to the nearest, ties to even; what is too large becomes the largest.
template <class D>
HWY_INLINE void StoreF16(D d, hn::Vec<D> v, void* to) {
  const hn::Rebind<hwy::float16_t, D> f16;
  const hn::Rebind<std::uint16_t, D> u16;
  const auto held = Clamped(d, v, hn::Set(d, -kLargestF16), hn::Set(d, kLargestF16));
  hn::StoreU(hn::BitCast(u16, hn::DemoteTo(f16, held)), u16, static_cast<std::uint16_t*>(to));
}
#endif

// Stores a register in a format; `c` counts values of it from `to` on.
template <class D>
HWY_INLINE void StoreAs(D d, hn::Vec<D> v, Format format, void* to, std::size_t c) {
  if (format == Format::kFloat32) return hn::StoreU(v, d, static_cast<float*>(to) + c);
  void* rounded = AddBytes(to, c * sizeof(std::uint16_t));
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  if (format == Format::kFloat16) return StoreF16(d, v, rounded);
#endif
  StoreBf16(d, v, rounded);
}

// Rounds n values; kFloat16 only for AVX-512 and NEON.
template <Format kFormat>
void RoundRow(const float* from, std::size_t n, void* to) {
  const hn::ScalableTag<float> d;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) StoreAs(d, hn::LoadU(d, from + i), kFormat, to, i);
  for (; i < n; ++i) {
    const std::uint16_t rounded = kFormat == Format::kFloat16 ? RoundToF16(from[i]) : RoundToBf16(from[i]);
    hwy::CopyBytes<sizeof(rounded)>(&rounded, AddBytes(to, i * sizeof(rounded)));
  }
}

// Stores values as float32 or rounded to bfloat16.
template <class D>
HWY_INLINE void StoreValues(D d, hn::Vec<D> v, float* to) {
  hn::StoreU(v, d, to);
}
template <class D>
HWY_INLINE void StoreValues(D d, hn::Vec<D> v, std::uint16_t* to) {
  StoreBf16(d, v, to);
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
