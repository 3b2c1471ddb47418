#include "training/course.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace mobilenet {
namespace {

// Of pictures in a step the rate depends on as many as there are, not on as many as there may be.
double RateFor(const TrainingOptions& options, std::size_t pictures, int batch) {
  const double in_a_step = static_cast<double>(pictures) / StepsPerEpoch(pictures, batch);
  // A network that knows something forgets it at the rates that one learns at which knows nothing, and the
  // fewer pictures it is tuned on, the less is gained by moving it.
  const double gentle = 0.15 * std::clamp(static_cast<double>(pictures) / 1000, 1.0 / 3, 1.0);
  const double batches = in_a_step / (options.from ? 32 : 128);
  const double rate =
      options.optimizer.kind == OptimizerKind::kSgd ? 0.2 * batches : 2e-3 * std::sqrt(batches);
  return options.from ? gentle * rate : rate;
}

// Few pictures are soon learned by heart, and many teach enough in a few epochs: 5 for up to 250, 10 for 500,
// 20 for 1000, 10 for 2000, 3 for many.
int TuningEpochs(std::size_t pictures) {
  const auto count = static_cast<double>(pictures);
  return static_cast<int>(std::max({std::min({count / 50, 20'000 / count, 20.0}), count < 1000 ? 5.0 : 3.0}));
}

}  // namespace

Course CourseFor(const TrainingOptions& o, std::size_t pictures, std::int64_t most_steps) {
  Course course;
  const bool tunes = o.from.has_value();
  course.batch = o.batch.value_or(tunes ? 32 : 128);
  course.epochs = o.epochs.value_or(tunes ? TuningEpochs(pictures) : 30);
  course.most_steps = most_steps;
  const int per_epoch = StepsPerEpoch(pictures, course.batch);
  std::int64_t steps = std::int64_t{per_epoch} * course.epochs;
  if (most_steps > 0) {
    if (most_steps < steps || (!tunes && !o.epochs)) steps = most_steps;
    course.epochs = static_cast<int>((steps + per_epoch - 1) / per_epoch);
  }
  course.learning_rate = o.learning_rate.value_or(RateFor(o, pictures, course.batch));
  course.schedule = o.schedule.value_or(tunes ? Schedule::kCosine : Schedule::kOneCycle);
  // The average reaches a part of the way back, and at most 500 steps.
  constexpr double kShare = 0.15;
  const double reach = std::clamp(kShare * static_cast<double>(steps), 2.0, 500.0);
  course.average = o.average.value_or(tunes ? 1 - 1 / reach : std::min(0.998, 1 - 1 / (2 * reach)));
  course.mixup = o.augment.mixup.value_or(tunes ? 0.2 : 0);
  return course;
}

std::string TextOf(const Course& course, std::size_t pictures) {
  const int per_epoch = StepsPerEpoch(pictures, course.batch);
  const std::size_t in_a_step = (pictures + per_epoch - 1) / per_epoch;
  return Concat(course.epochs, course.epochs == 1 ? " epoch of " : " epochs of ", per_epoch,
                per_epoch == 1 ? " step of " : " steps of ", in_a_step, " pictures, learning rate ",
                course.learning_rate, " (", NameOf(course.schedule), ")");
}

}  // namespace mobilenet
