// Depthwise convolution, one output row at a time. Compiled once for each target.
//
// 3x3 windows, which is nearly all that there is, go along the row one register of channels after the other:
// the nine weights stay in registers, and each input column is loaded once for all the outputs that it
// belongs to, 3 loads for 9 multiply-adds at stride 1. Windows of 5x5 are left to depthwise_tiles-inl.h,
// others to depthwise_pixels-inl.h.
#if defined(MOBILENET_DEPTHWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOBILENET_DEPTHWISE_INL_H
#undef MOBILENET_DEPTHWISE_INL_H
#else
#define MOBILENET_DEPTHWISE_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include "hwy/highway.h"
#include "kernels/clamp-inl.h"
#include "kernels/curve-inl.h"
#include "kernels/depthwise_pixels-inl.h"
#include "kernels/depthwise_tiles-inl.h"
#include "kernels/kernels.h"
#include "kernels/sixteen_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Loads a column of the input under the window: one register for each row of it that exists. (Plain arrays: a
// struct's implicit constructor would not be compiled for the target.)
template <int kRows, class D>
HWY_INLINE void LoadColumn(D d, const float* const (&rows)[3], std::size_t offset,
                           hn::Vec<D> (&column)[kRows]) {
  HWY_UNROLL(3)
  for (int r = 0; r < kRows; ++r) column[r] = hn::LoadU(d, rows[r] + offset);
}

// sum + column . the weights of one column of the window.
template <int kRows, class Vector>
HWY_INLINE Vector AddColumn(const Vector (&column)[kRows], const Vector (&weight)[3][3], int tap,
                            Vector sum) {
  HWY_UNROLL(3)
  for (int r = 0; r < kRows; ++r) sum = hn::MulAdd(column[r], weight[r][tap], sum);
  return sum;
}

// A row of 3x3 windows of which kRows rows exist, for one register of channels from `c` on.
template <int kRows, int kStride, bool kCurved, class D>
HWY_INLINE void Depthwise3x3Channels(D d, const DepthwiseTask& task, std::size_t c) {
  using Vector = hn::Vec<D>;
  const std::size_t channels = task.channels;
  const std::size_t pitch = task.input_pitch / sizeof(float);
  const float* rows[3] = {};
  Vector weight[3][3];
  HWY_UNROLL(3)
  for (int r = 0; r < kRows; ++r) {
    rows[r] = task.input[r] + c;
    HWY_UNROLL(3)
    for (int t = 0; t < 3; ++t) weight[r][t] = hn::LoadU(d, task.weight[r] + t * channels + c);
  }
  const Vector bias = hn::LoadU(d, task.bias + c);
  const Vector low = hn::Set(d, task.range.low);
  const Vector high = hn::Set(d, task.range.high);
  const Format format = task.output_format;
  const std::size_t output_pitch = task.output_pitch;
  void* output = task.output;
  const auto store = [&](Vector sum) HWY_ATTR {
    // A curve leaves nothing outside of its range, and what it takes lacks for multiply-adds.
    const Vector held = kCurved ? Curved(d, sum, task.range.curve) : Clamped(d, sum, low, high);
    StoreAs(d, held, format, output, c);
    output = AddBytes(output, output_pitch);
  };
  int x = task.x_begin;
  int left = x * kStride - task.padding_left;  // the window's first column
  // Windows that hang over an end of the row take only the columns that exist.
  const auto border = [&] HWY_ATTR {
    Vector sum = bias;
    for (int t = 0; t < 3; ++t) {
      if (left + t < 0 || left + t >= task.width) continue;
      Vector column[kRows];
      LoadColumn<kRows>(d, rows, static_cast<std::size_t>(left + t) * pitch, column);
      sum = AddColumn<kRows>(column, weight, t, sum);
    }
    store(sum);
  };
  for (; x < task.x_end && left < 0; ++x, left += kStride) border();
  const int inside = std::min(task.x_end - x, (task.width - 3 - left) / kStride + 1);
  if (left + 3 <= task.width && inside > 0) {
    // The offset of the column that comes next.
    std::size_t next = static_cast<std::size_t>(left) * pitch;
    Vector column[kRows];
    LoadColumn<kRows>(d, rows, next, column);
    if constexpr (kStride == 1) {
      // Two outputs are under way when a column arrives, and it begins a third.
      Vector last = AddColumn<kRows>(column, weight, 0, bias);  // lacks two columns
      LoadColumn<kRows>(d, rows, next += pitch, column);
      Vector done = AddColumn<kRows>(column, weight, 1, last);  // lacks one
      last = AddColumn<kRows>(column, weight, 0, bias);
      for (int i = 0; i < inside; ++i) {
        LoadColumn<kRows>(d, rows, next += pitch, column);
        store(AddColumn<kRows>(column, weight, 2, done));
        done = AddColumn<kRows>(column, weight, 1, last);
        last = AddColumn<kRows>(column, weight, 0, bias);
      }
    } else {
      // The third column of a window is the first of the next one.
      Vector sum = AddColumn<kRows>(column, weight, 0, bias);
      for (int i = 0; i < inside; ++i) {
        LoadColumn<kRows>(d, rows, next += pitch, column);
        sum = AddColumn<kRows>(column, weight, 1, sum);
        LoadColumn<kRows>(d, rows, next += pitch, column);
        store(AddColumn<kRows>(column, weight, 2, sum));
        sum = AddColumn<kRows>(column, weight, 0, bias);
      }
    }
    x += inside;
    left += inside * kStride;
  }
  for (; x < task.x_end; ++x, left += kStride) border();
}

