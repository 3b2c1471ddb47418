#include <array>
#include <string>

#include "gmock/gmock.h"
#include "mobilenet/cost.h"
#include "mobilenet/error.h"
#include "mobilenet/network.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

TEST(V1, HasThePapersParametersAndMultAdds) {
  const Cost cost = CostOf(V1());
  EXPECT_EQ(cost.params, 4'231'976);
  EXPECT_EQ(cost.macs, 568'740'352);
}

// Howard et al. 2017, Table 1: type and stride, filter shape, input size, for each row in order.
TEST(V1, HasThePapersTable1) {
  struct Row {
    LayerKind kind;
    int stride, input, in_channels, out_channels;
  };
  constexpr auto kConv = LayerKind::kConvolution;
  constexpr auto kDw = LayerKind::kDepthwise;
  constexpr auto kPw = LayerKind::kPointwise;
  std::vector<Row> rows = {{kConv, 2, 224, 3, 32}, {kDw, 1, 112, 32, 32},  {kPw, 1, 112, 32, 64},
                           {kDw, 2, 112, 64, 64},  {kPw, 1, 56, 64, 128},  {kDw, 1, 56, 128, 128},
                           {kPw, 1, 56, 128, 128}, {kDw, 2, 56, 128, 128}, {kPw, 1, 28, 128, 256},
                           {kDw, 1, 28, 256, 256}, {kPw, 1, 28, 256, 256}, {kDw, 2, 28, 256, 256},
                           {kPw, 1, 14, 256, 512}};
  for (int i = 0; i < 5; ++i) {
    rows.push_back({kDw, 1, 14, 512, 512});
    rows.push_back({kPw, 1, 14, 512, 512});
  }
  rows.push_back({kDw, 2, 14, 512, 512});
  rows.push_back({kPw, 1, 7, 512, 1024});
  rows.push_back(
      {kDw, 1, 7, 1024, 1024});  // the paper prints stride 2 here, with an output that stride 1 gives
  rows.push_back({kPw, 1, 7, 1024, 1024});
  rows.push_back({LayerKind::kGlobalAveragePool, 1, 7, 1024, 1024});
  rows.push_back({LayerKind::kFullyConnected, 1, 1, 1024, 1000});

  const Network network = V1();
  ASSERT_EQ(network.layers.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Layer& layer = network.layers[i];
    SCOPED_TRACE(layer.name);
    EXPECT_EQ(layer.kind, rows[i].kind);
    EXPECT_EQ(layer.stride, rows[i].stride);
    EXPECT_EQ(layer.input, (Shape{rows[i].input, rows[i].input, rows[i].in_channels}));
    EXPECT_EQ(layer.output.channels, rows[i].out_channels);
    EXPECT_EQ(layer.inputs, std::vector<int>{static_cast<int>(i) - 1});
  }
}

// The published sizes of the 16 checkpoints: mult-adds and parameters in millions, as they are rounded there.
TEST(V1, HasThePublishedCostsUnderAlphaAndRho) {
  const std::array<double, 4> alphas = {1, 0.75, 0.5, 0.25};
  const std::array<double, 4> params = {4.24, 2.59, 1.34, 0.47};
  for (std::size_t i = 0; i < alphas.size(); ++i) {
    const Cost cost = CostOf(V1({.alpha = alphas[i]}));
    EXPECT_NEAR(static_cast<double>(cost.params) * 1e-6, params[i], 0.01) << alphas[i];
  }
  const std::array<int, 4> resolutions = {224, 192, 160, 128};
  const std::array<double, 4> macs = {569, 418, 291, 186};
  for (std::size_t i = 0; i < resolutions.size(); ++i) {
    const Cost cost = CostOf(V1({.resolution = resolutions[i]}));
    EXPECT_NEAR(static_cast<double>(cost.macs) * 1e-6, macs[i], 0.6) << resolutions[i];
  }
}

TEST(V1, OfStandardConvolutionsCostsWhatThePaperSays) {
  const Cost cost = CostOf(V1({.separable = false}));
  EXPECT_NEAR(static_cast<double>(cost.params) * 1e-6, 29.3, 0.05);  // Table 4
  EXPECT_NEAR(static_cast<double>(cost.macs) * 1e-6, 4866, 2);
}

TEST(V1, ShallowLeavesOutTheFiveEqualBlocks) {
  const Network network = V1({.shallow = true});
  EXPECT_EQ(network.layers.size(), V1().layers.size() - 10);
  EXPECT_EQ(network.layers[12].name, "block6.pointwise");
  EXPECT_EQ(network.layers[13].name, "block12.depthwise");
  EXPECT_NEAR(static_cast<double>(CostOf(network).macs) * 1e-6, 307, 0.5);  // Table 5
  EXPECT_NEAR(static_cast<double>(CostOf(network).params) * 1e-6, 2.9, 0.05);
}

