// Depthwise convolution, one output row at a time, channels innermost. Compiled once for each target.
//
// Four output pixels are computed together: for a 3x3 window at stride 1 they share 18 loads of input where
// four single pixels would take 36, and each weight is loaded once for the four.
#if defined(MOBILENET_DEPTHWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_DEPTHWISE_INL_H
#undef MOBILENET_DEPTHWISE_INL_H
#else
#define MOBILENET_DEPTHWISE_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include "hwy/highway.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// kPixels neighbouring output pixels from `x` on, the window's columns [tap_begin, tap_end), which all lie
// inside the input. kTaps is tap_end - tap_begin where that is known when compiling, else 0; kStride
// likewise.
template <std::size_t kPixels, int kTaps, int kStride, class D>
HWY_INLINE void DepthwisePixels(D d, const DepthwiseTask& task, int x, int tap_begin, int tap_end) {
  using Vector = hn::Vec<D>;
  const std::size_t channels = task.channels;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t step = (kStride > 0 ? kStride : task.stride) * channels;
  const std::size_t first =
      static_cast<std::size_t>(x * task.stride - task.padding_left + tap_begin) * channels;
  const int taps = kTaps > 0 ? kTaps : tap_end - tap_begin;
  const Vector low = hn::Set(d, task.range.low);
  const Vector high = hn::Set(d, task.range.high);
  float* output = task.output + static_cast<std::size_t>(x - task.x_begin) * channels;
  for (std::size_t c = 0; c < channels; c += lanes) {
    // The last register overlaps the one before it where the channels don't divide evenly.
    c = std::min(c, channels - lanes);
    Vector sum[kPixels];
    HWY_UNROLL(4)
    for (std::size_t i = 0; i < kPixels; ++i) sum[i] = hn::LoadU(d, task.bias + c);
    for (int r = 0; r < task.rows; ++r) {
      const float* input = task.input[r] + first + c;
      const float* weight = task.weight[r] + tap_begin * channels + c;
      HWY_UNROLL(8)
      for (int t = 0; t < taps; ++t) {
        const Vector w = hn::LoadU(d, weight + t * channels);
        HWY_UNROLL(4)
        for (std::size_t i = 0; i < kPixels; ++i) {
          sum[i] = hn::MulAdd(hn::LoadU(d, input + i * step + t * channels), w, sum[i]);
        }
      }
    }
    HWY_UNROLL(4)
    for (std::size_t i = 0; i < kPixels; ++i) {
      hn::StoreU(hn::Min(hn::Max(sum[i], low), high), d, output + i * channels + c);
    }
  }
}

// The pixels whose whole window lies inside the row.
template <int kTaps, int kStride, class D>
HWY_NOINLINE void DepthwiseInside(D d, const DepthwiseTask& task, int begin, int end) {
  int x = begin;
  for (; x + 4 <= end; x += 4) DepthwisePixels<4, kTaps, kStride>(d, task, x, 0, task.kernel);
  if (x + 2 <= end) {
    DepthwisePixels<2, kTaps, kStride>(d, task, x, 0, task.kernel);
    x += 2;
  }
  if (x < end) DepthwisePixels<1, kTaps, kStride>(d, task, x, 0, task.kernel);
}

// The pixels whose window hangs over an end of the row.
template <class D>
HWY_NOINLINE void DepthwiseBorder(D d, const DepthwiseTask& task, int begin, int end) {
  for (int x = begin; x < end; ++x) {
    const int left = x * task.stride - task.padding_left;
    const int tap_begin = std::max(0, -left);
    const int tap_end = std::min(task.kernel, task.width - left);
    DepthwisePixels<1, 0, 0>(d, task, x, tap_begin, std::max(tap_begin, tap_end));
  }
}

template <class D>
HWY_INLINE void DepthwiseRow(D d, const DepthwiseTask& task) {
  const int s = task.stride;
  const int last_left = task.width - task.kernel;  // where the last window inside begins; < 0: none is inside
  const int inside_begin = std::clamp((task.padding_left + s - 1) / s, task.x_begin, task.x_end);
  const int inside_end = last_left < 0
                             ? inside_begin
                             : std::clamp((last_left + task.padding_left) / s + 1, inside_begin, task.x_end);
  DepthwiseBorder(d, task, task.x_begin, inside_begin);
  if (task.kernel == 3 && s == 1) {
    DepthwiseInside<3, 1>(d, task, inside_begin, inside_end);
  } else if (task.kernel == 3 && s == 2) {
    DepthwiseInside<3, 2>(d, task, inside_begin, inside_end);
  } else {
    DepthwiseInside<0, 0>(d, task, inside_begin, inside_end);
  }
  DepthwiseBorder(d, task, inside_end, task.x_end);
}

void Depthwise(const DepthwiseTask& task) {
  const hn::ScalableTag<float> full;
  const hn::CappedTag<float, 8> eight;
  const hn::CappedTag<float, 1> one;
  if (task.channels >= hn::Lanes(full)) {
    DepthwiseRow(full, task);
  } else if (task.channels >= hn::Lanes(eight)) {
    DepthwiseRow(eight, task);
  } else {
    DepthwiseRow(one, task);
  }
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
