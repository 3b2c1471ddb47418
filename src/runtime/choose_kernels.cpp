#include "runtime/choose_kernels.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/fail.h"
#include "base/stopwatch.h"
#include "runtime/step.h"

namespace mobilenet {
namespace {

const Kernels& FindKernels(std::string_view name) {
  const auto available = AvailableKernels();
  for (const Kernels* kernels : available) {
    if (kernels->name == name) return *kernels;
  }
  std::string names;
  for (const Kernels* kernels : available) names.append(names.empty() ? "" : ", ").append(kernels->name);
  Fail("the target \"", name, "\" is not available, expected one of: ", names);
}

// Seconds of a product like those in the middle of a MobileNet, the best of several tries.
double SecondsOf(const KernelChoice& way) {
  constexpr std::size_t kRows = 112;
  constexpr std::size_t kInner = 256;
  constexpr std::size_t kColumns = 256;
  constexpr int kTries = 7;
  const std::vector<float> weights(kInner * kColumns, 0.5F);
  const std::vector<float> bias(kColumns, 1.0F);
  std::vector<float> input(kRows * kInner, 0.25F);
  std::vector<float> output(kRows * kColumns);
  Step step;
  step.rows = kRows;
  step.inner = kInner;
  step.bf16 = way.precision == Precision::kBfloat16;
  step.matrix = (step.bf16 ? PackBf16 : Pack)(weights.data(), bias.data(), kInner, kColumns,
                                              way.kernels->lanes, nullptr);
  step.range = {0, 6};
  std::vector<float> scratch(ScratchSize(step, kRows));
  const MapView map = {input.data(), kInner, static_cast<int>(kRows), 1};
  const Part all = {0, kRows, 0, step.matrix.panels.size()};
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTries; ++i) {
    const Stopwatch stopwatch;
    RunPart(step, *way.kernels, all, map, output.data(), kColumns, scratch.data());
    best = std::min(best, stopwatch.Seconds());
  }
  return best;
}

KernelChoice Fastest(const std::vector<KernelChoice>& ways) {
  if (ways.size() == 1) return ways.front();
  return *std::ranges::min_element(ways, {}, SecondsOf);
}

// All ways of the widest registers: of the first table, and of those beside it that differ in bfloat16 alone.
std::vector<KernelChoice> Ways(Precision precision) {
  std::vector<KernelChoice> ways;
  const auto available = AvailableKernels();
  for (const Kernels* kernels : available) {
    if (kernels->target != available.front()->target) continue;
    // In float32 they are all the same; the plainest gives the name.
    if (precision == Precision::kFloat32) ways.clear();
    ways.push_back({kernels, precision});
  }
  return ways;
}

}  // namespace

KernelChoice ChooseKernels(std::string_view target, std::optional<Precision> precision) {
  if (precision == Precision::kInt8) Fail("the precision is int8, expected float32 or bfloat16");
  if (!target.empty()) {
    const Kernels& kernels = FindKernels(target);
    if (precision) return {&kernels, *precision};
    return Fastest({{&kernels, Precision::kFloat32}, {&kernels, Precision::kBfloat16}});
  }
  if (precision == Precision::kFloat32) return Ways(Precision::kFloat32).front();
  static const KernelChoice bf16 = Fastest(Ways(Precision::kBfloat16));
  if (precision) return bf16;
  static const KernelChoice fastest = Fastest({Ways(Precision::kFloat32).front(), bf16});
  return fastest;
}

}  // namespace mobilenet
