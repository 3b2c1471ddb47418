// What a network says of the inputs that training is validated with.
#pragma once

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "mobilenet/training.h"
#include "training/source.h"

namespace mobilenet {

struct Validation {
  double loss = 0;      // cross-entropy; not finite where a logit is not
  double accuracy = 0;  // share that is right
  std::vector<ValidationAnswer> answers;
};

// `values` are the network's weights (WeightLayout). Asks `observer` whether to stop as it goes, and throws
// Stopped.
Validation Validate(const Network& network, std::span<const float> values, const Source& source,
                    const TrainingObserver& observer, ThreadPool& pool);

// Thrown where the observer's `stop` asks for it.
struct Stopped {};
void StopIfAsked(const TrainingObserver& observer);

}  // namespace mobilenet
