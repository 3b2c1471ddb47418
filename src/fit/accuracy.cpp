#include <array>
#include <cmath>

#include "mobilenet/fit.h"

namespace mobilenet {
namespace {

constexpr std::array<double, 4> kAlphas = {0.25, 0.5, 0.75, 1};
constexpr std::array<int, 4> kResolutions = {128, 160, 192, 224};

// Top-1 in percent, a row for each alpha: tensorflow/models, research/slim/nets/mobilenet_v1.md, "Pre-trained
// Models".
constexpr std::array<std::array<double, 4>, 4> kTop1 = {
    {{41.5, 45.5, 47.7, 49.8}, {56.3, 59.1, 61.7, 63.3}, {62.1, 65.3, 67.2, 68.4}, {65.2, 68.0, 70.0, 70.9}}};

struct Place {
  std::size_t index;  // of the knot at or below
  double share;       // of the way to the next knot, in logarithms
};

template <typename T>
std::optional<Place> Locate(const std::array<T, 4>& knots, T value) {
  if (!(value >= knots.front() && value <= knots.back())) return std::nullopt;
  std::size_t i = 0;
  while (i + 2 < knots.size() && value >= knots[i + 1]) ++i;
  const double below = knots[i];
  const double above = knots[i + 1];
  return Place{i, std::log(static_cast<double>(value) / below) / std::log(above / below)};
}

}  // namespace

std::optional<Accuracy> ImagenetAccuracy(double alpha, int resolution) {
  const auto a = Locate(kAlphas, alpha);
  const auto r = Locate(kResolutions, resolution);
  if (!a || !r) return std::nullopt;
  const auto along = [&](std::size_t row) {
    return std::lerp(kTop1[row][r->index], kTop1[row][r->index + 1], r->share);
  };
  const auto is_knot = [](const Place& place) { return place.share == 0 || place.share == 1; };
  return Accuracy{std::lerp(along(a->index), along(a->index + 1), a->share) / 100,
                  is_knot(*a) && is_knot(*r)};
}

}  // namespace mobilenet
