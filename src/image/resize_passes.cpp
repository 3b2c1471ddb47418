#include "image/resize_passes.h"

#include <algorithm>
#include <array>

#include "kernels/cpu.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/resize_passes.cpp"  // this file, once for each target
#include "hwy/foreach_target.h"                       // IWYU pragma: keep
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

std::uint8_t Round(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

// The pixels [begin, end) of a row.
template <int kChannels>
void PlainRow(const std::uint8_t* input, const Taps& taps, std::size_t begin, std::size_t end,
              std::uint8_t* output) {
  for (std::size_t x = begin; x < end; ++x) {
    const std::uint8_t* sample = input + static_cast<std::ptrdiff_t>(taps.firsts[x]) * kChannels;
    const std::int32_t* weights = taps.WeightsOf(x);
    std::int32_t sums[kChannels];
    std::fill_n(sums, kChannels, kHalf);
    for (int k = 0; k < taps.count; ++k, sample += kChannels) {
      for (int c = 0; c < kChannels; ++c) sums[c] += sample[c] * weights[k];
    }
    for (int c = 0; c < kChannels; ++c) output[x * kChannels + c] = Round(sums[c]);
  }
}

#if HWY_TARGET != HWY_SCALAR
// The same for three channels, with a pixel in four lanes of a register: a byte more than the pixel is read
// and written, which the next pixel writes over. `kCount` is taps.count where it is known to the compiler, 0
// otherwise: photos of ImageNet's size need 3 to 9 taps.
template <int kCount>
void ColourRow(const std::uint8_t* input, const Taps& taps, std::size_t end, std::uint8_t* output) {
  const hn::FixedTag<std::int32_t, 4> i32;
  const hn::FixedTag<std::uint8_t, 4> u8;
  const int count = kCount == 0 ? taps.count : kCount;
  const int* firsts = taps.firsts.data();
  const std::int32_t* weights = taps.weights.data();
  for (std::size_t x = 0; x < end; ++x, output += 3, weights += count) {
    const std::uint8_t* sample = input + static_cast<std::ptrdiff_t>(firsts[x]) * 3;
    auto sum = hn::Set(i32, kHalf);
    for (int k = 0; k < count; ++k, sample += 3)
      sum = hn::Add(sum, hn::Mul(hn::PromoteTo(i32, hn::LoadU(u8, sample)), hn::Set(i32, weights[k])));
    hn::StoreU(hn::DemoteTo(u8, hn::ShiftRight<kFractionBits>(sum)), u8, output);
  }
}

using RowFunction = void (*)(const std::uint8_t*, const Taps&, std::size_t, std::uint8_t*);
constexpr RowFunction kColourRows[] = {ColourRow<0>, ColourRow<1>, ColourRow<2>, ColourRow<3>, ColourRow<4>,
                                       ColourRow<5>, ColourRow<6>, ColourRow<7>, ColourRow<8>, ColourRow<9>};
#endif

void Across(const SampleRows& input, std::size_t rows, int channels, const Taps& taps, std::uint8_t* output) {
  const std::size_t width = taps.firsts.size();
  const std::uint8_t* from = input.data;
  std::uint8_t* to = output;
  for (std::size_t y = 0; y < rows; ++y, from += input.stride, to += width * channels) {
    if (channels == 1) {
      PlainRow<1>(from, taps, 0, width, to);
      continue;
    }
    std::size_t done = 0;
#if HWY_TARGET != HWY_SCALAR
    done = width;
    if (y + 1 == rows && input.rest == 0) {  // the last pixels reach the end of the memory
      while (done > 0 && taps.firsts[done - 1] + taps.count >= taps.extent) --done;
    }
    const std::size_t unrolled = static_cast<std::size_t>(taps.count);
    kColourRows[unrolled < std::size(kColourRows) ? unrolled : 0](from, taps, done, to);
#endif
    PlainRow<3>(from, taps, done, width, to);
  }
}

void Down(const std::uint8_t* input, std::size_t length, const Taps& taps, std::uint8_t* output) {
  const hn::ScalableTag<std::int32_t> i32;
  const hn::Rebind<std::uint8_t, decltype(i32)> u8;
  const std::size_t lanes = hn::Lanes(i32);
  for (std::size_t y = 0; y < taps.firsts.size(); ++y, output += length) {
    const std::uint8_t* row = input + static_cast<std::size_t>(taps.firsts[y]) * length;
    const std::int32_t* weights = taps.WeightsOf(y);
    std::size_t i = 0;
    for (; i + lanes <= length; i += lanes) {
      auto sum = hn::Set(i32, kHalf);
      const std::uint8_t* sample = row + i;
      for (int k = 0; k < taps.count; ++k, sample += length)
        sum = hn::Add(sum, hn::Mul(hn::PromoteTo(i32, hn::LoadU(u8, sample)), hn::Set(i32, weights[k])));
      hn::StoreU(hn::DemoteTo(u8, hn::ShiftRight<kFractionBits>(sum)), u8, output + i);
    }
    for (; i < length; ++i) {
      std::int32_t sum = kHalf;
      for (int k = 0; k < taps.count; ++k) sum += row[k * length + i] * weights[k];
      output[i] = Round(sum);
    }
  }
}

}  // namespace

const ResizePasses& Passes() {
  static constexpr ResizePasses kPasses = {.target = HWY_TARGET, .across = &Across, .down = &Down};
  return kPasses;
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mobilenet {

std::span<const ResizePasses* const> AvailableResizePasses() {
  static const std::vector<const ResizePasses*> available = [] {
    const ResizePasses* const compiled[] = {
#if HWY_TARGETS & HWY_AVX3
      &N_AVX3::Passes(),
#endif
#if HWY_TARGETS & HWY_AVX2
      &N_AVX2::Passes(),
#endif
#if HWY_TARGETS & HWY_SSE4
      &N_SSE4::Passes(),
#endif
#if HWY_TARGETS & HWY_NEON
      &N_NEON::Passes(),
#endif
#if HWY_TARGETS & HWY_EMU128
      &N_EMU128::Passes(),
#endif
#if HWY_TARGETS & HWY_SCALAR
      &N_SCALAR::Passes(),
#endif
    };
    std::vector<const ResizePasses*> passes;
    for (const ResizePasses* candidate : compiled) {
      if ((SupportedTargets() & candidate->target) != 0) passes.push_back(candidate);
    }
    return passes;
  }();
  return available;
}

}  // namespace mobilenet
#endif  // HWY_ONCE
