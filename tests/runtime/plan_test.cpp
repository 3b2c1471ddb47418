// Whole networks: every target and number of threads beside the reference, for every shape of network.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <set>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "kernels/kernels.h"
#include "mobilenet/cost.h"
#include "mobilenet/error.h"
#include "mobilenet/runtime.h"
#include "random.h"
#include "runtime/reference_run.h"

namespace mobilenet {
namespace {

// Weights whose batch norms do something.
Weights LivelyWeights(const Network& network) {
  Weights weights = RandomWeights(network, 3);
  std::uint32_t seed = 10;
  for (auto& [name, tensor] : weights) {
    if (!name.ends_with(".bias") && name.find(".norm.") == std::string::npos) continue;
    std::vector<float> values = RandomValues(tensor.values.size(), ++seed);
    const bool around_one = name.ends_with(".gamma") || name.ends_with(".variance");
    for (float& value : values) value = around_one ? 1 + 0.4F * value : 0.3F * value;
    tensor = Tensor::Of(tensor.shape, std::move(values));
  }
  return weights;
}

double LargestDifference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(double{a[i]} - b[i]));
  return largest;
}

void CheckTargets(const Network& network, const std::vector<std::string_view>& targets) {
  const Weights weights = LivelyWeights(network);
  const auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 4);
  const std::vector<float> expected = ReferenceRun(network, weights, input);
  double scale = 1;
  for (const float value : expected) scale = std::max(scale, std::abs(double{value}));
  for (const std::string_view target : targets) {
    const Plan plan(network, weights, {.target = target});
    for (const int threads : {1, 2, 5}) {
      SCOPED_TRACE(testing::Message() << target << ", " << threads << " threads");
      Runner runner(plan, {.threads = threads});
      std::vector<float> logits(expected.size());
      ASSERT_TRUE(runner.Run(input, logits));
      EXPECT_LT(LargestDifference(expected, logits), 2e-5 * scale);
    }
  }
}

void CheckAllTargets(const V1Options& options) { CheckTargets(V1(options), AvailableTargets()); }
void CheckAllTargets(const V2Options& options) { CheckTargets(V2(options), AvailableTargets()); }
void CheckAllTargets(const V4Options& options) { CheckTargets(V4(options), AvailableTargets()); }

// Each product rounds its operands, in bfloat16 to 8 bits, in half precision to 11: logits agree to
// hundredths or thousandths of their range. V2 has 36 products where V1 has 14, and nothing bounds half of
// what they make: with random batch norms that is ten times as much (with trained ones it is less than V1's).
void CheckNear(Precision precision, double tolerance) {
  for (const Network& network :
       {V1({.alpha = 0.25, .resolution = 64, .classes = 10}),
        V1({.alpha = 0.37, .resolution = 45, .classes = 7}),  // odd numbers of channels
        V1({.alpha = 0.01, .resolution = 32, .classes = 1}),
        V2({.alpha = 0.35, .resolution = {48, 64}, .classes = 5})}) {
    const Weights weights = LivelyWeights(network);
    const auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 4);
    const std::vector<float> expected = ReferenceRun(network, weights, input);
    double scale = 1;
    for (const float value : expected) scale = std::max(scale, std::abs(double{value}));
    for (const std::string_view target : AvailableTargets()) {
      const Plan plan(network, weights, {.target = target, .precision = precision});
      const auto available = AvailableKernels();
      const auto found = std::ranges::find(available, target, &Kernels::name);
      if (precision == Precision::kFloat16 && (*found)->product_f16 == nullptr) {
        EXPECT_EQ(plan.precision(), Precision::kFloat32);
        continue;
      }
      EXPECT_EQ(plan.precision(), precision);
      EXPECT_LT(plan.weight_bytes(), Plan(network, weights, {.target = target}).weight_bytes());
      std::vector<float> alone(expected.size());
      for (const int threads : {1, 3}) {
        SCOPED_TRACE(testing::Message() << target << ", " << threads << " threads");
        Runner runner(plan, {.threads = threads});
        std::vector<float> logits(expected.size());
        ASSERT_TRUE(runner.Run(input, logits));
        EXPECT_LT(LargestDifference(expected, logits),
                  tolerance * scale * (VersionOf(network) == "v2" ? 10 : 1));
        EXPECT_GT(LargestDifference(expected, logits), 0);
        if (threads == 1) alone = logits;
        EXPECT_EQ(logits, alone);
      }
    }
  }
}

