// What a training's weights depend on, data apart, for its checkpoints.
#pragma once

#include "mobilenet/training.h"
#include "training/checkpoint.h"
#include "training/course.h"

namespace mobilenet {

// Where several differ the cause comes before what follows from it, as the optimizer before the default of
// its rate.
Identity IdentityOf(const TrainingData& data, const TrainingOptions& options, const Course& course,
                    const Network& network);

}  // namespace mobilenet
