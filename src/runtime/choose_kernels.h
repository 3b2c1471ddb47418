// Which kernels a plan uses.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"
#include "mobilenet/network.h"

namespace mobilenet {

struct KernelChoice {
  const Kernels* kernels;
  Precision precision;
};

// For PlanOptions' target and precision. An instruction for bfloat16 doubles the rate of some processors and
// halves that of others, so where there is more than one way, a product is timed each way, once in a process.
// kFloat16 becomes kFloat32 where the target has no arithmetic of half precision. Throws Error for a target
// that is not available, or for kInt8.
KernelChoice ChooseKernels(std::string_view target, std::optional<Precision> precision);

// The fastest of some precisions on this machine, timed in each call.
KernelChoice FastestOf(const std::vector<Precision>& precisions);

// kFloat16 where this machine has arithmetic of half precision, which is taken to be its fastest, else
// kBfloat16.
Precision SixteenBits();

}  // namespace mobilenet