TEST(Plan, Bf16IsNear) { CheckNear(Precision::kBfloat16, 0.03); }
TEST(Plan, F16IsNear) { CheckNear(Precision::kFloat16, 0.005); }

// Where nothing bounds what is multiplied, or weights are too large for sums to stay in half precision, the
// product is one of float32.
TEST(Plan, F16OnlyWhereSumsFit) {
  const auto run = [](const Network& network, const Weights& weights, std::string_view target,
                      Precision precision) {
    Runner runner(Plan(network, weights, {.target = target, .precision = precision}));
    std::vector<float> logits(static_cast<std::size_t>(network.output().size()));
    EXPECT_TRUE(runner.Run(RandomValues(static_cast<std::size_t>(network.input.size()), 4), logits));
    return logits;
  };
  const Network unbounded =
      V1({.alpha = 0.25, .resolution = 32, .classes = 5, .activation = Activation::kRelu});
  const Network bounded = V1({.alpha = 0.25, .resolution = 32, .classes = 5});
  Weights large = LivelyWeights(bounded);
  for (auto& [name, tensor] : large) {
    if (!name.ends_with("pointwise.weight") && name != "classifier.weight") continue;
    std::vector<float> values(tensor.values.begin(), tensor.values.end());
    for (float& value : values) value *= 2e6F;
    tensor = Tensor::Of(tensor.shape, std::move(values));
  }
  for (const std::string_view target : AvailableTargets()) {
    SCOPED_TRACE(target);
    const Weights weights = LivelyWeights(unbounded);
    EXPECT_EQ(run(unbounded, weights, target, Precision::kFloat16),
              run(unbounded, weights, target, Precision::kFloat32));
    EXPECT_EQ(run(bounded, large, target, Precision::kFloat16),
              run(bounded, large, target, Precision::kFloat32));
  }
}

TEST(Plan, ChoosesAPrecisionAndRefusesInt8) {
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
  const Weights weights = RandomWeights(network, 1);
  const Plan chosen(network, weights, {.precision = std::nullopt});
  EXPECT_THAT(chosen.precision(),
              testing::AnyOf(Precision::kFloat32, Precision::kBfloat16, Precision::kFloat16));
  const Plan again(network, weights, {.precision = std::nullopt});
  EXPECT_EQ(again.precision(), chosen.precision());
  EXPECT_EQ(again.target(), chosen.target());
  EXPECT_THROW(Plan(network, weights, {.precision = Precision::kInt8}), Error);
}

TEST(Plan, AgreesWithTheReference) {
  CheckAllTargets(V1Options{.alpha = 0.25, .resolution = 64, .classes = 10});
}
TEST(Plan, AtOddAlphaAndResolution) {
  CheckAllTargets(V1Options{.alpha = 0.37, .resolution = 45, .classes = 7});
}
TEST(Plan, AtTheSmallest) { CheckAllTargets(V1Options{.alpha = 0.01, .resolution = 32, .classes = 1}); }
TEST(Plan, GreyAndOutputStride4) {
  CheckAllTargets(
      V1Options{.alpha = 0.25, .resolution = 32, .classes = 10, .input_channels = 1, .output_stride = 4});
}
TEST(Plan, SymmetricPaddingReluAndNoBatchNorm) {
  CheckAllTargets(V1Options{.alpha = 0.25,
                            .resolution = 50,
                            .classes = 1001,
                            .padding = PaddingStyle::kSymmetric,
                            .activation = Activation::kRelu,
                            .batch_norm = false});
}
// With eight channels in the first maps and sixteen values to a register; not where a row is of odd length.
TEST(Plan, TwoPixelsAtOnce) {
  for (const int resolution : {32, 48, 50, 66}) {
    for (const PaddingStyle padding : {PaddingStyle::kSame, PaddingStyle::kSymmetric})
      CheckAllTargets(V1Options{.alpha = 0.25, .resolution = resolution, .classes = 3, .padding = padding});
  }
}
TEST(Plan, OfStandardConvolutions) {
  CheckAllTargets(V1Options{.alpha = 0.25, .resolution = 32, .classes = 10, .separable = false});
}

// Large maps, of which a few rows are kept: from the first layer on, and from the second. They take long in
// builds with sanitizers, and the kernels are tested elsewhere: one target does.
void CheckDepthFirst(const V1Options& options) { CheckTargets(V1(options), {AvailableTargets().front()}); }

