#include "mobilenet/energy.h"
#include "gmock/gmock.h"

namespace mobilenet {
namespace {

TEST(EstimateEnergy, AddsUpByHand) {
  Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 7});
  network.layers.resize(3);  // conv1, and block1 as one step
  // conv1 writes 16 x 16 x 8 from 32 x 32 x 3, block1 16 x 16 x 16 from that.
  const double macs = 16 * 16 * (27 * 8 + 9 * 8 + 8 * 16);
  const double values = (32 * 32 * 3 + 16 * 16 * 8) + (16 * 16 * 8 + 16 * 16 * 16);
  const double weights = 27 * 8 + 9 * 8 + 8 * 16;
  const double biases = 8 + 8 + 16;
  const Energy float32 = EstimateEnergy(network);
  EXPECT_EQ(float32.source, EnergySource::kEstimated);
  EXPECT_NEAR(float32.millijoules, 1e-9 * (macs * 4.6 + 4 * values * 12.5 + 4 * (weights + biases) * 243.75),
              1e-12);
  EXPECT_NEAR(EstimateEnergy(network, Precision::kBfloat16).millijoules,
              1e-9 * (macs * 2.0 + 4 * values * 12.5 + (2 * weights + 4 * biases) * 243.75), 1e-12);
  EXPECT_NEAR(EstimateEnergy(network, Precision::kFloat16).millijoules,
              1e-9 * (macs * 1.5 + 4 * values * 12.5 + (2 * weights + 4 * biases) * 243.75), 1e-12);
  EXPECT_NEAR(EstimateEnergy(network, Precision::kInt8).millijoules,
              1e-9 * (macs * 0.3 + values * 12.5 + (weights + 8 * biases) * 243.75), 1e-12);
}

}  // namespace
}  // namespace mobilenet
