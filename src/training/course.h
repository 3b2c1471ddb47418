// How a training goes, once all is chosen that its options leave open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "mobilenet/training.h"

namespace mobilenet {

struct Course {
  int epochs = 0;
  int batch = 0;                // at most: an epoch's steps are of equal size
  std::int64_t most_steps = 0;  // in all, which may cut the last epoch short; 0: whole epochs
  double learning_rate = 0;
  Schedule schedule = Schedule::kOneCycle;
  double average = 0;
  double mixup = 0;
};

// Every epoch sees every input once, in steps of equal size (but for one input), none larger than `batch`.
constexpr int StepsPerEpoch(std::size_t inputs, int batch) {
  const auto most = static_cast<std::size_t>(batch);
  return static_cast<int>((inputs + most - 1) / most);
}

// What suits so many pictures, where the options don't say it, in `most_steps` if that is not 0. From nothing
// there are as many epochs then as fit, unless the options say how many.
Course CourseFor(const TrainingOptions& options, std::size_t pictures, std::int64_t most_steps = 0);

// "10 epochs of 16 steps of 32 pictures, learning rate 0.02 (cosine)".
std::string TextOf(const Course& course, std::size_t pictures);

}  // namespace mobilenet