TEST(Plan, OfV2) {
  CheckAllTargets(V2Options{.alpha = 0.35, .resolution = 64, .classes = 10});
  CheckAllTargets(V2Options{.alpha = 0.1,
                            .resolution = {33, 70},
                            .classes = 3,
                            .input_channels = 1,
                            .output_stride = 8,
                            .padding = PaddingStyle::kSymmetric});
}
TEST(Plan, OfV2DepthFirst) {
  CheckTargets(V2({.resolution = {150, 190}, .classes = 2}), {AvailableTargets().front()});
}
TEST(Plan, OfV3) {
  for (const V3Variant variant : {V3Variant::kLarge, V3Variant::kSmall, V3Variant::kSmallMinimalistic})
    CheckTargets(V3({.variant = variant, .alpha = 0.35, .resolution = 64, .classes = 10}),
                 AvailableTargets());
  CheckTargets(V3({.variant = V3Variant::kSmall,
                   .alpha = 0.35,
                   .resolution = {33, 70},
                   .classes = 3,
                   .input_channels = 1,
                   .output_stride = 8,
                   .padding = PaddingStyle::kSymmetric}),
               AvailableTargets());
  CheckTargets(V3({.alpha = 0.5, .resolution = {190, 150}, .classes = 0}), {AvailableTargets().front()});
}
TEST(Plan, OfV4) {
  CheckAllTargets(V4Options{.alpha = 0.35, .resolution = 64, .classes = 10});
  CheckAllTargets(V4Options{.variant = V4Variant::kConvMedium,
                            .alpha = 0.1,
                            .resolution = {33, 70},
                            .classes = 3,
                            .input_channels = 1,
                            .output_stride = 8,
                            .padding = PaddingStyle::kSame});
  CheckTargets(V4({.alpha = 0.5, .resolution = {190, 150}, .classes = 0}), {AvailableTargets().front()});
}
TEST(Plan, StepsOfV4HaveNamesOfTheirOwn) {
  const Network network = V4({.alpha = 0.1, .resolution = 32, .classes = 2});
  const Plan plan(network, RandomWeights(network, 1));
  std::set<std::string> names;
  for (const StepInfo& step : plan.steps()) EXPECT_TRUE(names.insert(step.name).second) << step.name;
  EXPECT_TRUE(names.contains("block3.start"));
  EXPECT_TRUE(names.contains("block3"));
}
TEST(Plan, OfRectangles) { CheckAllTargets(V1Options{.alpha = 0.25, .resolution = {96, 50}, .classes = 3}); }

TEST(Plan, DepthFirst) { CheckDepthFirst({.resolution = 178, .classes = 2}); }
TEST(Plan, DepthFirstAtOddSizes) {
  CheckDepthFirst({.alpha = 0.8, .resolution = 187, .classes = 2, .padding = PaddingStyle::kSymmetric});
  CheckDepthFirst({.alpha = 0.55, .resolution = 211, .classes = 2});
}
TEST(Plan, DepthFirstTwoPixelsAtOnce) {
  CheckDepthFirst({.alpha = 0.25, .resolution = 388, .classes = 2, .padding = PaddingStyle::kSymmetric});
}
TEST(Plan, DepthFirstBehindAStandardConvolutionOfManyChannels) {
  CheckDepthFirst({.alpha = 0.3, .resolution = 190, .classes = 2, .separable = false});
}

// What the least memory changes is where rows lie, not what is computed.
TEST(Plan, WithTheLeastMemoryGivesTheSameBits) {
  for (const Network& network :
       {V1({.alpha = 0.25, .resolution = 64, .classes = 10}), V1({.alpha = 0.37, .resolution = 45}),
        V1({.resolution = 192, .classes = 2}), V1({.alpha = 0.5, .resolution = 96, .output_stride = 8}),
        V2({.alpha = 0.5, .resolution = {96, 150}, .classes = 5})}) {
    const Weights weights = LivelyWeights(network);
    const auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 4);
    const Plan fast(network, weights);
    const Plan least(network, weights, {.memory = MemoryUse::kLeast});
    EXPECT_LE(least.activation_bytes(), fast.activation_bytes());
    EXPECT_EQ(static_cast<std::int64_t>(least.activation_bytes()),
              CostOf(network, Precision::kFloat32, MemoryUse::kLeast).peak_activation_bytes);
    std::vector<float> expected(static_cast<std::size_t>(network.output().size()));
    ASSERT_TRUE(Runner(fast).Run(input, expected));
    for (const int threads : {1, 2, 5}) {
      std::vector<float> logits(expected.size());
      ASSERT_TRUE(Runner(least, {.threads = threads}).Run(input, logits));
      EXPECT_EQ(logits, expected) << threads << " threads";
    }
  }
}

