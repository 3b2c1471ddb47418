// Arithmetic with bfloat16 in the products: which there are, and rounding to it.
#if defined(MOBILENET_BF16_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_BF16_INL_H
#undef MOBILENET_BF16_INL_H
#else
#define MOBILENET_BF16_INL_H
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What multiplies: float32; pairs of bfloat16 on both sides, by the dot product instruction; or pairs of
// bfloat16 weights that are widened and multiplied with float32.
enum class Arithmetic { kFloat32, kBf16Dot, kBf16Widened };

// sum + a b, or sum + a[0] b[0] + a[1] b[1] for each lane's pair. The instruction as inline assembly: GCC 12
// copies and spills the sums around its intrinsic.
template <Arithmetic kHow, class Vector>
HWY_INLINE Vector MultiplyAdd(Vector a, Vector b, Vector sum) {
#if HWY_TARGET == HWY_AVX3
  if constexpr (kHow == Arithmetic::kBf16Dot) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
  }
#endif
  return hn::MulAdd(a, b, sum);
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
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, hn::Set(u32, 0x7FFF)), tie));
  return hn::DemoteTo(u16, hn::BitCast(i32, rounded));
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
HWY_INLINE void StoreBf16(D d, hn::Vec<D> v, std::uint16_t* to) {
  hn::StoreU(ToBf16(d, v), hn::Rebind<std::uint16_t, D>(), to);
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
