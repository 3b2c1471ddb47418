// The response of filter n to images whose pixels have the mean m and, over a window, the covariance s^2 C is
// distributed with the mean m * sum(w_n) and the variance s^2 * w_n' C w_n. A batch norm's running statistics
// are those two numbers for each filter. Least squares over the filters gives m, the ratio of variances gives
// s. For natural images C is well known: neighbouring pixels correlate by about 0.95, colour channels by
// about 0.93 (Ruderman 1994; Burton and Moorhead 1987).
#include "formats/pixel_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "base/quantile.h"

namespace mobilenet {
namespace {

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

// The m of responses[n] = m * sum(w_n), by least squares, and its standard error. Nothing where the filters
// answer alike whatever m is.
std::optional<PixelStatistics> FitMean(const Filters& filters, const std::vector<double>& responses) {
  double product = 0;
  double square = 0;
  double total = 0;
  for (std::size_t n = 0; n < filters.count; ++n) {
    const double sum = filters.Sum(n);
    product += sum * responses[n];
    square += sum * sum;
    total += responses[n] * responses[n];
  }
  if (!(square > 0) || filters.count < 2 || !std::isfinite(product) || !std::isfinite(total))
    return std::nullopt;
  PixelStatistics found;
  found.mean = product / square;
  const double rest = std::max(0.0, total - found.mean * product);
  found.mean_error = std::sqrt(rest / static_cast<double>(filters.count - 1) / square);
  return found;
}

// The logarithms of sqrt(variance / w' C w): their median, and the standard error of that, with what C itself
// may be wrong by.
void FitDeviation(const Filters& filters, const op::Norm& norm, PixelStatistics& found) {
  constexpr double kModelError = 0.05;
  std::vector<double> logs;
  for (std::size_t n = 0; n < filters.count; ++n) {
    const double ratio = norm.variance[n] / NaturalVariance(filters, n);
    if (ratio > 0 && std::isfinite(ratio)) logs.push_back(std::log(ratio) / 2);
  }
  if (logs.empty()) return;
  const double spread = (Quantile(logs, 0.75) - Quantile(logs, 0.25)) / 1.35;  // of a normal distribution
  found.log_deviation = Median(logs);
  found.log_deviation_error =
      std::hypot(kModelError, 1.25 * spread / std::sqrt(static_cast<double>(logs.size())));
}

}  // namespace

std::optional<PixelStatistics> StatisticsOf(const op::Convolution& first, const op::Norm* norm) {
  constexpr std::int64_t kMostWindow = 7;
  if (first.weight.shape[0] > kMostWindow) return std::nullopt;
  const Filters filters(first.weight);
  // Folding left bias = shift - m * sum(w), with shifts that only make it less certain.
  std::vector<double> responses(filters.count);
  for (std::size_t n = 0; n < filters.count; ++n)
    responses[n] = (norm == nullptr ? 0.0 : norm->mean[n]) - (first.bias.empty() ? 0.0 : first.bias[n]);
  std::optional<PixelStatistics> found = FitMean(filters, responses);
  if (found && norm != nullptr) FitDeviation(filters, *norm, *found);
  return found;
}

}  // namespace mobilenet
