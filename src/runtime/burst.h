// What a machine could do: its peak, measured.
#pragma once

#include <numeric>
#include <vector>

#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"

namespace mobilenet {

// Floating point operations a second in one burst of independent multiply-adds in registers on all threads,
// long enough to drown the hand-over.
inline double Burst(const Kernels& kernels, ThreadPool& pool) {
  constexpr std::size_t kIterations = 100'000;
  std::vector<double> operations(static_cast<std::size_t>(pool.threads()));
  const Stopwatch stopwatch;
  pool.Run(pool.threads(), [&](int task, int) { operations[task] = kernels.multiply_adds(kIterations); });
  return std::accumulate(operations.begin(), operations.end(), 0.0) / stopwatch.Seconds();
}

}  // namespace mobilenet
