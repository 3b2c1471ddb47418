// Optimisers beside PyTorch's, schedules and averages beside their formulas.
#include "training/optimizer.h"

#include <cmath>

#include "gmock/gmock.h"

namespace mobilenet {
namespace {

// Three weights and a bias.
Network FourNumbers() {
  Layer layer;
  layer.name = "classifier";
  layer.kind = LayerKind::kFullyConnected;
  layer.inputs = {kNetworkInput};
  layer.input = {1, 1, 3};
  layer.output = {1, 1, 1};
  layer.bias = true;
  Network network;
  network.input = layer.input;
  network.layers = {layer};
  return network;
}

struct Case {
  const char* name;
  OptimizerOptions options;
  double rate;
  std::vector<float> expected;  // printed by make_optimizer_reference.py
};

TEST(OptimizerTest, TenStepsEndWherePyTorchsDo) {
  OptimizerOptions plain;
  plain.momentum = 0;
  plain.weight_decay = 0;
  OptimizerOptions nesterov;
  nesterov.weight_decay = 0.01;
  OptimizerOptions rmsprop = OptimizerOptions::For(OptimizerKind::kRmsprop);
  rmsprop.weight_decay = 0.01;
  const OptimizerOptions adamw = OptimizerOptions::For(OptimizerKind::kAdamw);
  const std::vector<Case> cases = {
      {"Nesterov", nesterov, 0.1, {0.757698715F, -2.3460691F, 0.197493225F, 0.392240345F}},
      {"SGD", plain, 0.1, {0.984952092F, -2.0916605F, 0.415998787F, 0.250888705F}},
      {"RMSprop", rmsprop, 0.01, {0.873050749F, -2.1055491F, 0.192642987F, 0.364297956F}},
      {"AdamW", adamw, 0.01, {0.98138684F, -2.01179171F, 0.47544381F, 0.262112707F}}};
  const Network network = FourNumbers();
  const WeightLayout layout(network);
  for (const Case& c : cases) {
    ThreadPool pool(2);
    Optimizer optimizer(c.options, layout, pool);
    std::vector<float> values = {1, -2, 0.5, 0.25};
    std::vector<float> gradient(4);
    for (int step = 0; step < 10; ++step) {
      for (int i = 0; i < 4; ++i) gradient[i] = static_cast<float>(std::sin(1 + step * 4 + i));
      optimizer.Step(c.rate, gradient, values);
    }
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(values[i], c.expected[i], 1e-6) << c.name << ", " << i;
  }
}

// RMSprop's are those of the code that Howard et al. published, AdamW's those of PyTorch for vision.
TEST(OptimizerTest, EachKindHasItsOwnDefaults) {
  const auto defaults = [](OptimizerKind kind) {
    const OptimizerOptions o = OptimizerOptions::For(kind);
    EXPECT_EQ(o.kind, kind);
    return std::tuple(o.rho, o.epsilon, o.weight_decay);
  };
  EXPECT_EQ(std::get<2>(defaults(OptimizerKind::kSgd)), 5e-4);
  EXPECT_EQ(defaults(OptimizerKind::kRmsprop), std::tuple(0.9, 1e-3, 4e-5));
  EXPECT_EQ(defaults(OptimizerKind::kAdamw), std::tuple(0.999, 1e-8, 0.05));
}

TEST(OptimizerTest, WeightDecayLeavesDepthwiseAndBatchNormAloneUnlessTold) {
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 2});
  const WeightLayout layout(network);
  const std::vector<float> before = layout.Flatten(network, RandomWeights(network, 1));
  const std::vector<float> gradient(layout.size(), 0.0F);
  ThreadPool pool(1);
  for (const Decay decay : {Decay::kMixing, Decay::kWeights, Decay::kAll}) {
    OptimizerOptions options;
    options.weight_decay = 0.5;
    options.decay = decay;
    Optimizer optimizer(options, layout, pool);
    std::vector<float> values = before;
    optimizer.Step(0.1, gradient, values);
    for (const Slot& slot : layout.slots()) {
      const bool decays = slot.role == Role::kWeight ||
                          (slot.role == Role::kDepthwise && decay != Decay::kMixing) ||
                          (slot.role == Role::kNorm && decay == Decay::kAll);
      // With an empty past, Nesterov's step is 1.9 times the plain one.
      for (std::size_t i = slot.offset; i < slot.offset + slot.size; ++i)
        ASSERT_NEAR(values[i], before[i] * (decays ? 1 - 0.1F * 0.5F * 1.9F : 1), 1e-6)
            << slot.parameter.name;
    }
  }
}

TEST(OptimizerTest, ClipsTheGradientAsAWhole) {
  const Network network = FourNumbers();
  const WeightLayout layout(network);
  OptimizerOptions options;
  options.momentum = 0;
  options.weight_decay = 0;
  options.clip = 1;
  ThreadPool pool(1);
  Optimizer optimizer(options, layout, pool);
  std::vector<float> values(4, 0.0F);
  const std::vector<float> gradient = {3, 0, 0, 4};
  EXPECT_DOUBLE_EQ(optimizer.Step(1, gradient, values), 5);
  EXPECT_THAT(values, testing::Pointwise(testing::FloatNear(1e-6F), {-0.6F, 0.0F, 0.0F, -0.8F}));
}

TEST(ScheduleTest, GoUpAndDownAsTheyShould) {
  constexpr std::int64_t kSteps = 1000;
  const auto at = [](Schedule schedule, std::int64_t step) {
    return LearningRate(schedule, 0.2, 0.1, step, kSteps);
  };
  EXPECT_NEAR(at(Schedule::kOneCycle, 0), 0.2 / 25, 1e-5);
  EXPECT_NEAR(at(Schedule::kOneCycle, 300), 0.2, 1e-5);
  EXPECT_NEAR(at(Schedule::kOneCycle, 650), 0.1, 1e-3);
  EXPECT_NEAR(at(Schedule::kOneCycle, 999), 0, 1e-5);
  EXPECT_NEAR(at(Schedule::kCosine, 50), 0.1, 2e-3);
  EXPECT_NEAR(at(Schedule::kCosine, 550), 0.1, 1e-3);
  EXPECT_NEAR(at(Schedule::kCosine, 999), 0, 1e-5);
  EXPECT_NEAR(at(Schedule::kExponential, 100), 0.2, 1e-3);
  EXPECT_NEAR(at(Schedule::kExponential, 550), 0.02, 1e-3);
  EXPECT_NEAR(at(Schedule::kExponential, 999), 0.002, 1e-4);
}

TEST(AverageTest, FollowsFastFirstAndThenSlowly) {
  ThreadPool pool(1);
  std::vector<float> average = {0};
  const std::vector<float> values = {1};
  Average(0.99, 0, values, average, pool);
  EXPECT_NEAR(average[0], 0.9, 1e-6);
  average = {0};
  Average(0.99, 1'000'000, values, average, pool);
  EXPECT_NEAR(average[0], 0.01, 1e-6);
}

}  // namespace
}  // namespace mobilenet