template <class D, int kRows, int kStride, bool kCurved>
HWY_NOINLINE void Depthwise3x3(const DepthwiseTask& task) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t c = 0; c < task.channels; c += lanes) {
    // The last register overlaps the one before it where the channels don't divide evenly.
    Depthwise3x3Channels<kRows, kStride, kCurved>(d, task, std::min(c, task.channels - lanes));
  }
}

using DepthwiseFunction = void (*)(const DepthwiseTask&);

// By the stride and the number of rows that exist.
template <class D, bool kCurved>
constexpr DepthwiseFunction k3x3[2][3] = {
    {&Depthwise3x3<D, 1, 1, kCurved>, &Depthwise3x3<D, 2, 1, kCurved>, &Depthwise3x3<D, 3, 1, kCurved>},
    {&Depthwise3x3<D, 1, 2, kCurved>, &Depthwise3x3<D, 2, 2, kCurved>, &Depthwise3x3<D, 3, 2, kCurved>}};

template <class D>
HWY_INLINE void Depthwise3x3Row(D /*d*/, const DepthwiseTask& task) {
  const auto& functions = task.range.curve == Curve::kStraight ? k3x3<D, false> : k3x3<D, true>;
  functions[task.stride - 1][task.rows - 1](task);
}

#if HWY_TARGET == HWY_AVX3
// Whether two neighbouring pixels of input and output make one register, and are only held in their range.
HWY_INLINE bool TwoPixelsFillARegister(const DepthwiseTask& task) {
  return 2 * task.channels == hn::Lanes(F()) && task.stride == 1 && task.range.curve == Curve::kStraight &&
         task.input_pitch == task.channels * sizeof(float) &&
         task.output_pitch == task.channels * SizeOf(task.output_format);
}

// 3x3 windows of pixels that pair, the output pixels [begin, end), which are an even number of them. Each
// pair of input pixels is loaded once; what lies between two pairs is made of their halves, since loads that
// begin half a register later would straddle cache lines.
template <int kRows>
HWY_NOINLINE void DepthwisePairs(const DepthwiseTask& task, int begin, int end) {
  const F d;
  const hn::Half<F> half;
  const std::size_t channels = task.channels;
  const auto twice = [&](const float* values) HWY_ATTR {
    const auto one = hn::LoadU(half, values);
    return hn::Combine(d, one, one);
  };
  if (begin == end) return;
  const float* rows[3] = {};
  hn::Vec<F> weight[3][3];
  hn::Vec<F> left[3];
  HWY_UNROLL(3)
  for (int r = 0; r < kRows; ++r) {
    rows[r] = task.input[r] + static_cast<std::size_t>(begin - task.padding_left) * channels;
    left[r] = hn::LoadU(d, rows[r]);
    HWY_UNROLL(3)
    for (int t = 0; t < 3; ++t) weight[r][t] = twice(task.weight[r] + t * channels);
  }
  const auto bias = twice(task.bias);
  const auto low = hn::Set(d, task.range.low);
  const auto high = hn::Set(d, task.range.high);
  const Format format = task.output_format;
  const std::size_t output_pitch = task.output_pitch;
  void* output = AddBytes(task.output, static_cast<std::size_t>(begin - task.x_begin) * output_pitch);
  std::size_t at = 0;
  for (int x = begin; x < end; x += 2) {
    at += 2 * channels;
    auto sum = bias;
    HWY_UNROLL(3)
    for (int r = 0; r < kRows; ++r) {
      const auto right = hn::LoadU(d, rows[r] + at);
      sum = hn::MulAdd(left[r], weight[r][0], sum);
      sum = hn::MulAdd(hn::ConcatLowerUpper(d, right, left[r]), weight[r][1], sum);
      sum = hn::MulAdd(right, weight[r][2], sum);
      left[r] = right;
    }
    StoreAs(d, Clamped(d, sum, low, high), format, output, 0);
    output = AddBytes(output, 2 * output_pitch);
  }
}

void DepthwiseByPairs(const DepthwiseTask& task) {
  using Function = void (*)(const DepthwiseTask&, int, int);
  constexpr Function kPairs[3] = {&DepthwisePairs<1>, &DepthwisePairs<2>, &DepthwisePairs<3>};
  const hn::Half<F> half;
  const Inside inside = InsideOf(task);
  const int last = inside.begin + (inside.end - inside.begin) / 2 * 2;
  DepthwiseBorder(half, task, task.x_begin, inside.begin);
  kPairs[task.rows - 1](task, inside.begin, last);
  DepthwiseBorder(half, task, last, task.x_end);
}
#endif

void Depthwise(const DepthwiseTask& task) {
  const F full;
  const hn::CappedTag<float, 8> eight;
  const hn::CappedTag<float, 1> one;
  const bool is_3x3 = task.kernel == 3 && task.stride <= 2 && task.rows > 0;
#if HWY_TARGET == HWY_AVX3
  if (is_3x3 && TwoPixelsFillARegister(task)) return DepthwiseByPairs(task);
#endif
  const bool is_5x5 = task.kernel == 5 && task.stride <= 2;
  const auto row = [&](auto d) HWY_ATTR {
    if (is_3x3) return Depthwise3x3Row(d, task);
    if (is_5x5 && task.stride == 1) return DepthwiseTiledRow<5, 1>(d, task);
    if (is_5x5) return DepthwiseTiledRow<5, 2>(d, task);
    DepthwiseRow(d, task);
  };
  if (task.channels >= hn::Lanes(full)) {
    row(full);
  } else if (task.channels >= hn::Lanes(eight)) {
    row(eight);
  } else {
    row(one);
  }
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
