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
  std::vector<Step> steps;
  std::vector<StepInfo> infos;  // one for each step
  std::vector<StepGroup> groups;
  std::vector<int> inputs;  // of each step: the step that writes its input, or kNetworkInput
  std::vector<bool>
      inner;  // of each step: whether only its group reads what it writes, and only some rows are kept
  Arena arena;
  std::size_t weight_bytes = 0;
};

}  // namespace mobilenet
