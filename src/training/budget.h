// How much training fits into a time.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "mobilenet/training.h"
#include "training/course.h"
#include "training/source.h"

namespace mobilenet {

// How long parts of a training take, in seconds.
struct TrainingTimes {
  double step = 0;
  double validation = 0;
};

// Takes three steps from `values`, of which nothing is kept, and validates once. Throws Stopped.
TrainingTimes Measure(const Network& network, std::span<const float> values, const Source& source,
                      const TrainingOptions& options, const Course& course, const TrainingObserver& observer,
                      ThreadPool& pool);

// How many steps fit into `seconds`, with a validation after each epoch and `more` of them in the end.
std::int64_t StepsIn(double seconds, const TrainingTimes& times, int steps_per_epoch, int more);

}  // namespace mobilenet
