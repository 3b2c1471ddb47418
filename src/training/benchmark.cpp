#include <functional>
#include <span>
#include <vector>

#include "base/fail.h"
#include "base/quantile.h"
#include "base/random.h"
#include "base/stopwatch.h"
#include "mobilenet/cost.h"
#include "mobilenet/training.h"
#include "runtime/burst.h"
#include "runtime/choose_kernels.h"
#include "training/optimizer.h"
#include "training/training_pass.h"

namespace mobilenet {
namespace {

// Of each step after the first, in which memory is touched for the first time.
struct Times {
  std::vector<double> steps;      // seconds
  std::vector<double> pointwise;  // of them, in the pointwise layers
  std::vector<double> peaks;      // operations a second, after each
};

// Takes a step and returns the seconds that each layer took of it.
using TakeStep = std::function<std::span<const double>()>;

Times TimeSteps(const Network& network, const TakeStep& take, double seconds, ThreadPool& pool) {
  const Kernels& kernels = *ChooseKernels({}, Precision::kFloat32).kernels;
  Times times;
  const Stopwatch all;
  for (int round = 0; round < 4 || all.Seconds() < seconds; ++round) {
    const Stopwatch one;
    const std::span<const double> layer_seconds = take();
    const double step = one.Seconds();
    const double peak = Burst(kernels, pool);
    if (round == 0) continue;
    times.steps.push_back(step);
    times.peaks.push_back(peak);
    double in_pointwise = 0;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      if (network.layers[i].kind == LayerKind::kPointwise) in_pointwise += layer_seconds[i];
    }
    times.pointwise.push_back(in_pointwise);
  }
  return times;
}

double PointwiseMacs(const Network& network, const Cost& cost) {
  double macs = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (network.layers[i].kind == LayerKind::kPointwise) macs += static_cast<double>(cost.layers[i].macs);
  }
  return macs;
}

TrainingBenchmark Measure(const Network& network, const TrainingBenchmarkOptions& options) {
  if (!(options.seconds > 0 && options.seconds <= 3600))
    Fail("seconds is ", options.seconds, ", expected more than 0 and at most 3600");
  if (options.batch < 1 || options.batch > 65'536) Fail("batch is ", options.batch, ", expected 1 to 65536");
  ThreadPool pool(options.threads);
  const WeightLayout layout(network);
  std::vector<float> values = layout.Flatten(network, RandomWeights(network, 1));
  std::vector<float> gradient(values.size());
  Optimizer optimizer({}, layout, pool);
  const Precision precision = TrainingPrecision(options.precision);
  TrainingPass pass(network, {.batch = options.batch, .precision = precision}, pool);
  const auto batch = static_cast<std::size_t>(options.batch);
  std::vector<float> images(batch * static_cast<std::size_t>(network.input.size()));
  Random random(1);
  for (float& value : images) value = static_cast<float>(random.Uniform(-1, 1));
  std::vector<Target> targets(batch);
  for (Target& target : targets) target.label = target.other = random.Below(network.classes());
  const Times times = TimeSteps(
      network,
      [&] {
        pass.Run(images, targets, values, gradient);
        optimizer.Step(1e-4, gradient, values);
        return pass.layer_seconds();
      },
      options.seconds, pool);

  const Cost cost = CostOf(network);
  TrainingBenchmark result;
  const double step = Median(times.steps);
  const double operations = 6e-9 * static_cast<double>(options.batch);
  result.precision = precision;
  result.steps = static_cast<int>(times.steps.size());
  result.step_ms = 1e3 * step;
  result.images_per_second = options.batch / step;
  result.gflops = operations * static_cast<double>(cost.macs) / step;
  result.peak_gflops = 1e-9 * Median(times.peaks);
  result.peak_share = result.gflops / result.peak_gflops;
  const double in_pointwise = Median(times.pointwise);
  if (in_pointwise > 0)
    result.pointwise_share = operations * PointwiseMacs(network, cost) / in_pointwise / result.peak_gflops;
  result.memory_bytes = pass.memory();
  return result;
}

}  // namespace

TrainingBenchmark MeasureTraining(const Network& network, const TrainingBenchmarkOptions& options) {
  return OrOutOfMemory("training", [&] { return Measure(network, options); });
}

}  // namespace mobilenet
