// The training loop, whatever is trained and on whatever inputs.
#pragma once

#include <filesystem>
#include <vector>

#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "mobilenet/training.h"
#include "training/checkpoint.h"
#include "training/course.h"
#include "training/source.h"
#include "training/validate.h"

namespace mobilenet {

struct Loop {
  const Network& network;
  const Source& source;
  const TrainingOptions& options;  // of these, what concerns steps, which are those of `course`, and a
                                   // precision, which must be there
  const Course& course;
  const TrainingObserver& observer;
  ThreadPool& pool;
  std::filesystem::path checkpoint;  // empty: none
  Identity identity;
  Stopwatch since = {};  // when training began: what came before the loop counts as its time
  bool blend = false;    // in the end, the first weights and the last are blended as validates best
};

struct LoopResult {
  std::vector<float> values;  // the average where there is one, or a blend
  std::vector<EpochRecord> epochs;
  Validation validation;              // of the values
  std::vector<TrainingBlend> blends;  // that were tried
  double share = 1;                   // of the blend that the values are
  std::vector<std::string> changes;
  bool stopped = false;
  bool kept = false;       // the checkpoint holds all that was trained
  std::int64_t steps = 0;  // done, with those before it was resumed
};

// Trains from `values`, or from the checkpoint where options.resume is set. Throws as Train does.
LoopResult RunLoop(const Loop& loop, std::vector<float> values);

}  // namespace mobilenet
