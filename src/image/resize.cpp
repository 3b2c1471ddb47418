// Separable resampling in the arithmetic of Pillow's Image.resize: one row of weights for each output
// coordinate, rounded to 22 fractional bits, applied along one axis, rounded to 8 bits, then along the other.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "base/fail.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

// A sum of 8-bit samples times weights of this many bits, whose positive part may be a little more than 1,
// fits 32 bits with two to spare.
constexpr int kFractionBits = 22;

double Triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

// Keys 1981 with a = -1/2.
double Cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

struct Kernel {
  double (*weight)(double);
  double radius;
};

Kernel KernelOf(ResizeFilter filter) {
  return filter == ResizeFilter::kBicubic ? Kernel{Cubic, 2.0} : Kernel{Triangle, 1.0};
}

// For each output coordinate the inputs [begin + firsts[i], begin + firsts[i] + count) and their weights. All
// have the same count, with weights of 0 where fewer are needed: a loop of one length is predicted, and one
// that changes by a tap or two from pixel to pixel costs more in mispredicted branches than in products.
struct Taps {
  std::vector<int> firsts;
  std::vector<std::int32_t> weights;  // `count` for each output
  int count = 0;
  int begin = 0;   // the first input that any output needs
  int extent = 0;  // how many from there

  [[nodiscard]] const std::int32_t* WeightsOf(std::size_t output) const {
    return weights.data() + output * count;
  }
};

// The inputs that the kernel reaches from an output's centre.
struct Reach {
  double centre;
  int first;
  int end;
};

Reach ReachOf(double centre, double radius, int inputs) {
  return {.centre = centre,
          .first = std::max(0, static_cast<int>(centre - radius + 0.5)),
          .end = static_cast<int>(std::min<double>(inputs, centre + radius + 0.5))};
}

// The weights of a reach's inputs: the kernel, widened, scaled to a sum of 1 and rounded.
void WriteWeights(const Reach& reach, Kernel kernel, double widening, std::int32_t* weights) {
  const auto exact = [&](int input) {
    return kernel.weight((input - reach.centre + 0.5) * (1.0 / widening));
  };
  double sum = 0;
  for (int input = reach.first; input < reach.end; ++input) sum += exact(input);
  for (int input = reach.first; input < reach.end; ++input) {
    const double share = sum == 0 ? exact(input) : exact(input) / sum;
    *weights++ = static_cast<std::int32_t>(share * (1 << kFractionBits) + (share < 0 ? -0.5 : 0.5));
  }
}

// Taps for `outputs` coordinates that share [begin, end) of `inputs`. The ends are floats, as in Pillow's
// interface: a box of doubles would give other weights.
Taps MakeTaps(int inputs, float begin, float end, int outputs, Kernel kernel) {
  const double scale = static_cast<double>(end - begin) / outputs;
  const double widening = std::max(scale, 1.0);
  const double radius = kernel.radius * widening;
  const auto reach_of = [&](int output) { return ReachOf(begin + (output + 0.5) * scale, radius, inputs); };
  Taps taps;
  taps.begin = reach_of(0).first;
  taps.extent = reach_of(outputs - 1).end - taps.begin;
  for (int i = 0; i < outputs; ++i) taps.count = std::max(taps.count, reach_of(i).end - reach_of(i).first);
  taps.firsts.reserve(static_cast<std::size_t>(outputs));
  taps.weights.resize(static_cast<std::size_t>(outputs) * taps.count);
  for (int i = 0; i < outputs; ++i) {
    const Reach reach = reach_of(i);
    const int first = std::min(reach.first - taps.begin, taps.extent - taps.count);
    const int zeros = reach.first - taps.begin - first;
    taps.firsts.push_back(first);
    WriteWeights(reach, kernel, widening,
                 taps.weights.data() + static_cast<std::size_t>(i) * taps.count + zeros);
  }
  return taps;
}

