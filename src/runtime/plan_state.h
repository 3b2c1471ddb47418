// What a Plan shares with its Runners.
#pragma once

#include <vector>

#include "base/machine.h"
#include "kernels/kernels.h"
#include "mobilenet/runtime.h"
#include "network/schedule.h"
#include "runtime/step.h"

namespace mobilenet {

struct Plan::State {
  Shape input;
  Shape output;
  const Kernels* kernels = nullptr;
  Precision precision = Precision::kFloat32;
  CacheSizes caches{};
  Schedule schedule;
  std::vector<Step> steps;      // one for each of the schedule's
  std::vector<StepInfo> infos;  // the same
  std::size_t weight_bytes = 0;
};

}  // namespace mobilenet
