// Depthwise convolution of any window: four output pixels together, and those whose window hangs over an end
// of the row one by one; and what all kinds of it share: which windows lie inside, and storing. Compiled once
// for each target.
#if defined(MOBILENET_DEPTHWISE_PIXELS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_DEPTHWISE_PIXELS_INL_H
#undef MOBILENET_DEPTHWISE_PIXELS_INL_H
#else
#define MOBILENET_DEPTHWISE_PIXELS_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include "hwy/highway.h"
#include "kernels/clamp-inl.h"
#include "kernels/curve-inl.h"
#include "kernels/kernels.h"
#include "kernels/sixteen_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;

// Where channel `c` of the output's pixel `x` stands, and storing a register there, activated.
template <class D>
HWY_INLINE void StorePixel(D d, hn::Vec<D> sum, const DepthwiseTask& task, int x, std::size_t c) {
  void* pixel = AddBytes(task.output, static_cast<std::size_t>(x - task.x_begin) * task.output_pitch);
  if (task.range.curve != Curve::kStraight) sum = Curved(d, sum, task.range.curve);
  const auto clamped = Clamped(d, sum, hn::Set(d, task.range.low), hn::Set(d, task.range.high));
  StoreAs(d, clamped, task.output_format, pixel, c);
}

// kPixels neighbouring output pixels from `x` on, the window's columns [tap_begin, tap_end), which all lie
// inside the input.
template <std::size_t kPixels, class D>
HWY_INLINE void DepthwisePixels(D d, const DepthwiseTask& task, int x, int tap_begin, int tap_end) {
  using Vector = hn::Vec<D>;
  const std::size_t channels = task.channels;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t pitch = task.input_pitch / sizeof(float);
  const std::size_t step = static_cast<std::size_t>(task.stride) * pitch;
  const std::size_t first = static_cast<std::size_t>(x * task.stride - task.padding_left + tap_begin) * pitch;
  const int taps = tap_end - tap_begin;
  for (std::size_t c = 0; c < channels; c += lanes) {
    // The last register overlaps the one before it where the channels don't divide evenly.
    c = std::min(c, channels - lanes);
    Vector sum[kPixels];
    HWY_UNROLL(4)
    for (std::size_t i = 0; i < kPixels; ++i) sum[i] = hn::LoadU(d, task.bias + c);
    for (int r = 0; r < task.rows; ++r) {
      const float* input = task.input[r] + first + c;
      const float* weight = task.weight[r] + tap_begin * channels + c;
      for (int t = 0; t < taps; ++t) {
        const Vector w = hn::LoadU(d, weight + t * channels);
        HWY_UNROLL(4)
        for (std::size_t i = 0; i < kPixels; ++i) {
          sum[i] = hn::MulAdd(hn::LoadU(d, input + i * step + t * pitch), w, sum[i]);
        }
      }
    }
    HWY_UNROLL(4)
    for (std::size_t i = 0; i < kPixels; ++i) StorePixel(d, sum[i], task, x + static_cast<int>(i), c);
  }
}

// The pixels whose whole window lies inside the row.
template <class D>
HWY_NOINLINE void DepthwiseInside(D d, const DepthwiseTask& task, int begin, int end) {
  int x = begin;
  for (; x + 4 <= end; x += 4) DepthwisePixels<4>(d, task, x, 0, task.kernel);
  if (x + 2 <= end) {
    DepthwisePixels<2>(d, task, x, 0, task.kernel);
    x += 2;
  }
  if (x < end) DepthwisePixels<1>(d, task, x, 0, task.kernel);
}

// The pixels whose window hangs over an end of the row.
template <class D>
HWY_NOINLINE void DepthwiseBorder(D d, const DepthwiseTask& task, int begin, int end) {
  for (int x = begin; x < end; ++x) {
    const int left = x * task.stride - task.padding_left;
    const int tap_begin = std::max(0, -left);
    const int tap_end = std::min(task.kernel, task.width - left);
    DepthwisePixels<1>(d, task, x, tap_begin, std::max(tap_begin, tap_end));
  }
}

// The output pixels whose whole window lies inside the row, [begin, end).
struct Inside {
  int begin;
  int end;
};

HWY_INLINE Inside InsideOf(const DepthwiseTask& task) {
  const int s = task.stride;
  const int last_left = task.width - task.kernel;  // where the last window inside begins; < 0: none is inside
  const int begin = std::clamp((task.padding_left + s - 1) / s, task.x_begin, task.x_end);
  return {begin,
          last_left < 0 ? begin : std::clamp((last_left + task.padding_left) / s + 1, begin, task.x_end)};
}

template <class D>
HWY_INLINE void DepthwiseRow(D d, const DepthwiseTask& task) {
  const Inside inside = InsideOf(task);
  DepthwiseBorder(d, task, task.x_begin, inside.begin);
  DepthwiseInside(d, task, inside.begin, inside.end);
  DepthwiseBorder(d, task, inside.end, task.x_end);
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