std::uint8_t Round(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

// `kCount` is taps.count where it is known to the compiler, 0 otherwise.
template <int kChannels, int kCount>
void ResizeRow(const std::uint8_t* input, const Taps& taps, std::uint8_t* output) {
  const int count = kCount == 0 ? taps.count : kCount;
  for (std::size_t x = 0; x < taps.firsts.size(); ++x, output += kChannels) {
    const std::uint8_t* sample = input + static_cast<std::ptrdiff_t>(taps.firsts[x]) * kChannels;
    const std::int32_t* weights = taps.WeightsOf(x);
    std::int32_t sums[kChannels];
    std::fill_n(sums, kChannels, kHalf);
    for (int k = 0; k < count; ++k, sample += kChannels) {
      for (int c = 0; c < kChannels; ++c) sums[c] += sample[c] * weights[k];
    }
    for (int c = 0; c < kChannels; ++c) output[c] = Round(sums[c]);
  }
}

using RowFunction = void (*)(const std::uint8_t*, const Taps&, std::uint8_t*);

// Photos of ImageNet's size need 3 to 9 taps: unrolled, they take a sixth less time.
template <int kChannels>
RowFunction RowFunctionFor(int count) {
  constexpr RowFunction kUnrolled[] = {
      ResizeRow<kChannels, 0>, ResizeRow<kChannels, 1>, ResizeRow<kChannels, 2>, ResizeRow<kChannels, 3>,
      ResizeRow<kChannels, 4>, ResizeRow<kChannels, 5>, ResizeRow<kChannels, 6>, ResizeRow<kChannels, 7>,
      ResizeRow<kChannels, 8>, ResizeRow<kChannels, 9>};
  return kUnrolled[count < static_cast<int>(std::size(kUnrolled)) ? count : 0];
}

// Samples in rows that lie `stride` bytes apart.
struct Rows {
  const std::uint8_t* data;
  std::size_t stride;
};

void PassAcross(Rows input, std::size_t rows, int channels, const Taps& taps, std::uint8_t* output) {
  const RowFunction resize_row =
      channels == 3 ? RowFunctionFor<3>(taps.count) : RowFunctionFor<1>(taps.count);
  const std::size_t length = taps.firsts.size() * channels;
  for (std::size_t y = 0; y < rows; ++y, input.data += input.stride, output += length) {
    resize_row(input.data, taps, output);
  }
}

void PassDown(Rows input, std::size_t length, const Taps& taps, std::uint8_t* output) {
  std::vector<std::int32_t> sums(length);
  for (std::size_t y = 0; y < taps.firsts.size(); ++y, output += length) {
    const std::uint8_t* row = input.data + taps.firsts[y] * input.stride;
    const std::int32_t* weights = taps.WeightsOf(y);
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int k = 0; k < taps.count; ++k, row += input.stride) {
      const std::int32_t weight = weights[k];
      if (weight == 0) continue;
      for (std::size_t i = 0; i < length; ++i) sums[i] += row[i] * weight;
    }
    for (std::size_t i = 0; i < length; ++i) output[i] = Round(sums[i]);
  }
}

void CheckArguments(const Image& image, int width, int height, const Box& box) {
  if (image.width < 1 || image.height < 1 || (image.channels != 1 && image.channels != 3)) {
    Fail("resize: an image of ", image.width, " x ", image.height, " pixels and ", image.channels,
         " channels, expected at least one pixel and 1 or 3 channels");
  }
  const std::size_t samples = static_cast<std::size_t>(image.width) * image.height * image.channels;
  if (image.pixels.size() != samples) {
    Fail("resize: an image of ", image.width, " x ", image.height, " pixels and ", image.channels,
         " channels needs ", samples, " bytes, found ", image.pixels.size());
  }
  if (width < 1 || height < 1) Fail("resize: to ", width, " x ", height, " pixels, expected at least one");
  // Written so that a NaN fails too.
  const bool inside = box.left >= 0 && box.top >= 0 && box.right <= image.width && box.bottom <= image.height;
  const bool has_area = static_cast<float>(box.left) < static_cast<float>(box.right) &&
                        static_cast<float>(box.top) < static_cast<float>(box.bottom);
  if (!inside || !has_area) {
    Fail("resize: the box from ", box.left, ", ", box.top, " to ", box.right, ", ", box.bottom,
         " is empty or leaves the image of ", image.width, " x ", image.height, " pixels");
  }
}

}  // namespace

Image Resize(const Image& image, int width, int height, ResizeFilter filter, const Box& box) {
  CheckArguments(image, width, height, box);
  const Kernel kernel = KernelOf(filter);
  const Taps across =
      MakeTaps(image.width, static_cast<float>(box.left), static_cast<float>(box.right), width, kernel);
  const Taps down =
      MakeTaps(image.height, static_cast<float>(box.top), static_cast<float>(box.bottom), height, kernel);
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t stride = image.width * channels;
  const Rows input = {image.pixels.data() + down.begin * stride + across.begin * channels, stride};

  Image resized{.width = width, .height = height, .channels = image.channels, .pixels = {}};
  const std::size_t length = width * channels;
  resized.pixels.resize(length * height);
  // Across, then down, always. The order decides how the rounding in between falls: this is Pillow's up to
  // version 12; version 13 turns it round for some tall pictures, which moves a few values by one.
  std::vector<std::uint8_t> narrow(length * down.extent);
  PassAcross(input, down.extent, image.channels, across, narrow.data());
  PassDown({narrow.data(), length}, length, down, resized.pixels.data());
  return resized;
}

}  // namespace mobilenet
