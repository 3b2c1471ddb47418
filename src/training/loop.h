// The training loop, whatever is trained and on whatever inputs.
#pragma once

#include <filesystem>
#include <vector>

#include "base/stopwatch.h"
#include "base/thread_pool.h"
#include "mobilenet/training.h"
#include "training/checkpoint.h"
#include "training/source.h"

namespace mobilenet {

struct Loop {
  const Network& network;
  const Source& source;
  const TrainingOptions& options;  // of these, what concerns epochs, batches, the optimiser and seeds, and a
                                   // precision, which must be there
  const TrainingObserver& observer;
  ThreadPool& pool;
  std::filesystem::path checkpoint;  // empty: none
  Identity identity;
  Stopwatch since = {};  // when training began: what came before the loop counts as its time
};

struct LoopResult {
  std::vector<float> values;  // the average where there is one
  std::vector<EpochRecord> epochs;
  std::vector<ValidationAnswer> answers;
  std::vector<std::string> changes;
  bool stopped = false;
  bool kept = false;       // the checkpoint holds all that was trained
  std::int64_t steps = 0;  // done, with those before it was resumed
};

// Every epoch sees every input once, in steps of equal size (but for one input), none larger than `batch`.
constexpr int StepsPerEpoch(std::size_t inputs, int batch) {
  const auto most = static_cast<std::size_t>(batch);
  return static_cast<int>((inputs + most - 1) / most);
}

// Thrown where the observer's `stop` asks for it.
struct Stopped {};
void StopIfAsked(const TrainingObserver& observer);

// Trains from `values`, or from the checkpoint where options.resume is set. Throws as Train does.
LoopResult RunLoop(const Loop& loop, std::vector<float> values);

}  // namespace mobilenet
