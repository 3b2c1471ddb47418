#include "image/resize_taps.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

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

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

// Duchon 1979, with three lobes.
double Lanczos(double x) { return -3.0 <= x && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

double Box(double x) { return -0.5 < x && x <= 0.5 ? 1.0 : 0.0; }

// The part of an axis that becomes `outputs` pixels.
struct Axis {
  int inputs;
  double begin;
  double scale;  // inputs for an output

  Axis(int count, float from, float to, int outputs)
      : inputs(count), begin(from), scale(static_cast<double>(to - from) / outputs) {}
};

// The inputs [first, end) that an output is made of, around `at`.
struct Reach {
  double at;
  int first;
  int end;
};

// What makes an output: a reach and, for each input in it, a weight. The weights of a reach are scaled to a
// sum of 1.

// A kernel that widens as it shrinks: Pillow's way.
struct Widened {
  double (*kernel)(double);
  double radius;  // of the kernel
  Axis axis;

  [[nodiscard]] double widening() const { return std::max(axis.scale, 1.0); }
  [[nodiscard]] Reach Of(int output) const {
    const double centre = axis.begin + (output + 0.5) * axis.scale;
    const double reach = radius * widening();
    return {.at = centre,
            .first = std::max(0, static_cast<int>(centre - reach + 0.5)),
            .end = static_cast<int>(std::min<double>(axis.inputs, centre + reach + 0.5))};
  }
  [[nodiscard]] double Weight(const Reach& reach, int input) const {
    return kernel((input - reach.at + 0.5) * (1.0 / widening()));
  }
};

// The share of each input in the part of the axis that the output covers: OpenCV's INTER_AREA.
struct Coverage {
  Axis axis;

  [[nodiscard]] Reach Of(int output) const {
    const double from = axis.begin + output * axis.scale;
    const int first = std::clamp(static_cast<int>(from), 0, axis.inputs - 1);
    const int end = static_cast<int>(std::ceil(from + axis.scale));
    return {.at = from, .first = first, .end = std::clamp(end, first + 1, axis.inputs)};
  }
  [[nodiscard]] double Weight(const Reach& reach, int input) const {
    const double overlap = std::min(reach.at + axis.scale, input + 1.0) - std::max<double>(reach.at, input);
    return reach.end - reach.first == 1 ? 1.0 : std::max(0.0, overlap);
  }
};

// The two inputs on both sides of the output's centre, however many lie between this one and the next:
// TensorFlow's half-pixel centres.
struct Neighbours {
  Axis axis;

  [[nodiscard]] Reach Of(int output) const {
    const double at = axis.begin + (output + 0.5) * axis.scale - 0.5;
    const double inside = std::clamp(at, 0.0, axis.inputs - 1.0);
    const int first = static_cast<int>(inside);
    return {.at = inside, .first = first, .end = std::min(first + 2, axis.inputs)};
  }
  [[nodiscard]] double Weight(const Reach& reach, int input) const { return Triangle(input - reach.at); }
};

// The input that the output's centre lies in. The centres are sums of steps, not products, as Pillow has
// them: where one falls between two inputs, the last digit decides which is taken.
class Single {
 public:
  Single(const Axis& axis, int outputs) {
    double centre = axis.begin + axis.scale * 0.5;
    for (int i = 0; i < outputs; ++i, centre += axis.scale)
      inputs_.push_back(std::clamp(static_cast<int>(centre), 0, axis.inputs - 1));
  }

  [[nodiscard]] Reach Of(int output) const {
    const int input = inputs_[static_cast<std::size_t>(output)];
    return {.at = 0, .first = input, .end = input + 1};
  }
  [[nodiscard]] static double Weight(const Reach& /*reach*/, int /*input*/) { return 1.0; }

 private:
  std::vector<int> inputs_;
};

// The weights of a reach's inputs, scaled to a sum of 1 and rounded.
template <typename Rule>
void WriteWeights(const Rule& rule, const Reach& reach, std::int32_t* weights) {
  double sum = 0;
  for (int input = reach.first; input < reach.end; ++input) sum += rule.Weight(reach, input);
  for (int input = reach.first; input < reach.end; ++input) {
    const double exact = rule.Weight(reach, input);
    const double share = sum == 0 ? exact : exact / sum;
    *weights++ = static_cast<std::int32_t>(share * (1 << kFractionBits) + (share < 0 ? -0.5 : 0.5));
  }
}

template <typename Rule>
Taps TapsBy(const Rule& rule, int outputs) {
  Taps taps;
  taps.begin = rule.Of(0).first;
  taps.extent = rule.Of(outputs - 1).end - taps.begin;
  for (int i = 0; i < outputs; ++i) taps.count = std::max(taps.count, rule.Of(i).end - rule.Of(i).first);
  taps.firsts.reserve(static_cast<std::size_t>(outputs));
  taps.weights.resize(static_cast<std::size_t>(outputs) * taps.count);
  for (int i = 0; i < outputs; ++i) {
    const Reach reach = rule.Of(i);
    const int first = std::min(reach.first - taps.begin, taps.extent - taps.count);
    const int zeros = reach.first - taps.begin - first;
    taps.firsts.push_back(first);
    WriteWeights(rule, reach, taps.weights.data() + static_cast<std::size_t>(i) * taps.count + zeros);
  }
  return taps;
}

}  // namespace

Taps MakeTaps(ResizeFilter filter, int inputs, float begin, float end, int outputs) {
  const Axis axis(inputs, begin, end, outputs);
  switch (filter) {
    case ResizeFilter::kBilinear:
      return TapsBy(Widened{Triangle, 1.0, axis}, outputs);
    case ResizeFilter::kBicubic:
      return TapsBy(Widened{Cubic, 2.0, axis}, outputs);
    case ResizeFilter::kLanczos:
      return TapsBy(Widened{Lanczos, 3.0, axis}, outputs);
    case ResizeFilter::kBox:
      return TapsBy(Widened{Box, 0.5, axis}, outputs);
    case ResizeFilter::kArea:
      return TapsBy(Coverage{axis}, outputs);
    case ResizeFilter::kNearest:
      return TapsBy(Single(axis, outputs), outputs);
    case ResizeFilter::kBilinearUnaliased:
      return TapsBy(Neighbours{axis}, outputs);
  }
  return {};
}

}  // namespace mobilenet
