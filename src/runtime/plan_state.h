// What a Plan shares with its Runners.
#pragma once

#include <vector>

#include "base/machine.h"
#include "kernels/kernels.h"
#include "mobilenet/runtime.h"
#include "runtime/step.h"

namespace mobilenet {

struct Plan::State {
  Shape input;
  Shape output;
  const Kernels* kernels = nullptr;
  CacheSizes caches{};
  std::vector<Step> steps;
  std::vector<StepInfo> infos;  // one for each step
  std::size_t arena_size = 0;   // floats
  std::size_t weight_bytes = 0;
};

}  // namespace mobilenet
