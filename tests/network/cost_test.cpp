#include "mobilenet/cost.h"

#include <numeric>

#include "gmock/gmock.h"
#include "mobilenet/runtime.h"

namespace mobilenet {
namespace {

TEST(Cost, OfALayerIsTheFormula) {
  const Network network = V1({.alpha = 0.5, .resolution = 160});
  const Cost cost = CostOf(network);
  // block2: 32 channels in at 80 x 80, stride 2, 64 out.
  ASSERT_EQ(network.layers[3].name, "block2.depthwise");
  EXPECT_EQ(cost.layers[3].macs, 3 * 3 * 32 * 40 * 40);
  EXPECT_EQ(cost.layers[3].params, 3 * 3 * 32 + 2 * 32);
  EXPECT_EQ(cost.layers[4].macs, 32 * 64 * 40 * 40);
  EXPECT_EQ(cost.layers[4].params, 32 * 64 + 2 * 64);
  EXPECT_EQ(cost.layers[4].weight_bytes, 4 * (32 * 64 + 64));
  EXPECT_EQ(cost.layers[4].activation_bytes, 4 * 40 * 40 * 64);
  EXPECT_EQ(cost.layers[0].macs, 3 * 3 * 3 * 16 * 80 * 80);
  EXPECT_EQ(cost.layers.back().params, 512 * 1000 + 1000);
}

TEST(Cost, TotalsAreTheSumOfLayersAndOfKinds) {
  for (const bool separable : {true, false}) {
    const Network network = V1({.alpha = 0.75, .resolution = 192, .separable = separable});
    const Cost cost = CostOf(network);
    std::int64_t params = 0;
    std::int64_t macs = 0;
    int layers = 0;
    for (const KindCost& kind : CostByKind(network)) {
      params += kind.params;
      macs += kind.macs;
      layers += kind.layers;
    }
    EXPECT_EQ(params, cost.params);
    EXPECT_EQ(macs, cost.macs);
    EXPECT_EQ(layers, static_cast<int>(network.layers.size()));
  }
}

TEST(Cost, ShrinksWithThePrecision) {
  const Network network = V1();
  const Cost full = CostOf(network);
  const Cost half = CostOf(network, Precision::kBfloat16);
  const Cost quarter = CostOf(network, Precision::kInt8);
  const std::int64_t weights = 4'209'088;
  const std::int64_t channels =
      10'944 + 1000;  // sum of output channels of the 27 convolutions, and the classes
  EXPECT_EQ(full.weight_bytes, 4 * weights + 4 * channels);
  EXPECT_EQ(half.weight_bytes, 2 * weights + 4 * channels);
  EXPECT_EQ(quarter.weight_bytes, weights + 8 * channels);
  // Plans keep feature maps in float32.
  EXPECT_EQ(half.peak_activation_bytes, full.peak_activation_bytes);
  EXPECT_EQ(half.layers.front().activation_bytes, full.layers.front().activation_bytes);
  EXPECT_EQ(quarter.peak_activation_bytes, full.peak_activation_bytes / 4);
  EXPECT_EQ(half.macs, full.macs);
}

TEST(Cost, PeakActivationsAreThePlans) {
  for (const V1Options& options :
       {V1Options{}, V1Options{.alpha = 0.25, .resolution = 96}, V1Options{.resolution = 45},
        V1Options{.alpha = 0.5, .resolution = 64, .output_stride = 4, .separable = false}}) {
    const Network network = V1(options);
    EXPECT_EQ(static_cast<std::size_t>(CostOf(network).peak_activation_bytes),
              Plan(network, RandomWeights(network, 1)).activation_bytes());
  }
}

TEST(Cost, SeparableAgainstStandardIsTheFormulaExactly) {
  const auto blocks = CompareWithStandard(V1({.alpha = 0.5}));
  ASSERT_EQ(blocks.size(), 13U);
  for (const BlockComparison& block : blocks) {
    // The formula is for stride 1; at stride 2 the depthwise layer's map is the smaller one too, so it holds.
    EXPECT_NEAR(static_cast<double>(block.separable_macs()) / static_cast<double>(block.standard.macs),
                block.formula, 1e-12)
        << block.name;
  }
  EXPECT_EQ(blocks[12].name, "block13");
  EXPECT_NEAR(blocks[12].formula, 1.0 / 512 + 1.0 / 9, 1e-12);
  EXPECT_TRUE(CompareWithStandard(V1({.separable = false})).empty());
}

}  // namespace
}  // namespace mobilenet
