#include "mobilenet/benchmark.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "base/energy_meter.h"
#include "base/fail.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "runtime/plan_timer.h"

namespace mobilenet {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Floating point operations a second in one burst on all threads, long enough to drown the hand-over.
double Burst(const Kernels& kernels, ThreadPool& pool) {
  constexpr std::size_t kIterations = 100'000;
  std::vector<double> operations(static_cast<std::size_t>(pool.threads()));
  const auto begin = Clock::now();
  pool.Run(pool.threads(), [&](int task, int) { operations[task] = kernels.multiply_adds(kIterations); });
  const double seconds = SecondsSince(begin);
  return std::accumulate(operations.begin(), operations.end(), 0.0) / seconds;
}

}  // namespace

BenchmarkResult RunBenchmark(const Plan& plan, const BenchmarkOptions& options) {
  if (!(options.seconds > 0 && options.seconds <= 3600)) {
    Fail("seconds is ", options.seconds, ", expected more than 0 and at most 3600");
  }
  PlanTimer timer(plan, options.threads);
  EnergyMeter meter;
  ThreadPool pool(options.threads);
  // The kernels are the plan's own, so that the peak is that of the instruction set in use.
  const auto available = AvailableKernels();
  const auto* kernels =
      *std::ranges::find_if(available, [&](const Kernels* k) { return k->name == plan.target(); });

  std::vector<double> peaks;
  constexpr double kRound = 0.05;  // seconds of inferences between two bursts
  const auto begin = Clock::now();
  do {
    timer.Run(kRound, meter);
    peaks.push_back(Burst(*kernels, pool));
  } while (SecondsSince(begin) < options.seconds);

  const double macs =
      std::accumulate(plan.steps().begin(), plan.steps().end(), 0.0,
                      [](double sum, const StepInfo& step) { return sum + static_cast<double>(step.macs); });
  BenchmarkResult result;
  result.runs = static_cast<int>(timer.times().size());
  result.median_ms = 1e3 * Quantile(timer.times(), 0.5);
  result.p95_ms = 1e3 * Quantile(timer.times(), 0.95);
  result.min_ms = 1e3 * *std::ranges::min_element(timer.times());
  result.gflops = 2 * macs / (1e6 * result.median_ms);
  result.peak_gflops = 1e-9 * Quantile(peaks, 0.5);
  result.peak_share = result.gflops / result.peak_gflops;
  for (const double seconds : timer.StepMedians()) result.step_ms.push_back(1e3 * seconds);
  result.energy_mj = timer.Millijoules();
  return result;
}

}  // namespace mobilenet
