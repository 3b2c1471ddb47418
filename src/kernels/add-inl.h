// The sum of two maps. Compiled once for each target.
#if defined(MOBILENET_ADD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_ADD_INL_H
#undef MOBILENET_ADD_INL_H
#else
#define MOBILENET_ADD_INL_H
#endif

#include <cstddef>

#include "base/bytes.h"
#include "hwy/highway.h"
#include "kernels/clamp-inl.h"
#include "kernels/curve-inl.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Adds whole registers of D from the value `begin` on, and returns where the first value is that is left.
template <bool kCurved, class D>
HWY_INLINE std::size_t AddFrom(D d, std::size_t begin, std::size_t count, const float* a, const float* b,
                               Range range, float* output) {
  const auto low = hn::Set(d, range.low);
  const auto high = hn::Set(d, range.high);
  std::size_t i = begin;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    auto sum = hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i));
    if constexpr (kCurved) sum = Curved(d, sum, range.curve);
    hn::StoreU(Clamped(d, sum, low, high), d, output + i);
  }
  return i;
}

// No register overlaps the one before it: where the output is one of the two, that would be added twice.
template <bool kCurved>
HWY_INLINE void AddRun(std::size_t count, const float* a, const float* b, Range range, float* output) {
  std::size_t i = AddFrom<kCurved>(hn::ScalableTag<float>(), 0, count, a, b, range, output);
  i = AddFrom<kCurved>(hn::CappedTag<float, 4>(), i, count, a, b, range, output);
  AddFrom<kCurved>(hn::CappedTag<float, 1>(), i, count, a, b, range, output);
}

HWY_INLINE void AddValues(std::size_t count, const float* a, const float* b, Range range, float* output) {
  if (range.curve == Curve::kStraight) return AddRun<false>(count, a, b, range, output);
  AddRun<true>(count, a, b, range, output);
}

void Add(const AddTask& task) {
  const std::size_t row = task.channels * sizeof(float);
  if (task.a_pitch == row && task.b_pitch == row && task.output_pitch == row)
    return AddValues(task.pixels * task.channels, task.a, task.b, task.range, task.output);
  for (std::size_t p = 0; p < task.pixels; ++p) {
    AddValues(task.channels, AddBytes(task.a, p * task.a_pitch), AddBytes(task.b, p * task.b_pitch),
              task.range, AddBytes(task.output, p * task.output_pitch));
  }
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
