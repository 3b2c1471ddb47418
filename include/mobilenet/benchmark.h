// How fast a plan runs on this machine, beside what the machine could do.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "mobilenet/export.h"
#include "mobilenet/runtime.h"

namespace mobilenet {

struct BenchmarkOptions {
  int threads = 1;
  double seconds = 2;  // how long to measure, the peak included
  // 1: all threads work on one image, and its latency is measured. More, up to 4096: that many images at a
  // time, each on one thread with a Runner of its own, for throughput; times are then those of a batch
  // divided by its images.
  int batch = 1;
};

struct BenchmarkResult {
  int runs = 0;  // inferences, or batches
  double median_ms = 0;
  double p95_ms = 0;
  double min_ms = 0;
  double gflops = 0;  // 2 * mult-adds / median
  double peak_gflops =
      0;  // independent multiply-adds in registers, on as many threads, median of the same rounds
  double peak_share = 0;        // gflops / peak_gflops
  std::vector<double> step_ms;  // median for each of plan.steps(); empty for batches
  // Millijoules of one inference by the processor's own counters; nothing where they can't be read.
  std::optional<double> energy_mj;
};

// Times inferences of random pixels and bursts that measure the peak, by turns, so that both see the same
// machine. Throws Error where the options are out of range.
MOBILENET_EXPORT BenchmarkResult RunBenchmark(const Plan& plan, const BenchmarkOptions& options = {});

}  // namespace mobilenet
