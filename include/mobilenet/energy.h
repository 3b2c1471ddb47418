// What an inference costs in energy: measured where the machine counts it, estimated where it doesn't.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "mobilenet/cost.h"

namespace mobilenet {

// Where a number comes from.
enum class EnergySource {
  kMeasured,   // the processor's own counters, with everything that its packages drew meanwhile
  kPredicted,  // the power that other networks drew, measured so, times the predicted latency
  kEstimated,  // EstimateEnergy: a lower bound for comparing networks, not a bill
};

// The energy of one inference.
struct Energy {
  double millijoules = 0;
  EnergySource source = EnergySource::kEstimated;
};

// "measured", "predicted", "estimated".
std::string_view NameOf(EnergySource source);

// A sum over what one inference must at least do: a multiplication and an addition for each mult-add, every
// feature map written once and read once from a 1 MB cache, every weight read once from DRAM. The prices
// are those of 45 nm at 0.9 V in Horowitz, "Computing's Energy Problem (and what we can do about it)", ISSCC
// 2014, figure 1.1.9: in picojoules, float32 3.7 + 0.9; bfloat16, taken as its 16-bit float product and a
// float32 sum, 1.1 + 0.9; int8 with a 32-bit sum 0.2 + 0.1; 100 for 8 bytes from the cache, and 1950, the
// middle of 1300 to 2600, for 8 bytes from DRAM. Never measured.
Energy EstimateEnergy(const Network& network, Precision precision = Precision::kFloat32);

// Reads the energy counters of Linux's powercap framework (RAPL on Intel and AMD processors), which many
// systems show to root only. One thread at a time.
class EnergyMeter {
 public:
  // Counters are looked for in `directory`, one folder for each package, named like "intel-rapl:0".
  explicit EnergyMeter(const std::filesystem::path& directory = "/sys/class/powercap");

  // Whether there is a counter that can be read.
  [[nodiscard]] bool available() const { return !packages_.empty(); }

  // Begins a stretch of work.
  void Start();
  // The millijoules that all packages together drew since Start; nothing where there is no counter or one
  // could not be read. A counter that wrapped around once meanwhile is counted on.
  [[nodiscard]] std::optional<double> Stop();

 private:
  struct Package {
    std::filesystem::path counter;  // microjoules
    std::uint64_t range = 0;        // the largest value before it starts again from 0
    std::optional<std::uint64_t> start;
  };
  std::vector<Package> packages_;
};

}  // namespace mobilenet
