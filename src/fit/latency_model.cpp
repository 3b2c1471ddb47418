#include "fit/latency_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/machine.h"
#include "base/quantile.h"
#include "kernels/kernels.h"
#include "network/schedule.h"

namespace mobilenet {
namespace {

double RoundUp(double value, double unit) { return std::ceil(value / unit) * unit; }

std::string KindOf(const Network& network, const StepLayers& step) {
  const std::string kind(NameOf(network.layers[step.main].kind));
  return step.rows ? "depthwise + " + kind : kind;
}

// What a step does, in units of about the same size.
std::vector<double> FeaturesOf(const Network& network, const StepLayers& step) {
  const Layer& first = network.layers[step.first()];
  const Layer& last = network.layers[step.main];
  const Kernels& kernels = *AvailableKernels().front();
  const double pixels = double{1} * last.output.height * last.output.width;
  const double inputs = last.kind == LayerKind::kConvolution
                            ? double{1} * last.kernel * last.kernel * last.input.channels
                            : last.input.channels;
  const double columns = last.output.channels;
  const double in = static_cast<double>(first.input.size());
  const double out = static_cast<double>(last.output.size());
  const double tiles = std::ceil(pixels / static_cast<double>(kernels.tile_rows)) *
                       std::ceil(columns / (2.0 * static_cast<double>(kernels.lanes)));
  const double window =
      step.rows ? double{1} * first.kernel * first.kernel * static_cast<double>(first.output.size()) : 0;
  const double l2 = static_cast<double>(Caches().l2) / sizeof(float);
  return {1,
          // the product, whole registers of columns at a time
          1e-6 * pixels * inputs * RoundUp(columns, static_cast<double>(kernels.lanes)),
          1e-4 * tiles,             // filling and emptying a tile
          1e-5 * inputs * columns,  // reading weights
          1e-5 * out,
          1e-5 * pixels * inputs,                   // making the rows
          1e-5 * (first.stride == 1 ? window : 0),  // depthwise work
          1e-5 * (first.stride == 1 ? 0 : window), 1e-5 * std::max(0.0, in + out - l2)};
}

double Dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

std::vector<double> NonNegativeLeastSquares(std::span<const std::vector<double>> rows,
                                            std::span<const double> targets) {
  const std::size_t n = rows.empty() ? 0 : rows.front().size();
  std::vector<std::vector<double>> gram(n, std::vector<double>(n, 0));
  std::vector<double> moment(n, 0);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = 0; i < n; ++i) {
      moment[i] += rows[r][i] * targets[r];
      for (std::size_t j = 0; j < n; ++j) gram[i][j] += rows[r][i] * rows[r][j];
    }
  }
  std::vector<double> x(n, 0);
  for (int sweep = 0; sweep < 20'000; ++sweep) {
    double moved = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (gram[i][i] <= 0) continue;
      const double next = std::max(0.0, x[i] + (moment[i] - Dot(gram[i], x)) / gram[i][i]);
      moved += std::abs(next - x[i]) * std::sqrt(gram[i][i]);
      x[i] = next;
    }
    if (moved < 1e-12) break;
  }
  return x;
}

LatencyModel::LatencyModel(std::span<const Sample> samples) {
  std::map<std::string, std::vector<std::vector<double>>> rows;
  for (const Sample& sample : samples) {
    const std::vector<StepLayers> steps = StepsOf(sample.network);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      // Divided by the time, the sum of squares is that of relative errors and every target is 1.
      std::vector<double> row = FeaturesOf(sample.network, steps[i]);
      for (double& value : row) value /= sample.step_ms[i];
      rows[KindOf(sample.network, steps[i])].push_back(std::move(row));
    }
  }
  for (const auto& [kind, data] : rows) {
    prices_[kind] = NonNegativeLeastSquares(data, std::vector<double>(data.size(), 1.0));
  }
  // What the steps leave out, and what fitting them one by one leaves over.
  std::vector<double> ratios;
  for (const Sample& sample : samples) ratios.push_back(sample.total_ms / Predict(sample.network));
  if (ratios.empty()) return;
  scale_ = Median(std::move(ratios));
}

double LatencyModel::Predict(const Network& network) const {
  double ms = 0;
  for (const StepLayers& step : StepsOf(network)) {
    const auto prices = prices_.find(KindOf(network, step));
    if (prices != prices_.end()) ms += Dot(FeaturesOf(network, step), prices->second);
  }
  return ms * scale_;
}

}  // namespace mobilenet
