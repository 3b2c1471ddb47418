// Activations that are no mere range: values between -3 and 3 bend. Compiled once for each target.
#if defined(MOBILENET_CURVE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_CURVE_INL_H
#undef MOBILENET_CURVE_INL_H
#else
#define MOBILENET_CURVE_INL_H
#endif

#include "hwy/highway.h"
#include "kernels/clamp-inl.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What a curve that is not straight makes of a value.
template <class D>
HWY_INLINE hn::Vec<D> Curved(D d, hn::Vec<D> v, Curve curve) {
  const auto line = hn::MulAdd(v, hn::Set(d, 1.0F / 6), hn::Set(d, 0.5F));
  const auto gate = Clamped(d, line, hn::Zero(d), hn::Set(d, 1.0F));
  return curve == Curve::kHardSwish ? hn::Mul(v, gate) : gate;
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
