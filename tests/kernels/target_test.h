// What tests of kernels share: the targets by name, and comparing.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "kernels/cpu.h"
#include "kernels/kernels.h"

namespace mobilenet {

constexpr float kGuard = 12345.0F;
constexpr Range kAll = {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
constexpr Range kZeroToSix = {0, 6};

inline void ExpectNear(const std::vector<float>& expected, const std::vector<float>& actual,
                       double tolerance) {
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(expected[i], actual[i], tolerance * std::max(1.0, std::abs(double{expected[i]})))
        << "at " << i;
  }
}

inline std::vector<std::string> TargetNames() {
  std::vector<std::string> names;
  for (const Kernels* kernels : AvailableKernels()) names.emplace_back(kernels->name);
  return names;
}

inline const Kernels& KernelsNamed(const std::string& name) {
  const auto available = AvailableKernels();
  return **std::ranges::find_if(available, [&](const Kernels* kernels) { return kernels->name == name; });
}

// One target's kernels.
class TargetTest : public testing::TestWithParam<std::string> {
 protected:
  const Kernels& kernels_ = KernelsNamed(GetParam());

  [[nodiscard]] static bool WritesBf16() { return !GetParam().starts_with("avx512") || HasBf16Dot(); }
  [[nodiscard]] bool MultipliesF16() const { return kernels_.product_f16 != nullptr; }
};

}  // namespace mobilenet
