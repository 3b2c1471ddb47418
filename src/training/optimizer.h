// How weights follow their gradients.
#pragma once

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "mobilenet/training.h"
#include "training/flat_weights.h"

namespace mobilenet {

// Keeps what an optimiser remembers of each weight. One thread at a time.
class Optimizer {
 public:
  // `pool` must outlive this.
  Optimizer(const OptimizerOptions& options, const WeightLayout& layout, ThreadPool& pool);

  // One step: clips the gradient as a whole to options.clip where that is set, adds weight decay to the slots
  // that have it, and moves `values`. Returns the gradient's norm before it was clipped. Running means stay.
  double Step(double learning_rate, std::span<const float> gradient, std::span<float> values);

  // What it remembers, for checkpoints: velocities, then mean squares, each as long as the weights or empty.
  [[nodiscard]] std::span<float> velocity() { return velocity_; }
  [[nodiscard]] std::span<float> squares() { return squares_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  [[nodiscard]] double Norm(std::span<const float> gradient);

  OptimizerOptions options_;
  const WeightLayout& layout_;
  ThreadPool& pool_;
  std::vector<float> velocity_;
  std::vector<float> squares_;
  std::vector<double> norms_;
  std::int64_t steps_ = 0;
};

// The learning rate of step `step` of `steps`, from the schedule and its peak.
double LearningRate(Schedule schedule, double peak, double warmup, std::int64_t step, std::int64_t steps);

// average += (1 - decay) * (values - average): Polyak and Juditsky 1992, in the exponential form. Early on,
// when the average would still be that of the first weights, `decay` is at most (1 + step) / (10 + step).
void Average(double decay, std::int64_t step, std::span<const float> values, std::span<float> average,
             ThreadPool& pool);

}  // namespace mobilenet
