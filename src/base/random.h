// Numbers that look random, the same on every machine, which std's distributions are not: SplitMix64 (Steele
// et al. 2014).
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace mobilenet {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // A stream of its own for each (seed, stream).
  Random(std::uint64_t seed, std::uint64_t stream) : state_(Mix(seed + Mix(stream + kStep))) {}

  std::uint64_t Bits() { return Mix(state_ += kStep); }
  // In [0, 1).
  double Uniform() { return static_cast<double>(Bits() >> 11) * 0x1p-53; }
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  // In [0, n).
  int Below(int n) { return static_cast<int>(Uniform() * n); }
  // Of mean 0 and deviation 1 (Box and Muller 1958).
  float Normal() {
    const double radius = std::sqrt(-2 * std::log(Open()));
    return static_cast<float>(radius * std::cos(2 * std::numbers::pi * Open()));
  }

 private:
  double Open() { return (static_cast<double>(Bits() >> 11) + 0.5) * 0x1p-53; }  // in (0, 1)

  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;
  static std::uint64_t Mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace mobilenet
