// Values held in an activation's range, on every target so that a NaN stays one: an answer that is none must
// not look like one.
#if defined(MOBILENET_CLAMP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_CLAMP_INL_H
#undef MOBILENET_CLAMP_INL_H
#else
#define MOBILENET_CLAMP_INL_H
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Where one of two is NaN, x86's minimum and maximum are the second; Arm has both those that are NaN and
// those that are the other, of which Highway takes the latter, as its emulation does.
template <class D>
HWY_INLINE hn::Vec<D> Clamped([[maybe_unused]] D d, hn::Vec<D> v, hn::Vec<D> low, hn::Vec<D> high) {
#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Lt(v, low), low, hn::IfThenElse(hn::Gt(v, high), high, v));
#elif HWY_TARGET == HWY_NEON
  if constexpr (sizeof(v.raw) == sizeof(float32x4_t)) {
    return hn::Vec<D>(vminq_f32(high.raw, vmaxq_f32(low.raw, v.raw)));
  } else {
    return hn::Vec<D>(vmin_f32(high.raw, vmax_f32(low.raw, v.raw)));
  }
#else
  return hn::Min(high, hn::Max(low, v));
#endif
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
