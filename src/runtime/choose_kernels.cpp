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
  step.pixels = kRows;
  step.end.range = {0, 6};
  step.product = MakeProduct(way.precision, *way.kernels, weights, bias, step.end.range, nullptr);
  std::vector<std::byte> scratch(ScratchSize(step, kRows));
  const MapView from = {input.data(), kInner * sizeof(float), static_cast<int>(kRows), 1};
  const MapView to = {output.data(), kColumns * sizeof(float), static_cast<int>(kRows), 1};
  const Part all = {0, kRows, 0, step.panels()};
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTries; ++i) {
    const Stopwatch stopwatch;
    RunPart(step, *way.kernels, all, {from, from, to}, scratch.data());
    best = std::min(best, stopwatch.Seconds());
  }
  return best;
}

KernelChoice Fastest(const std::vector<KernelChoice>& ways) {
  if (ways.size() == 1) return ways.front();
  return *std::ranges::min_element(ways, {}, SecondsOf);
}

// All ways of the widest registers: of the first table, and of those beside it that differ in the products of
// 16 bits alone. Of those with the same product the plainest gives the name.
std::vector<KernelChoice> Ways(Precision precision) {
  std::vector<KernelChoice> ways;
  const auto available = AvailableKernels();
  for (const Kernels* kernels : available) {
    if (kernels->target != available.front()->target) continue;
    const auto same = std::ranges::find_if(ways, [&](const KernelChoice& way) {
      return ProductOf(FormatFor(precision), *way.kernels) == ProductOf(FormatFor(precision), *kernels);
    });
    if (same != ways.end()) {
      same->kernels = kernels;
    } else {
      ways.push_back({kernels, precision});
    }
  }
  return ways;
}

// kFloat16 only where there is arithmetic for it.
Precision Possible(Precision precision, const Kernels& kernels) {
  const bool missing = precision == Precision::kFloat16 && kernels.product_f16 == nullptr;
  return missing ? Precision::kFloat32 : precision;
}

// What can be run with these kernels.
std::vector<Precision> Precisions(const Kernels& kernels) {
  std::vector<Precision> all = {Precision::kFloat32, Precision::kBfloat16};
  if (kernels.product_f16 != nullptr) all.push_back(Precision::kFloat16);
  return all;
}

}  // namespace

KernelChoice ChooseKernels(std::string_view target, std::optional<Precision> precision) {
  if (precision == Precision::kInt8) Fail("the precision is int8, expected float32, bfloat16 or float16");
  if (!target.empty()) {
    const Kernels& kernels = FindKernels(target);
    if (precision) return {&kernels, Possible(*precision, kernels)};
    std::vector<KernelChoice> ways;
    for (const Precision each : Precisions(kernels)) ways.push_back({&kernels, each});
    return Fastest(ways);
  }
  if (precision == Precision::kBfloat16) {
    static const KernelChoice bf16 = Fastest(Ways(Precision::kBfloat16));
    return bf16;
  }
  if (precision) return Ways(Possible(*precision, *AvailableKernels().front())).front();
  static const KernelChoice fastest = FastestOf(Precisions(*AvailableKernels().front()));
  return fastest;
}

KernelChoice FastestOf(const std::vector<Precision>& precisions) {
  std::vector<KernelChoice> ways;
  ways.reserve(precisions.size());
  for (const Precision precision : precisions) ways.push_back(ChooseKernels({}, precision));
  return Fastest(ways);
}

Precision SixteenBits() { return Precisions(*AvailableKernels().front()).back(); }

}  // namespace mobilenet
