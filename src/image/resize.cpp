// Separable resampling in the arithmetic of Pillow's Image.resize: one row of weights for each output
// coordinate, rounded to 22 fractional bits, applied along one axis, rounded to 8 bits, then along the other.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/fail.h"
#include "image/resize_passes.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

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
  if (width < 1 || height < 1 ||
      static_cast<std::size_t>(width) > kMaxPixels / static_cast<std::size_t>(height)) {
    Fail("resize: to ", width, " x ", height, " pixels, expected at least one and at most ", kMaxPixels,
         " in all");
  }
  // Written so that a NaN fails too.
  const bool inside = box.left >= 0 && box.top >= 0 && box.right <= image.width && box.bottom <= image.height;
  const bool has_area = static_cast<float>(box.left) < static_cast<float>(box.right) &&
                        static_cast<float>(box.top) < static_cast<float>(box.bottom);
  if (!inside || !has_area) {
    Fail("resize: the box from ", box.left, ", ", box.top, " to ", box.right, ", ", box.bottom,
         " is empty or leaves the image of ", image.width, " x ", image.height, " pixels");
  }
}

Image Resized(const Image& image, int width, int height, ResizeFilter filter, const Box& box) {
  CheckArguments(image, width, height, box);
  const Kernel kernel = KernelOf(filter);
  const Taps across =
      MakeTaps(image.width, static_cast<float>(box.left), static_cast<float>(box.right), width, kernel);
  const Taps down =
      MakeTaps(image.height, static_cast<float>(box.top), static_cast<float>(box.bottom), height, kernel);
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t stride = image.width * channels;
  const std::size_t end = (static_cast<std::size_t>(down.begin) + down.extent - 1) * stride +
                          (static_cast<std::size_t>(across.begin) + across.extent) * channels;
  const SampleRows input = {image.pixels.data() + down.begin * stride + across.begin * channels, stride,
                            image.pixels.size() - end};

  Image resized{.width = width, .height = height, .channels = image.channels, .pixels = {}};
  const std::size_t length = width * channels;
  resized.pixels.resize(length * height);
  const ResizePasses& passes = *AvailableResizePasses().front();
  // Across, then down, always. The order decides how the rounding in between falls: this is Pillow's up to
  // version 12; version 13 turns it round for some tall pictures, which moves a few values by one.
  std::vector<std::uint8_t> narrow(length * down.extent + kSpareBytes);
  passes.across(input, down.extent, image.channels, across, narrow.data());
  passes.down(narrow.data(), length, down, resized.pixels.data());
  return resized;
}

}  // namespace

Image Resize(const Image& image, int width, int height, ResizeFilter filter, const Box& box) {
  return OrOutOfMemory("the picture", [&] { return Resized(image, width, height, filter, box); });
}

}  // namespace mobilenet