// A NaN must not become a confident answer: activations that clamp would swallow it.
// The formulas written out, for what the reference and training take from the same table.
TEST(Plan, ActivationsHoldValuesInTheirRange) {
  const std::vector<float> input = {-7, -0.5F, 0, 0.5F, 5.5F, 6.5F, 100};
  const auto expect = [&](Activation activation, auto formula) {
    Layer layer;
    layer.name = "identity";
    layer.kind = LayerKind::kPointwise;
    layer.inputs = {kNetworkInput};
    layer.input = layer.output = {1, 7, 1};
    layer.activation = activation;
    const Network network = {.input = layer.input, .layers = {layer}};
    const Weights weights = {{"identity.weight", Tensor::Of({1, 1}, {1.0F})}};
    std::vector<float> output(input.size());
    ASSERT_TRUE(Runner(Plan(network, weights)).Run(input, output));
    for (std::size_t i = 0; i < input.size(); ++i) EXPECT_EQ(output[i], formula(input[i]));
  };
  expect(Activation::kNone, [](float x) { return x; });
  expect(Activation::kRelu, [](float x) { return x < 0 ? 0 : x; });
  expect(Activation::kRelu6, [](float x) { return x < 0 ? 0 : x > 6 ? 6 : x; });
}

TEST(Plan, ANanInTheInputIsOneInEveryLogit) {
  for (const Activation activation : {Activation::kRelu6, Activation::kRelu, Activation::kNone}) {
    const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 5, .activation = activation});
    const Weights weights = RandomWeights(network, 3);
    auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 4);
    input[16 * 32 * 3 + 50] = std::numeric_limits<float>::quiet_NaN();
    for (const std::string_view target : AvailableTargets()) {
      for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16, Precision::kFloat16}) {
        Runner runner(Plan(network, weights, {.target = target, .precision = precision}));
        std::vector<float> logits(5);
        ASSERT_TRUE(runner.Run(input, logits));
        for (const float logit : logits)
          EXPECT_TRUE(std::isnan(logit)) << target << ", " << NameOf(precision) << ", " << NameOf(activation);
      }
    }
    for (const float logit : ReferenceRun(network, weights, input)) EXPECT_TRUE(std::isnan(logit));
  }
}

// Windows that leave rows out: in a group, a row of the last map asks for rows of the first that lie behind
// those that its own neighbour asked for.
TEST(Plan, DepthFirstWithStridesLargerThanWindows) {
  Network network;
  network.input = {90, 90, 3};
  const auto add = [&](const char* name, LayerKind kind, Shape output, int kernel, int stride) {
    Layer layer;
    layer.name = name;
    layer.kind = kind;
    layer.inputs = {network.layers.empty() ? kNetworkInput : static_cast<int>(network.layers.size()) - 1};
    layer.input = network.layers.empty() ? network.input : network.layers.back().output;
    layer.output = output;
    layer.kernel = kernel;
    layer.stride = stride;
    layer.padding = kernel == 3 && stride == 1 ? Padding{1, 1, 1, 1} : Padding{};
    layer.bias = kind != LayerKind::kGlobalAveragePool;
    network.layers.push_back(layer);
  };
  add("a", LayerKind::kConvolution, {90, 90, 40}, 3, 1);
  add("b.depthwise", LayerKind::kDepthwise, {90, 90, 40}, 3, 1);
  add("b.pointwise", LayerKind::kPointwise, {90, 90, 40}, 1, 1);
  add("c.depthwise", LayerKind::kDepthwise, {30, 30, 40}, 1, 3);
  add("c.pointwise", LayerKind::kPointwise, {30, 30, 8}, 1, 1);
  add("pool", LayerKind::kGlobalAveragePool, {1, 1, 8}, 1, 1);
  add("classifier", LayerKind::kFullyConnected, {1, 1, 4}, 1, 1);
  const Weights weights = LivelyWeights(network);
  const auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 4);
  const std::vector<float> expected = ReferenceRun(network, weights, input);
  for (const MemoryUse memory : {MemoryUse::kFast, MemoryUse::kLeast}) {
    const Plan plan(network, weights, {.memory = memory});
    EXPECT_LT(plan.activation_bytes(), std::size_t{90} * 90 * 40 * 4) << "a map was kept whole";
    for (const int threads : {1, 2, 3}) {
      std::vector<float> logits(4);
      ASSERT_TRUE(Runner(plan, {.threads = threads}).Run(input, logits));
      EXPECT_LT(LargestDifference(expected, logits), 1e-4);
    }
  }
}

