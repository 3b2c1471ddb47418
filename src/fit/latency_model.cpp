#include "fit/latency_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/machine.h"
#include "base/quantile.h"
#include "kernels/kernels.h"
#include "network/kinds.h"
#include "network/schedule.h"

namespace mobilenet {
namespace {

double RoundUp(double value, double unit) { return std::ceil(value / unit) * unit; }

std::string KindOf(const Network& network, const StepLayers& step) {
  const std::string kind(NameOf(network.layers[step.main].kind));
  return step.rows ? "depthwise + " + kind : kind;
}

double Size(const Shape& shape) { return static_cast<double>(shape.size()); }

// How many values of a row a layer's product sums up; 0 where it makes none.
double InputsOf(const Layer& layer) {
  if (!TraitsOf(layer.kind).mixes) return 0;
  const int window = layer.kind == LayerKind::kConvolution ? layer.kernel * layer.kernel : 1;
  return double{1} * window * layer.input.channels;
}

double WeightsOfProducts(const Network& network) {
  double weights = 0;
  for (const Layer& layer : network.layers) weights += InputsOf(layer) * layer.output.channels;
  return weights;
}

// How much of `values` floats a cache can't hold from one image to the next: from 0 at `low` bytes to 1 at
// `high`.
double Missed(double values, double low, double high) {
  return std::clamp((values * sizeof(float) - low) / (high - low), 0.0, 1.0);
}

// Values that a layer's activation bends.
double Bent(const Layer& layer) {
  return layer.activation == Activation::kHardSwish || layer.activation == Activation::kHardSigmoid
             ? Size(layer.output)
             : 0;
}

// What a depthwise layer multiplies, by stride and kernel.
std::array<double, 4> DepthwiseWork(const Layer& layer) {
  std::array<double, 4> work{};
  if (layer.kind != LayerKind::kDepthwise) return work;
  const std::size_t kind = (layer.stride == 1 ? 0 : 1) + (layer.kernel > 3 ? 2 : 0);
  work[kind] = 1e-5 * layer.kernel * layer.kernel * Size(layer.output);
  return work;
}

// What a step does, in units of about the same size. `weights` is those of the whole network.
std::vector<double> FeaturesOf(const Network& network, const StepLayers& step, double weights) {
  const Layer& first = network.layers[step.first()];
  const Layer& last = network.layers[step.main];
  const Kernels& kernels = *AvailableKernels().front();
  const double pixels = double{1} * last.output.height * last.output.width;
  const double inputs = InputsOf(last);
  const double columns = last.output.channels;
  const double in = Size(first.input);
  const double out = Size(last.output);
  const double tiles = std::ceil(pixels / static_cast<double>(kernels.tile_rows)) *
                       std::ceil(columns / (2.0 * static_cast<double>(kernels.lanes)));
  const auto l2 = static_cast<double>(Caches().l2);
  const auto l3 = static_cast<double>(Caches().l3);
  const double read = 1e-5 * inputs * columns;
  const std::array<double, 4> depthwise = DepthwiseWork(first);
  return {1,
          // the product, whole registers of columns at a time
          1e-6 * pixels * inputs * RoundUp(columns, static_cast<double>(kernels.lanes)),
          inputs > 0 ? 1e-4 * tiles : 0,  // filling and emptying a tile
          // reading weights, from the second cache, the third, and memory
          read, read * Missed(weights, l2, 2 * l2), read * Missed(weights, 0.125 * l3, 0.625 * l3), 1e-5 * in,
          1e-5 * out,
          1e-5 * pixels * inputs,  // making the rows
          depthwise[0], depthwise[1], depthwise[2], depthwise[3],
          1e-5 * std::max(0.0, in + out - l2 / sizeof(float)),  // maps that leave the second cache
          1e-5 * (Bent(last) + (step.rows ? Bent(first) : 0)), step.sum ? 1e-5 * out : 0};
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
  struct Rows {
    std::vector<std::vector<double>> features;
    std::vector<double> targets;
  };
  std::map<std::string, Rows> rows;
  for (const Sample& sample : samples) {
    const std::vector<StepLayers> steps = StepsOf(sample.network);
    const double weights = WeightsOfProducts(sample.network);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      // Between what is relative to the step, which lets small steps spoil the large ones, and to the
      // network.
      const double weight = 1 / std::sqrt(sample.step_ms[i] * sample.total_ms);
      std::vector<double> row = FeaturesOf(sample.network, steps[i], weights);
      for (double& value : row) value *= weight;
      Rows& kind = rows[KindOf(sample.network, steps[i])];
      kind.features.push_back(std::move(row));
      kind.targets.push_back(sample.step_ms[i] * weight);
    }
  }
  for (const auto& [kind, data] : rows) {
    prices_[kind] = NonNegativeLeastSquares(data.features, data.targets);
  }
  // What the steps leave out, and what fitting them one by one leaves over.
  std::vector<double> ratios;
  for (const Sample& sample : samples) ratios.push_back(sample.total_ms / Predict(sample.network));
  if (ratios.empty()) return;
  scale_ = Median(std::move(ratios));
}

double LatencyModel::Predict(const Network& network) const {
  double ms = 0;
  const double weights = WeightsOfProducts(network);
  for (const StepLayers& step : StepsOf(network)) {
    const auto prices = prices_.find(KindOf(network, step));
    if (prices != prices_.end()) ms += Dot(FeaturesOf(network, step, weights), prices->second);
  }
  return ms * scale_;
}

bool LatencyModel::Knows(const Network& network) const {
  return std::ranges::all_of(StepsOf(network),
                             [&](const StepLayers& step) { return prices_.contains(KindOf(network, step)); });
}

}  // namespace mobilenet
