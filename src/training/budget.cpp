#include "training/budget.h"

#include <algorithm>
#include <vector>

#include "base/stopwatch.h"
#include "training/flat_weights.h"
#include "training/optimizer.h"
#include "training/run_or_throw.h"
#include "training/training_pass.h"
#include "training/validate.h"

namespace mobilenet {

TrainingTimes Measure(const Network& network, std::span<const float> values, const Source& source,
                      const TrainingOptions& options, const Course& course, const TrainingObserver& observer,
                      ThreadPool& pool) {
  constexpr int kSteps = 3;  // the first of which finds cold caches, and doesn't count
  TrainingTimes times;
  Stopwatch watch;
  Validate(network, values, source, observer, pool);
  times.validation = watch.Seconds();

  const WeightLayout layout(network);
  const std::size_t count = std::min<std::size_t>(course.batch, source.training().size());
  const auto size = static_cast<std::size_t>(network.input.size());
  TrainingPass pass(network, {.batch = static_cast<int>(count), .precision = *options.precision}, pool);
  Optimizer optimizer(options.optimizer, layout, pool);
  std::vector<float> moved(values.begin(), values.end());
  std::vector<float> gradient(layout.size());
  std::vector<float> inputs(count * size);
  std::vector<Target> targets(count);
  for (int step = 0; step < kSteps; ++step) {
    if (step == 1) watch = {};
    RunOrThrow(pool, static_cast<int>(count), [&](int i, int) {
      const auto index = static_cast<std::size_t>(i);
      targets[index] = {source.training()[index], source.training()[index], 1};
      source.Training(1, index, std::span(inputs).subspan(index * size, size));
    });
    pass.Run(inputs, targets, moved, gradient);
    optimizer.Step(1e-9, gradient, moved);
    StopIfAsked(observer);
  }
  times.step = watch.Seconds() / (kSteps - 1);
  return times;
}

std::int64_t StepsIn(double seconds, const TrainingTimes& times, int steps_per_epoch, int more) {
  constexpr double kUsed = 0.93;  // the rest is for checkpoints and for a machine that slows down
  const double left = kUsed * seconds - more * times.validation;
  const double epoch = times.step * steps_per_epoch + times.validation;
  if (left <= times.validation) return 0;
  const auto epochs = static_cast<std::int64_t>(left / epoch);
  const double rest = left - static_cast<double>(epochs) * epoch - times.validation;
  return epochs * steps_per_epoch + static_cast<std::int64_t>(std::max(0.0, rest) / times.step);
}

}  // namespace mobilenet
