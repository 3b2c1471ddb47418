#include "mobilenet/benchmark.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/energy_meter.h"
#include "base/fail.h"
#include "base/quantile.h"
#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "runtime/burst.h"
#include "runtime/plan_timer.h"

namespace mobilenet {
namespace {

constexpr int kMostBatch = 4096;

// Many images at a time: a Runner of one thread for each thread.
class BatchTimer {
 public:
  BatchTimer(const Plan& plan, const BenchmarkOptions& options, ThreadPool& pool)
      : batch_(options.batch), pool_(pool), input_(static_cast<std::size_t>(plan.input().size()), 0.25F) {
    for (int i = 0; i < options.threads; ++i) {
      runners_.emplace_back(plan);
      outputs_.emplace_back(static_cast<std::size_t>(plan.output().size()));
    }
    failed_.resize(runners_.size());
  }

  // Batches for `seconds`, at least one.
  void Run(double seconds, EnergyMeter& meter) {
    meter.Start();
    const std::size_t before = times_.size();
    const Stopwatch all;
    do {
      const Stopwatch one;
      pool_.Run(batch_,
                [&](int, int thread) { failed_[thread] |= !runners_[thread].Run(input_, outputs_[thread]); });
      times_.push_back(one.Seconds() / batch_);
    } while (all.Seconds() < seconds);
    if (std::ranges::count(failed_, 0) < std::ssize(failed_))
      Fail("the plan's input and output don't fit it");
    energy_.Add(meter.Stop(), static_cast<double>(times_.size() - before) * batch_);
  }

  // Of one image; nothing where a stretch could not be measured.
  [[nodiscard]] std::optional<double> Millijoules() const { return energy_.Each(); }
  [[nodiscard]] const std::vector<double>& times() const { return times_; }

 private:
  int batch_;
  ThreadPool& pool_;
  std::vector<Runner> runners_;
  std::vector<float> input_;
  std::vector<std::vector<float>> outputs_;
  std::vector<std::uint8_t> failed_;  // of each thread
  std::vector<double> times_;
  EnergyShare energy_;
};

BenchmarkResult Measured(const Plan& plan, const BenchmarkOptions& options) {
  if (!(options.seconds > 0 && options.seconds <= 3600)) {
    Fail("seconds is ", options.seconds, ", expected more than 0 and at most 3600");
  }
  if (options.batch < 1 || options.batch > kMostBatch) {
    Fail("batch is ", options.batch, ", expected 1 to ", kMostBatch);
  }
  CheckThreads(options.threads);
  EnergyMeter meter;
  ThreadPool pool(options.threads);
  // The kernels are the plan's own, so that the peak is that of the instruction set in use.
  const auto available = AvailableKernels();
  const auto* kernels =
      *std::ranges::find_if(available, [&](const Kernels* k) { return k->name == plan.target(); });

  std::optional<PlanTimer> single;
  std::optional<BatchTimer> batches;
  if (options.batch == 1) {
    single.emplace(plan, options.threads);
  } else {
    batches.emplace(plan, options, pool);
  }
  std::vector<double> peaks;
  constexpr double kRound = 0.05;  // seconds of inferences between two bursts
  const Stopwatch stopwatch;
  do {
    single ? single->Run(kRound, meter) : batches->Run(kRound, meter);
    peaks.push_back(Burst(*kernels, pool));
  } while (stopwatch.Seconds() < options.seconds);

  const double macs =
      std::accumulate(plan.steps().begin(), plan.steps().end(), 0.0,
                      [](double sum, const StepInfo& step) { return sum + static_cast<double>(step.macs); });
  const std::vector<double>& times = single ? single->times() : batches->times();
  BenchmarkResult result;
  result.runs = static_cast<int>(times.size());
  result.median_ms = 1e3 * Median(times);
  result.p95_ms = 1e3 * Quantile(times, 0.95);
  result.min_ms = 1e3 * *std::ranges::min_element(times);
  result.gflops = 2 * macs / (1e6 * result.median_ms);
  result.peak_gflops = 1e-9 * Median(peaks);
  result.peak_share = result.gflops / result.peak_gflops;
  if (single) {
    for (const double seconds : single->StepMedians()) result.step_ms.push_back(1e3 * seconds);
  }
  result.energy_mj = single ? single->Millijoules() : batches->Millijoules();
  return result;
}

}  // namespace

BenchmarkResult RunBenchmark(const Plan& plan, const BenchmarkOptions& options) {
  return OrOutOfMemory("the benchmark", [&] { return Measured(plan, options); });
}

}  // namespace mobilenet
