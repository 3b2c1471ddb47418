#include <algorithm>
#include <vector>

#include "base/fail.h"
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

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

TrainingBenchmark MeasureTraining(const Network& network, const TrainingBenchmarkOptions& options) {
  if (options.threads < 1 || options.threads > 256)
    Fail("threads is ", options.threads, ", expected 1 to 256");
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
  for (Target& target : targets) target.label = target.other = random.Below(network.options.classes);
  const Kernels& kernels = *ChooseKernels({}, Precision::kFloat32).kernels;

  std::vector<double> steps;
  std::vector<double> peaks;
  std::vector<double> pointwise;
  const Stopwatch all;
  for (int round = 0; round < 4 || all.Seconds() < options.seconds; ++round) {
    const Stopwatch one;
    pass.Run(images, targets, values, gradient);
    optimizer.Step(1e-4, gradient, values);
    const double seconds = one.Seconds();
    peaks.push_back(Burst(kernels, pool));
    if (round == 0) continue;  // memory is touched for the first time
    steps.push_back(seconds);
    double in_pointwise = 0;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      if (network.layers[i].kind == LayerKind::kPointwise) in_pointwise += pass.layer_seconds()[i];
    }
    pointwise.push_back(in_pointwise);
  }

  const Cost cost = CostOf(network);
  double pointwise_macs = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (network.layers[i].kind == LayerKind::kPointwise)
      pointwise_macs += static_cast<double>(cost.layers[i].macs);
  }
  TrainingBenchmark result;
  const double step = Median(steps);
  const double operations = 6e-9 * static_cast<double>(options.batch);
  result.precision = precision;
  result.steps = static_cast<int>(steps.size());
  result.step_ms = 1e3 * step;
  result.images_per_second = options.batch / step;
  result.gflops = operations * static_cast<double>(cost.macs) / step;
  result.peak_gflops = 1e-9 * Median(peaks);
  result.peak_share = result.gflops / result.peak_gflops;
  result.pointwise_share =
      pointwise_macs > 0 ? operations * pointwise_macs / Median(pointwise) / result.peak_gflops : 0;
  result.memory_bytes = pass.memory();
  return result;
}

}  // namespace mobilenet
