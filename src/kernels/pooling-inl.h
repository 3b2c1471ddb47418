// Averages, largest values, softmax, and the loop that measures a core's peak. Compiled once for each target.
#if defined(MOBILENET_POOLING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_POOLING_INL_H
#undef MOBILENET_POOLING_INL_H
#else
#define MOBILENET_POOLING_INL_H
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include "base/bytes.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Four registers at once: one sum would wait for itself.
template <std::size_t kRegisters, class D>
HWY_INLINE void AverageRegisters(D d, const float* input, std::size_t pixels, std::size_t pitch,
                                 float* output) {
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, 1.0F / static_cast<float>(pixels));
  hn::Vec<D> sum[kRegisters];
  HWY_UNROLL(4)
  for (std::size_t r = 0; r < kRegisters; ++r) sum[r] = hn::Zero(d);
  for (std::size_t p = 0; p < pixels; ++p) {
    HWY_UNROLL(4)
    for (std::size_t r = 0; r < kRegisters; ++r)
      sum[r] = hn::Add(sum[r], hn::LoadU(d, input + p * pitch + r * lanes));
  }
  HWY_UNROLL(4)
  for (std::size_t r = 0; r < kRegisters; ++r) hn::StoreU(hn::Mul(sum[r], scale), d, output + r * lanes);
}

template <class D>
HWY_INLINE void AverageChannels(D d, const float* input, std::size_t pixels, std::size_t pitch,
                                std::size_t channels, float* output) {
  const std::size_t lanes = hn::Lanes(d);
  std::size_t c = 0;
  for (; c + 4 * lanes <= channels; c += 4 * lanes)
    AverageRegisters<4>(d, input + c, pixels, pitch, output + c);
  for (; c < channels; c += lanes) {
    c = std::min(c, channels - lanes);
    AverageRegisters<1>(d, input + c, pixels, pitch, output + c);
  }
}

void Average(const float* input, std::size_t pixels, std::size_t pitch_bytes, std::size_t channels,
             float* output) {
  const std::size_t pitch = pitch_bytes / sizeof(float);
  const hn::ScalableTag<float> full;
  if (channels >= hn::Lanes(full)) {
    AverageChannels(full, input, pixels, pitch, channels, output);
  } else {
    AverageChannels(hn::CappedTag<float, 1>(), input, pixels, pitch, channels, output);
  }
}

// Registers may overlap the one before them. A NaN is the largest of all: it must not look like an answer.
template <class D>
HWY_INLINE void MaxPoolPixel(D d, const MaxPoolTask& task, int x, float* output) {
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t pitch = task.input_pitch / sizeof(float);
  const std::size_t first = static_cast<std::size_t>(x) * static_cast<std::size_t>(task.stride) * pitch;
  for (std::size_t c = 0; c < task.channels; c += lanes) {
    c = std::min(c, task.channels - lanes);
    auto largest = hn::LoadU(d, task.input[0] + first + c);
    for (int r = 0; r < task.kernel; ++r) {
      for (int t = 0; t < task.kernel; ++t) {
        const auto v = hn::LoadU(d, task.input[r] + first + static_cast<std::size_t>(t) * pitch + c);
        largest = hn::IfThenElse(hn::Or(hn::Gt(v, largest), hn::Ne(v, v)), v, largest);
      }
    }
    hn::StoreU(largest, d, output + c);
  }
}

void MaxPool(const MaxPoolTask& task) {
  const hn::ScalableTag<float> full;
  const hn::CappedTag<float, 1> one;
  for (int x = task.x_begin; x < task.x_end; ++x) {
    float* output = AddBytes(task.output, static_cast<std::size_t>(x - task.x_begin) * task.output_pitch);
    if (task.channels >= hn::Lanes(full)) {
      MaxPoolPixel(full, task, x, output);
    } else {
      MaxPoolPixel(one, task, x, output);
    }
  }
}

// exp(values - peak) in place for one run of registers of D; returns how many values were done.
template <class D>
HWY_INLINE std::size_t ExpFrom(D d, std::span<float> values, std::size_t begin, float peak) {
  std::size_t i = begin;
  for (; i + hn::Lanes(d) <= values.size(); i += hn::Lanes(d)) {
    const auto x = hn::Sub(hn::LoadU(d, values.data() + i), hn::Set(d, peak));
    hn::StoreU(hn::Exp(d, x), d, values.data() + i);
  }
  return i;
}

void Softmax(std::span<float> values) {
  float peak = -std::numeric_limits<float>::infinity();
  bool nan = false;
  for (const float value : values) {
    peak = std::max(peak, value);
    nan |= std::isnan(value);
  }
  if (nan) {  // its exponential may be 0
    std::ranges::fill(values, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  const std::size_t done = ExpFrom(hn::ScalableTag<float>(), values, 0, peak);
  ExpFrom(hn::CappedTag<float, 1>(), values, done, peak);
  double total = 0;
  for (const float value : values) total += value;
  const auto scale = static_cast<float>(1 / total);
  for (float& value : values) value *= scale;
}

// Twelve sums: enough to cover a latency of 4 to 5 cycles on 2 units, and few enough for 16 registers.
HWY_NOINLINE double MultiplyAdds(std::size_t iterations) {
  const hn::ScalableTag<float> d;
  constexpr std::size_t kSums = 12;
  hn::Vec<decltype(d)> sum[kSums];
  for (std::size_t i = 0; i < kSums; ++i) sum[i] = hn::Set(d, static_cast<float>(i));
  auto factor = hn::Set(d, 0.5F);
  auto term = hn::Set(d, 1.0F);
  for (std::size_t n = 0; n < iterations; ++n) {
    HWY_UNROLL(12)
    for (std::size_t i = 0; i < kSums; ++i) sum[i] = hn::MulAdd(sum[i], factor, term);
  }
  auto total = hn::Zero(d);
  for (std::size_t i = 0; i < kSums; ++i) total = hn::Add(total, sum[i]);
  // The result must depend on the sums, or the loop would be removed: they converge to 2 and stay finite.
  const double finite = hn::GetLane(total) < 1e30F ? 1.0 : 0.0;
  return finite * 2.0 * kSums * static_cast<double>(iterations * hn::Lanes(d));
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
