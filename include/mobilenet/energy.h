// What an inference costs in energy: measured where the machine counts it, estimated where it doesn't.
#pragma once

#include <string_view>

#include "mobilenet/cost.h"
#include "mobilenet/export.h"

namespace mobilenet {

// Where a number comes from.
enum class EnergySource {
  kMeasured,   // the processor's own counters, with everything that its packages drew meanwhile
  kPredicted,  // the power that other networks drew, measured so, times the predicted latency
  kEstimated,  // EstimateEnergy: for comparing networks, not a bill
};

// The energy of one inference.
struct Energy {
  double millijoules = 0;
  EnergySource source = EnergySource::kEstimated;
};

// "measured", "predicted", "estimated".
MOBILENET_EXPORT std::string_view NameOf(EnergySource source);

// A rough sum, good for comparing networks, at the prices of one old process: a multiplication and an
// addition for each mult-add, every feature map written once to and read once from a 1 MB cache, every weight
// read once from DRAM (as when images come one by one with other work between). Horowitz, "Computing's Energy
// Problem (and what we can do about it)", ISSCC 2014, figure 1.1.9, 45 nm at 0.9 V, in picojoules:
// float32 3.7 + 0.9; bfloat16, taken as its 16-bit float product and a float32 sum, 1.1 + 0.9; float16 1.1 +
// 0.4; int8 with a 32-bit sum 0.2 + 0.1; 100 for 8 bytes from the cache, and 1950, the middle of 1300 to
// 2600, for 8 bytes from DRAM. Never measured. Throws Error as
// CheckNetwork does.
MOBILENET_EXPORT Energy EstimateEnergy(const Network& network, Precision precision = Precision::kFloat32);

}  // namespace mobilenet
