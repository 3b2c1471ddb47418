// A map times a gate for each channel. Compiled once for each target.
#if defined(MOBILENET_SCALE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_SCALE_INL_H
#undef MOBILENET_SCALE_INL_H
#else
#define MOBILENET_SCALE_INL_H
#endif

#include <cstddef>

#include "base/bytes.h"
#include "hwy/highway.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Scales whole registers of D from channel `begin` on, and returns the first channel that is left.
template <class D>
HWY_INLINE std::size_t ScaleFrom(D d, std::size_t begin, const ScaleTask& task, std::size_t pixel) {
  const float* from = AddBytes(task.map, pixel * task.map_pitch);
  float* to = AddBytes(task.output, pixel * task.output_pitch);
  std::size_t c = begin;
  for (; c + hn::Lanes(d) <= task.channels; c += hn::Lanes(d))
    hn::StoreU(hn::Mul(hn::LoadU(d, from + c), hn::LoadU(d, task.gate + c)), d, to + c);
  return c;
}

// No register overlaps the one before it: where the output is the map, that would be scaled twice.
void Scale(const ScaleTask& task) {
  for (std::size_t p = 0; p < task.pixels; ++p) {
    std::size_t c = ScaleFrom(hn::ScalableTag<float>(), 0, task, p);
    c = ScaleFrom(hn::CappedTag<float, 4>(), c, task, p);
    ScaleFrom(hn::CappedTag<float, 1>(), c, task, p);
  }
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
