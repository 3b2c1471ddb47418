// The page of a training run.
#pragma once

#include <string>

#include "mobilenet/training.h"
#include "report/html.h"

namespace mobilenet {

// What the page tells beside the training itself.
struct TrainingPageOptions {
  std::string command = {};             // shown as the way to train again
  Evaluation tested = {};               // on the pictures to test with; of no images: there were none
  std::size_t max_pixels = kMaxPixels;  // of a picture that is shown, as in DecodeOptions
};

// Reads the pictures that the model is most wrong about.
Page TrainingPage(const TrainingResult& result, const TrainingPageOptions& options);

}  // namespace mobilenet