TEST(V1, OutputStrideDropsTheEarliestStrides) {
  for (const int output_stride : {32, 16, 8, 4}) {
    const Network network = V1({.resolution = 64, .output_stride = output_stride});
    std::vector<std::string> strided;
    for (const Layer& layer : network.layers) {
      if (layer.stride == 2) strided.push_back(layer.name);
      if (layer.name == "pool") {
        EXPECT_EQ(layer.input.height, 64 / output_stride);
      }
    }
    const std::vector<std::string> all = {"conv1", "block2.depthwise", "block4.depthwise", "block6.depthwise",
                                          "block12.depthwise"};
    const auto dropped = static_cast<std::ptrdiff_t>(all.size() - strided.size());
    EXPECT_EQ(strided, std::vector<std::string>(all.begin() + dropped, all.end())) << output_stride;
  }
}

TEST(V1, PadsAsTensorFlowOrAsPyTorch) {
  // Even size, stride 2: "same" pads one row below and none above; symmetric pads one on each side.
  EXPECT_EQ(V1().layers[0].padding, (Padding{0, 1, 0, 1}));
  EXPECT_EQ(V1().layers[1].padding, (Padding{1, 1, 1, 1}));
  EXPECT_EQ(V1({.padding = PaddingStyle::kSymmetric}).layers[0].padding, (Padding{1, 1, 1, 1}));
  EXPECT_EQ(V1({.padding = PaddingStyle::kSymmetric}).layers[0].output.height, 112);
  EXPECT_EQ(V1({.resolution = 35}).layers[0].output.height, 18);
  EXPECT_EQ(V1({.resolution = 35}).layers[0].padding, (Padding{1, 1, 1, 1}));
}

TEST(V1, ChannelsAreCutOffAndNeverBelowEight) {
  EXPECT_EQ(V1Channels(0.25, 32), 8);
  EXPECT_EQ(V1Channels(0.01, 1024), 10);
  EXPECT_EQ(V1Channels(0.01, 32), 8);
  EXPECT_EQ(V1Channels(0.3, 512), 153);
  EXPECT_EQ(V1({.alpha = 0.01}).layers[1].input.channels, 8);
}

TEST(V1, OtherHeadsAndInputs) {
  const Network network = V1({.resolution = 32, .classes = 7, .input_channels = 1});
  EXPECT_EQ(network.input, (Shape{32, 32, 1}));
  EXPECT_EQ(network.output(), (Shape{1, 1, 7}));
  EXPECT_EQ(ParametersOf(network.layers[0])[0].shape, (std::vector<std::int64_t>{3, 3, 1, 32}));
}

TEST(V1, RefusesWhatIsOutOfRange) {
  const auto message = [](const V1Options& options) -> std::string {
    try {
      V1(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message({.alpha = 0}), HasSubstr("alpha is 0"));
  EXPECT_THAT(message({.alpha = 1.5}), HasSubstr("alpha is 1.5, expected more than 0 and at most 1"));
  EXPECT_THAT(message({.alpha = std::stod("nan")}), HasSubstr("alpha is nan"));
  EXPECT_THAT(message({.resolution = 31}), HasSubstr("resolution is 31, expected 32 to 4096"));
  EXPECT_THAT(message({.resolution = 7'000'000}), HasSubstr("resolution is 7000000"));
  EXPECT_THAT(message({.classes = -1}), HasSubstr("classes is -1"));
  EXPECT_THAT(message({.input_channels = 4}), HasSubstr("input channels is 4"));
  EXPECT_THAT(message({.output_stride = 2}), HasSubstr("output stride is 2"));
}

TEST(Parameters, OfALayerFollowItsKindAndNorm) {
  const Network folded = V1({.alpha = 0.25, .batch_norm = false});
  const auto parameters = ParametersOf(folded.layers[1]);
  ASSERT_EQ(parameters.size(), 2U);
  EXPECT_EQ(parameters[0].name, "block1.depthwise.weight");
  EXPECT_EQ(parameters[0].shape, (std::vector<std::int64_t>{3, 3, 8}));
  EXPECT_EQ(parameters[1].name, "block1.depthwise.bias");
  const auto normed = ParametersOf(V1().layers[2]);
  ASSERT_EQ(normed.size(), 5U);
  EXPECT_EQ(normed[0].shape, (std::vector<std::int64_t>{32, 64}));
  EXPECT_TRUE(normed[1].trainable);
  EXPECT_EQ(normed[3].name, "block1.pointwise.norm.mean");
  EXPECT_FALSE(normed[3].trainable);
}

}  // namespace
}  // namespace mobilenet
