// Which normalisation the weights were trained with, worked out from the first layer.
//
// The response of filter n to images whose pixels have the mean m and, over a window, the covariance s^2 C is
// distributed with the mean m * sum(w_n) and the variance s^2 * w_n' C w_n. A batch norm's running statistics
// are those two numbers for each filter. Least squares over the filters gives m, the ratio of variances gives
// s. For natural images C is well known: neighbouring pixels correlate by about 0.95, colour channels by
// about 0.93 (Ruderman 1994; Burton and Moorhead 1987). In units of 0 to 255, m is about 118 and s about 70,
// in which each usual normalisation leaves its own traces:  x / 127.5 - 1: -0.07, 0.55;  x / 255: 0.46, 0.27;
// by mean and deviation: 0, 1.2;  by mean alone: 0, 70.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "base/quantile.h"
#include "formats/graph.h"

namespace mobilenet {
namespace {

struct Statistics {
  double mean = 0;
  double deviation = 0;
};

struct Candidate {
  const char* preset;
  Statistics natural;
};

constexpr std::array<Candidate, 4> kCandidates = {
    {{"tensorflow", {-0.07, 0.55}}, {"unit", {0.46, 0.27}}, {"pytorch", {0.0, 1.2}}, {"caffe", {0.0, 70.0}}}};

// The filters' columns of the first weight: weight[tap * filters + n] with tap = (y * kernel + x) * channels
// + c.
struct Filters {
  const float* weight;
  std::size_t kernel, channels, count;

  explicit Filters(const Tensor& tensor)
      : weight(tensor.values.data()),
        kernel(static_cast<std::size_t>(tensor.shape[0])),
        channels(static_cast<std::size_t>(tensor.shape[2])),
        count(static_cast<std::size_t>(tensor.shape[3])) {}

  [[nodiscard]] std::size_t taps() const { return kernel * kernel * channels; }
  [[nodiscard]] double at(std::size_t tap, std::size_t n) const { return weight[tap * count + n]; }
  [[nodiscard]] double Sum(std::size_t n) const {
    double sum = 0;
    for (std::size_t t = 0; t < taps(); ++t) sum += at(t, n);
    return sum;
  }
};

double NaturalCorrelation(const Filters& filters, std::size_t a, std::size_t b) {
  constexpr double kPixel = 0.95;
  constexpr double kChannel = 0.93;
  const auto position = [&](std::size_t tap) {
    const std::size_t pixel = tap / filters.channels;
    const std::size_t row = pixel / filters.kernel;
    const std::size_t column = pixel % filters.kernel;
    return std::pair(static_cast<double>(row), static_cast<double>(column));
  };
  const auto [ay, ax] = position(a);
  const auto [by, bx] = position(b);
  const bool same_channel = a % filters.channels == b % filters.channels;
  return std::pow(kPixel, std::hypot(ay - by, ax - bx)) * (same_channel ? 1 : kChannel);
}

// w' C w for filter n.
double NaturalVariance(const Filters& filters, std::size_t n) {
  double variance = 0;
  for (std::size_t a = 0; a < filters.taps(); ++a) {
    for (std::size_t b = 0; b < filters.taps(); ++b) {
      variance += filters.at(a, n) * filters.at(b, n) * NaturalCorrelation(filters, a, b);
    }
  }
  return variance;
}

// The m that explains responses[n] = m * sum(w_n) best, and the share of them that it explains.
struct Fit {
  double slope;
  double explained;
};

Fit FitMean(const Filters& filters, const std::vector<double>& responses) {
  double product = 0;
  double square = 0;
  double total = 0;
  for (std::size_t n = 0; n < filters.count; ++n) {
    const double sum = filters.Sum(n);
    product += sum * responses[n];
    square += sum * sum;
    total += responses[n] * responses[n];
  }
  if (square == 0 || total == 0) return {0, 0};
  return {product / square, product * product / (square * total)};
}

Preprocessing FromStatistics(const Filters& filters, const op::Convolution& first, const op::Norm& norm,
                             std::string& evidence) {
  std::vector<double> means(filters.count);
  std::vector<double> ratios;
  for (std::size_t n = 0; n < filters.count; ++n) {
    means[n] = norm.mean[n] - (first.bias.empty() ? 0.0 : first.bias[n]);
    const double natural = NaturalVariance(filters, n);
    if (natural > 0) ratios.push_back(std::sqrt(norm.variance[n] / natural));
  }
  if (ratios.empty()) {
    evidence = "assumed: the first layer's filters are all zero";
    return PreprocessingPreset("tensorflow");
  }
  const Statistics found = {FitMean(filters, means).slope, std::max(Median(std::move(ratios)), 1e-6)};
  const auto distance = [&](const Candidate& c) {
    return std::hypot(std::log(found.deviation / c.natural.deviation),
                      (found.mean - c.natural.mean) / c.natural.deviation);
  };
  const auto* best = std::ranges::min_element(kCandidates, {}, distance);
  evidence = Concat("inferred from the first batch norm: pixels had mean ", found.mean, " and deviation ",
                    found.deviation);
  return PreprocessingPreset(best->preset);
}

// Folding left bias = shift - m * sum(w), with shifts of which only the average is known to be small. That
// tells [0, 1] pixels, whose mean is far from 0, from the others, and no more.
Preprocessing FromFoldedBias(const Filters& filters, const op::Convolution& first, std::string& evidence) {
  std::vector<double> responses(filters.count);
  for (std::size_t n = 0; n < filters.count; ++n)
    responses[n] = first.bias.empty() ? 0.0 : -double{first.bias[n]};
  const Fit fit = FitMean(filters, responses);
  const bool unit = fit.slope > 0.3 && fit.slope < 0.7 && fit.explained > 0.5;
  evidence = unit ? Concat("inferred from the first layer's bias: pixels had a mean of about ", fit.slope)
                  : "assumed: the file doesn't tell, its batch norms are folded";
  return PreprocessingPreset(unit ? "unit" : "tensorflow");
}

}  // namespace

Preprocessing InferPreprocessing(const op::Convolution& first, const op::Norm* norm, std::string& evidence) {
  // The time that it takes grows with the fourth power of a window's side.
  constexpr std::int64_t kMostWindow = 7;
  if (first.weight.shape[0] > kMostWindow) {
    evidence = "assumed: the first layer's windows are too large to tell";
    return PreprocessingPreset("tensorflow");
  }
  const Filters filters(first.weight);
  return norm != nullptr ? FromStatistics(filters, first, *norm, evidence)
                         : FromFoldedBias(filters, first, evidence);
}

}  // namespace mobilenet