TEST(Plan, FusesDepthwiseAndPointwise) {
  const Network network = V1({.alpha = 0.25, .resolution = 96});
  const Plan plan(network, RandomWeights(network, 1));
  ASSERT_EQ(plan.steps().size(), 16U);  // convolution, 13 pairs, pool, classifier
  EXPECT_EQ(plan.steps()[1].name, "block1");
  EXPECT_EQ(plan.steps()[1].kind, "separable");
  std::int64_t macs = 0;
  for (const StepInfo& step : plan.steps()) macs += step.macs;
  EXPECT_EQ(macs, 7'489'664 + 256 * (1000 - 2));
}

TEST(Plan, KeepsAFewRowsOfLargeMaps) {
  const Network network = V1();
  const Plan plan(network, RandomWeights(network, 1));
  // Block 5's input and output, whose pixels lie 272 floats apart, are more than the rows that are kept of
  // the maps before them. Layer by layer it would be block 1's, 4.8 MB.
  EXPECT_GE(plan.activation_bytes(), sizeof(float) * 28 * 28 * 272 * 2);
  EXPECT_LE(plan.activation_bytes(), 1'750'000U);
  const Network small = V1({.alpha = 0.25});
  EXPECT_EQ(Plan(small, RandomWeights(small, 1)).activation_bytes(), sizeof(float) * 112 * 112 * (8 + 16));
}

TEST(Plan, RefusesUnknownTargetsAndUnfitWeights) {
  const Network network = V1({.alpha = 0.25, .resolution = 32});
  EXPECT_THROW(Plan(network, RandomWeights(network, 1), {.target = "mmx"}), Error);
  EXPECT_THROW(Plan(network, {}), Error);
  EXPECT_THROW(Plan(Network{}, {}), Error);
  EXPECT_THROW(Plan(network, RandomWeights(V1({.alpha = 0.5, .resolution = 32}), 1)), Error);
}

TEST(Runner, RefusesWrongLengthsAndTouchesNothing) {
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
  const Plan plan(network, RandomWeights(network, 1));
  Runner runner(plan);
  std::vector<float> input(32 * 32 * 3);
  std::vector<float> logits(3, 7.0F);
  EXPECT_FALSE(runner.Run(std::span(input).first(10), logits));
  EXPECT_FALSE(runner.Run(input, std::span(logits).first(2)));
  std::vector<double> seconds(1);
  EXPECT_FALSE(runner.RunTimed(input, logits, seconds));
  EXPECT_THAT(logits, testing::Each(7.0F));
  EXPECT_TRUE(runner.Run(input, logits));
}

TEST(Runner, RefusesUnreasonableThreads) {
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
  const Plan plan(network, RandomWeights(network, 1));
  EXPECT_THROW(Runner(plan, {.threads = 0}), Error);
  EXPECT_THROW(Runner(plan, {.threads = 257}), Error);
}

TEST(Runner, ManyShareAPlanAndOutliveIt) {
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 10});
  auto plan = std::make_unique<Plan>(network, RandomWeights(network, 1));
  std::vector<Runner> runners;
  for (int i = 0; i < 4; ++i) runners.emplace_back(*plan, RunnerOptions{.threads = 1 + i % 2});
  plan.reset();
  const auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 4);
  std::vector<std::vector<float>> logits(runners.size(), std::vector<float>(10));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < runners.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 20; ++repeat) ASSERT_TRUE(runners[i].Run(input, logits[i]));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& other : logits) EXPECT_EQ(other, logits.front());
}

TEST(Softmax, ANanAnywhereMakesAllNan) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{20}, std::size_t{36}}) {
    std::vector<float> values = RandomValues(37, 1);
    values[at] = std::numeric_limits<float>::quiet_NaN();
    Softmax(values);
    for (const float value : values) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(Softmax, SumsToOne) {
  std::vector<float> values = RandomValues(1000, 1);
  Softmax(values);
  double sum = 0;
  for (const float value : values) sum += value;
  EXPECT_NEAR(sum, 1, 1e-5);
  Softmax({});
}

}  // namespace
}  // namespace mobilenet
