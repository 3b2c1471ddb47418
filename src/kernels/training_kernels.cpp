#include "kernels/training_kernels.h"

#include <algorithm>

#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/training_kernels.cpp"  // this file, once for each target
#include "hwy/foreach_target.h"                            // IWYU pragma: keep
//
#include "hwy/highway.h"
#include "kernels/training-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mobilenet::HWY_NAMESPACE {

const TrainingKernels& TrainingTable() {
  static constexpr TrainingKernels kTable = {
    .target = HWY_TARGET,
    .apply = &Apply,
    .moments = &Moments,
    .combine = &Combine,
    .mask = &Mask,
    .products = &Products,
    .outer = &Outer<Float32>,
    .interleave = &Interleave,
// As in kernels.cpp.
#if HWY_TARGET == HWY_AVX3 || (HWY_TARGET == HWY_NEON && (!HWY_COMPILER_CLANG || HWY_COMPILER_CLANG >= 1700))
    .outer_pairs = &Outer<Bf16Dot>,
#else
    .outer_pairs = nullptr,
#endif
    .depthwise_weights = &DepthwiseWeights
  };
  return kTable;
}

}  // namespace mobilenet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mobilenet {

const TrainingKernels& TrainingKernelsFor(const Kernels& kernels) {
  const TrainingKernels* const tables[] = {
#if HWY_TARGETS & HWY_AVX3
    &N_AVX3::TrainingTable(),
#endif
#if HWY_TARGETS & HWY_AVX2
    &N_AVX2::TrainingTable(),
#endif
#if HWY_TARGETS & HWY_SSE4
    &N_SSE4::TrainingTable(),
#endif
#if HWY_TARGETS & HWY_NEON
    &N_NEON::TrainingTable(),
#endif
#if HWY_TARGETS & HWY_EMU128
    &N_EMU128::TrainingTable(),
#endif
#if HWY_TARGETS & HWY_SCALAR
    &N_SCALAR::TrainingTable(),
#endif
  };
  return **std::ranges::find(tables, kernels.target, &TrainingKernels::target);
}

}  // namespace mobilenet
#endif  // HWY_ONCE
