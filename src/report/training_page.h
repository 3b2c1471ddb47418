// The page of a training run.
#pragma once

#include <string>
#include <vector>

#include "mobilenet/training.h"
#include "report/html.h"

namespace mobilenet {

// `command` is shown as the way to train again. Reads the pictures that the model is most wrong about.
Page TrainingPage(const TrainingResult& result, const std::string& command);

}  // namespace mobilenet
