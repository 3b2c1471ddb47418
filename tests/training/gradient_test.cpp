// Every gradient beside a numerical one of the plain loss in double precision.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "complaint.h"
#include "gmock/gmock.h"
#include "kernels/kernels.h"
#include "mobilenet/runtime.h"
#include "network/shapes.h"
#include "random.h"
#include "training/plain_loss.h"
#include "training/small_networks.h"
#include "training/training_pass.h"

namespace mobilenet {
namespace {

// A block of MobileNet V2, the sum perhaps with an activation: the first map has two readers.
Network Skip(Activation behind, bool batch_norm) {
  return Chain(7, 6, PaddingStyle::kSame, Activation::kRelu6)
      .Add(LayerKind::kConvolution, 9, 3, 1, batch_norm)
      .Add(LayerKind::kPointwise, 18, 1, 1, batch_norm)
      .Add(LayerKind::kDepthwise, 18, 3, 1, batch_norm)
      .Add(LayerKind::kPointwise, 9, 1, 1, batch_norm)
      .Linear()
      .Sum(3, 0, behind)
      .Add(LayerKind::kPointwise, 10, 1, 1, batch_norm)
      .Finish();
}

// Of gradients that are 0: a shift that a pointwise layer's batch norm takes out again.
constexpr double kNoise = 5e-7;

// Compares all gradients, or the first of every seventh slot, on each target; errors relative to the slot's
// largest.
void CheckGradients(const Case& c, std::span<const std::string_view> targets, bool all = true,
                    double relative = 1e-3) {
  const WeightLayout layout(c.network);
  std::vector<std::vector<double>> expected;  // for each slot, as many as are compared
  for (const Slot& slot : layout.slots()) {
    auto& numbers = expected.emplace_back();
    if (slot.role == Role::kRunning || (!all && expected.size() % 7 != 1)) continue;
    for (std::size_t i = 0; i < (all ? slot.size : 1); ++i) numbers.push_back(c.Numerical(slot.offset + i));
  }
  const std::vector<double> exact(c.values.begin(), c.values.end());
  const double loss = PlainLoss(c.network, exact, c.images, c.targets, Case::kSmoothing);
  ThreadPool pool(2);
  for (const std::string_view target : targets) {
    SCOPED_TRACE(target);
    TrainingPass pass(
        c.network,
        {.batch = static_cast<int>(c.targets.size()), .label_smoothing = Case::kSmoothing, .target = target},
        pool);
    std::vector<float> values = c.values;
    std::vector<float> gradient(values.size());
    EXPECT_NEAR(pass.Run(c.images, c.targets, values, gradient).loss, loss, 1e-5);
    for (std::size_t s = 0; s < layout.slots().size(); ++s) {
      const Slot& slot = layout.slots()[s];
      const std::span<const float> part(gradient.data() + slot.offset, slot.size);
      if (slot.role == Role::kRunning) {
        EXPECT_THAT(part, testing::Each(0.0F));
        continue;
      }
      double largest = 0;
      for (const float g : part) largest = std::max(largest, std::abs(double{g}));
      ASSERT_GT(largest, 0) << slot.parameter.name;
      for (std::size_t i = 0; i < expected[s].size(); ++i)
        ASSERT_NEAR(part[i], expected[s][i], relative * largest + kNoise)
            << slot.parameter.name << " at " << i;
    }
  }
}

TEST(TrainingPassTest, EveryLayerHasTheGradientOfThePlainLoss) {
  const std::vector<std::string_view> targets = AvailableTargets();
  for (const PaddingStyle padding : {PaddingStyle::kSame, PaddingStyle::kSymmetric}) {
    for (const int stride : {1, 2}) {
      SCOPED_TRACE(testing::Message() << "stride " << stride);
      CheckGradients(Case(Chain(7, 6, padding, Activation::kRelu6)
                              .Add(LayerKind::kConvolution, 9, 3, stride)
                              .Add(LayerKind::kDepthwise, 9, 3, stride)
                              .Add(LayerKind::kPointwise, 17)
                              .Add(LayerKind::kDepthwise, 17, 5, stride)
                              .Add(LayerKind::kPointwise, 5, 1, 1, false)
                              .Add(LayerKind::kConvolution, 6, 3, stride)
                              .Finish(),
                          5),
                     targets);
    }
  }
}

TEST(TrainingPassTest, CurvesHaveTheGradientOfThePlainLoss) {
  const std::vector<std::string_view> targets = AvailableTargets();
  for (const Activation activation : {Activation::kHardSigmoid, Activation::kHardSwish}) {
    for (const bool batch_norm : {true, false}) {
      SCOPED_TRACE(testing::Message() << NameOf(activation) << (batch_norm ? ", batch norm" : ", biases"));
      CheckGradients(Case(Chain(7, 6, PaddingStyle::kSame, activation)
                              .Add(LayerKind::kConvolution, 9, 3, 1, batch_norm)
                              .Add(LayerKind::kDepthwise, 9, 3, 2, batch_norm)
                              .Add(LayerKind::kPointwise, 17, 1, 1, batch_norm)
                              .Sum(2, 2, activation)
                              .Finish(),
                          5),
                     targets);
    }
  }
}

// A gate of the map's own average, one of another map's, and a map of 1 x 1 that is its own gate.
TEST(TrainingPassTest, AGateAndItsMapHaveTheGradientOfThePlainLoss) {
  const std::vector<std::string_view> targets = AvailableTargets();
  for (const bool batch_norm : {true, false}) {
    SCOPED_TRACE(batch_norm ? "batch norm" : "biases");
    Chain chain(7, 6, PaddingStyle::kSame, Activation::kHardSwish);
    chain.Add(LayerKind::kConvolution, 9, 3, 1, batch_norm)
        .Add(LayerKind::kDepthwise, 9, 5, 1, batch_norm)
        .SqueezeExcite(4)
        .Scale(0, 4)
        .Sum(5, 6)
        .Add(LayerKind::kPointwise, 12, 1, 1, batch_norm)
        .Pool();
    CheckGradients(Case(chain.Scale(9, 9).Classify(), 5), targets);
  }
}

TEST(TrainingPassTest, AWholeNetworkHasTheGradientOfThePlainLoss) {
  const std::string_view target = AvailableTargets().front();
  for (const bool separable : {true, false}) {
    // Few values, so that float32 and float64 don't come down on different sides of an activation's edge, but
    // enough images for the statistics of 1 x 1 maps.
    const Case c(V1({.alpha = 0.25, .resolution = 32, .classes = 3, .separable = separable}), 24);
    CheckGradients(c, {&target, 1}, false);
  }
}

TEST(TrainingPassTest, ASumHandsItsGradientToBothMaps) {
  const std::vector<std::string_view> targets = AvailableTargets();
  for (const bool batch_norm : {true, false}) {
    for (const Activation behind : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
      SCOPED_TRACE(testing::Message() << NameOf(behind) << (batch_norm ? ", batch norm" : ", biases"));
      CheckGradients(Case(Skip(behind, batch_norm), 5), targets);
    }
  }
}

// Each kind of layer stores the gradient of what it reads, adds to it, and is the last to add.
TEST(TrainingPassTest, TheGradientsOfAllThatReadAMapAreAddedUp) {
  const std::string_view target = AvailableTargets().front();
  std::vector kinds = {LayerKind::kConvolution, LayerKind::kDepthwise, LayerKind::kPointwise};
  for (const bool batch_norm : {true, false}) {
    for (int turn = 0; turn < 3; ++turn) {
      SCOPED_TRACE(testing::Message() << "turn " << turn << (batch_norm ? ", batch norm" : ", biases"));
      Chain chain(6, 5, PaddingStyle::kSame, Activation::kRelu6);
      chain.Add(LayerKind::kConvolution, 9, 3, 1, batch_norm);
      for (const LayerKind kind : kinds)
        chain.Read(0).Add(kind, 9, kind == LayerKind::kPointwise ? 1 : 3, 1, batch_norm);
      const Case c(chain.Sum(1, 2).Sum(4, 3).Add(LayerKind::kPointwise, 8, 1, 1, batch_norm).Finish(), 5);
      CheckGradients(c, {&target, 1});
      std::rotate(kinds.begin(), kinds.begin() + 1, kinds.end());  // (Clang 14 has no ranges for it)
    }
  }
}

TEST(TrainingPassTest, AnAverageAndASumOfAMapWithItselfShareItToo) {
  const std::string_view target = AvailableTargets().front();
  for (const bool average_first : {true, false}) {
    Chain chain(6, 5, PaddingStyle::kSame, Activation::kRelu6);
    chain.Add(LayerKind::kConvolution, 9, 3);
    if (average_first) chain.Pool();
    chain.Sum(0, 0, Activation::kRelu6).Add(LayerKind::kPointwise, 9).Pool();  // twice layer 0
    if (!average_first) chain.Read(0).Pool();
    const Case c(chain.Sum(average_first ? 1 : 3, 4).Classify(), 5);
    CheckGradients(c, {&target, 1});
  }
}

TEST(TrainingPassTest, AWholeV2HasTheGradientOfThePlainLoss) {
  const std::string_view target = AvailableTargets().front();
  const Case c(V2({.alpha = 0.1, .resolution = 32, .classes = 3, .output_stride = 8}), 8);
  // Rounding goes through 66 layers, and where it moves a value over an edge of ReLU6 more than rounding
  // comes.
  CheckGradients(c, {&target, 1}, false, 1e-2);
}

TEST(TrainingPassTest, MaxPoolsAndTwoStridesAreRunButNotTrained) {
  ThreadPool pool(1);
  const Network network = Chain(8, 8, PaddingStyle::kSame, Activation::kRelu)
                              .Add(LayerKind::kConvolution, 8, 3)
                              .Add(LayerKind::kDepthwise, 8, 3)
                              .Finish();
  Network strides = network;
  strides.layers[1].stride = {1, 2};
  strides.layers[1].output.width = strides.layers[2].input.width = 4;
  EXPECT_THAT(Complaint([&] { TrainingPass(strides, {}, pool); }),
              testing::HasSubstr("layer layer1 has the strides 1 and 2, which is run but not trained"));
  Network most = network;
  Layer& pooled = most.layers[1] = Layer();
  pooled.name = "most";
  pooled.kind = LayerKind::kMaxPool;
  pooled.inputs = {0};
  pooled.input = {8, 8, 8};
  pooled.output = {4, 4, 8};
  pooled.kernel = pooled.stride.down = pooled.stride.across = 2;
  most.layers[2].input = {4, 4, 8};
  EXPECT_THAT(Complaint([&] { TrainingPass(most, {}, pool); }),
              testing::HasSubstr("layer most is a max pool, which is run but not trained through"));
}

TEST(TrainingPassTest, AWholeV3HasTheGradientOfThePlainLoss) {
  const std::string_view target = AvailableTargets().front();
  const Case c(
      V3({.variant = V3Variant::kSmall, .alpha = 0.1, .resolution = 32, .classes = 3, .output_stride = 16}),
      8);
  CheckGradients(c, {&target, 1}, false, 1e-2);
}

// Blocks with and without each depthwise layer, of 3x3 and 5x5, skips, and dense convolutions behind the
// first.
TEST(TrainingPassTest, AWholeV4HasTheGradientOfThePlainLoss) {
  const std::string_view target = AvailableTargets().front();
  const Case c(V4({.alpha = 0.1, .resolution = 32, .classes = 3, .output_stride = 16}), 8);
  CheckGradients(c, {&target, 1}, false, 1e-2);
}

// What a batch leaves behind: the running means and variances, moved by a tenth.
TEST(TrainingPassTest, RunningStatisticsMoveTowardsTheBatchs) {
  const Network network =
      Chain(6, 6, PaddingStyle::kSame, Activation::kRelu).Add(LayerKind::kConvolution, 8, 3).Finish();
  Case c(network, 4);
  const WeightLayout layout(network);
  ThreadPool pool(2);
  TrainingPass pass(network, {.batch = 4, .norm_momentum = 0.9F}, pool);
  std::vector<float> gradient(c.values.size());
  const float* mean = c.values.data() + layout.Find(0, ".mean")->offset;
  const float* variance = c.values.data() + layout.Find(0, ".variance")->offset;
  pass.Run(c.images, c.targets, c.values, gradient);
  const std::vector<float> first_mean(mean, mean + 8);
  const Layer& layer = network.layers.front();
  const std::vector<double> images(c.images.begin(), c.images.end());
  const float* filter = c.values.data() + layout.Find(0, ".weight")->offset;
  const std::vector<double> weight(filter, filter + layout.Find(0, ".weight")->size);
  const std::vector<double> map = PlainLinear(layer, images, weight.data(), 4);
  for (std::size_t i = 0; i < 8; ++i) {
    const double count = static_cast<double>(map.size()) / 8;
    double sum = 0;
    double squares = 0;
    for (std::size_t k = i; k < map.size(); k += 8) sum += map[k];
    for (std::size_t k = i; k < map.size(); k += 8) squares += std::pow(map[k] - sum / count, 2);
    EXPECT_NEAR(mean[i], 0.1 * sum / count, 1e-5) << "from 0";
    EXPECT_NEAR(variance[i], 0.9 + 0.1 * squares / (count - 1), 1e-5) << "from 1, and not biased";
  }
  pass.Run(c.images, c.targets, c.values, gradient);
  for (int i = 0; i < 8; ++i)
    EXPECT_NEAR(mean[i], 1.9 * first_mean[i], 1e-5) << "from 0, by a tenth and a tenth of the rest";
}

// The squares of what differs and of the second, added up.
std::pair<double, double> Compare(std::span<const float> values, std::span<const float> with) {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    difference += std::pow(values[i] - with[i], 2);
    size += std::pow(with[i], 2);
  }
  return {difference, size};
}

// Each thread has its share of the batch, also where there are fewer images than threads.
TEST(TrainingPassTest, ThreadsAndSmallBatchesAgree) {
  // Single rows are so long that nothing needs more scratch memory than the depthwise layer, whose gradient
  // is added to that of the sum.
  const Network wide = Chain(4, 1200, PaddingStyle::kSame, Activation::kRelu6)
                           .Add(LayerKind::kConvolution, 64, 3)
                           .Add(LayerKind::kDepthwise, 64, 3)
                           .Sum(1, 0)
                           .Finish();
  for (const Network& network : {V1({.alpha = 0.25, .resolution = 32, .classes = 3, .shallow = true}),
                                 Skip(Activation::kRelu, true), wide}) {
    for (const int images : {1, 2, 5}) {
      const Case c(network, images);
      std::vector<float> first;
      for (const int threads : {1, 2, 4}) {
        SCOPED_TRACE(testing::Message() << images << " images, " << threads << " threads");
        ThreadPool pool(threads);
        TrainingPass pass(network, {.batch = 5}, pool);
        std::vector<float> gradient(c.values.size());
        std::vector<float> again(c.values.size());
        std::vector<float> values = c.values;
        pass.Run(c.images, c.targets, values, gradient);
        values = c.values;
        pass.Run(c.images, c.targets, values, again);
        EXPECT_EQ(gradient, again);
        if (first.empty()) first = gradient;
        const auto [difference, size] = Compare(gradient, first);
        EXPECT_LT(difference, 1e-4 * size);
      }
    }
  }
}

// Errors are relative to each slot's gradient; `most` grows with the depth.
void CheckRounded(const Network& network, std::string_view target, double most, ThreadPool& pool) {
  const Case c(network, 32);
  std::vector<std::vector<float>> gradients;
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16, Precision::kBfloat16}) {
    TrainingPass pass(network, {.batch = 32, .precision = precision, .target = target}, pool);
    std::vector<float> values = c.values;
    gradients.emplace_back(values.size());
    pass.Run(c.images, c.targets, values, gradients.back());
  }
  EXPECT_EQ(gradients[1], gradients[2]);
  const WeightLayout layout(network);
  for (const Slot& slot : layout.slots()) {
    if (slot.role == Role::kRunning) continue;
    const auto part = [&](int which) { return std::span(gradients[which]).subspan(slot.offset, slot.size); };
    const auto [difference, size] = Compare(part(1), part(0));
    EXPECT_GT(difference, 0) << slot.parameter.name << ": nothing was rounded";
    EXPECT_LT(std::sqrt(difference / size), most) << slot.parameter.name;
  }
}

// Rounded factors move a gradient by little, forward and backward, in layers of odd widths, in whole windows,
// and where maps that are rounded and maps that aren't are added.
TEST(TrainingPassTest, Bfloat16IsCloseToFloat32WhereItIsFast) {
  const auto available = AvailableKernels();
  const auto fast =
      std::ranges::find_if(available, [](const Kernels* kernels) { return kernels->bf16_rows; });
  ThreadPool pool(2);
  if (fast == available.end()) {
    const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
    EXPECT_THAT(Complaint([&] { TrainingPass(network, {.precision = Precision::kBfloat16}, pool); }),
                testing::HasSubstr("train in float32"));
    return;
  }
  const Network chain = Chain(9, 7, PaddingStyle::kSame, Activation::kRelu)
                            .Add(LayerKind::kConvolution, 9, 3)
                            .Add(LayerKind::kPointwise, 24)
                            .Add(LayerKind::kConvolution, 6, 3, 2)
                            .Add(LayerKind::kPointwise, 17)
                            .Finish();
  CheckRounded(chain, (*fast)->name, 0.1, pool);
  // Without the activation the last shift before the sum would have a gradient of 0.
  CheckRounded(Skip(Activation::kRelu, true), (*fast)->name, 0.25, pool);
}

// A layer more is a map more, but no gradient more.
TEST(TrainingPassTest, GradientsThatAreNotNeededAtOnceShareMemory) {
  constexpr int kBatch = 16;
  constexpr int kMore = 6;
  ThreadPool pool(1);
  const auto memory = [&](int layers) {
    Chain chain(16, 16, PaddingStyle::kSame, Activation::kRelu);
    chain.Add(LayerKind::kConvolution, 32, 3);
    for (int i = 0; i < layers; ++i) chain.Add(LayerKind::kPointwise, 32);
    return TrainingPass(chain.Finish(), {.batch = kBatch}, pool).memory();
  };
  const std::size_t map = std::size_t{kBatch} * 16 * 16 * 32 * sizeof(float);
  const std::size_t more = memory(2 + kMore) - memory(2);
  EXPECT_GE(more, kMore * map);
  EXPECT_LT(more, kMore * map * 11 / 10);
}

// Packed for both directions, and each worker's part of the gradient.
TEST(TrainingPassTest, ItsMemoryHoldsTheWeights) {
  const Network network = V1({.resolution = 32, .classes = 2});
  std::size_t weights = 0;
  for (const Layer& layer : network.layers) {
    if (layer.kind == LayerKind::kPointwise)
      weights += sizeof(float) * static_cast<std::size_t>(layer.input.channels) * layer.output.channels;
  }
  for (const int workers : {1, 2}) {
    ThreadPool pool(workers);
    EXPECT_GE(TrainingPass(network, {.batch = 1}, pool).memory(), (2 + workers) * weights);
  }
}

TEST(TrainingPassTest, WhatDoesNotFitIsRefused) {
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
  ThreadPool pool(1);
  TrainingPass pass(network, {.batch = 2}, pool);
  Case c(network, 3);
  std::vector<float> gradient(c.values.size());
  EXPECT_THAT(Complaint([&] { pass.Run(c.images, c.targets, c.values, gradient); }),
              testing::HasSubstr("expected 1 to 2"));
  c.targets.resize(2);
  c.images.resize(2 * static_cast<std::size_t>(network.input.size()));
  c.targets[1].other = 3;
  EXPECT_THAT(Complaint([&] { pass.Run(c.images, c.targets, c.values, gradient); }),
              testing::HasSubstr("a target of class 3, expected 0 to 2"));
  c.targets[1] = {-1, 2, 0.5};
  EXPECT_THAT(Complaint([&] { pass.Run(c.images, c.targets, c.values, gradient); }),
              testing::HasSubstr("a target of class -1, expected 0 to 2"));
  gradient.pop_back();
  EXPECT_THAT(Complaint([&] { pass.Run(c.images, c.targets, c.values, gradient); }),
              testing::HasSubstr("gradients"));
}

TEST(TrainingPassTest, WhatCannotBeTrainedIsRefused) {
  ThreadPool pool(1);
  const auto complaint = [&](const Network& network) {
    return Complaint([&] { TrainingPass(network, {}, pool); });
  };
  const auto begin = [] {
    return Chain(6, 6, PaddingStyle::kSame, Activation::kRelu).Add(LayerKind::kConvolution, 3, 3);
  };
  EXPECT_EQ(complaint(begin().Finish()), "no error");
  constexpr const char* kEnd = "ends with a fully connected layer, with no batch norm or activation";
  Network network = begin().Finish();
  network.layers.back().activation = Activation::kRelu;
  EXPECT_THAT(complaint(network), testing::HasSubstr(kEnd));
  network = begin().Pool().Add(LayerKind::kFullyConnected, 3).Linear().Classify();
  EXPECT_EQ(complaint(network), "no error");
  network.layers.pop_back();
  EXPECT_THAT(complaint(network), testing::HasSubstr(kEnd));
  network.layers.pop_back();
  EXPECT_THAT(complaint(network), testing::HasSubstr(kEnd));
  EXPECT_THAT(complaint(begin().Add(LayerKind::kPointwise, 8).Read(0).Finish()),
              testing::HasSubstr("no layer reads layer1"));
  EXPECT_THAT(complaint(begin().Sum(0, kNetworkInput).Finish()),
              testing::HasSubstr("layer1 reads the network's input, expected a convolution there"));
  EXPECT_THAT(complaint(begin().Add(LayerKind::kDepthwise, 3, 9).Finish()),
              testing::HasSubstr("layer1 has a kernel of 9, expected 1 to 7"));
  EXPECT_EQ(complaint(begin().Add(LayerKind::kConvolution, 3, 9).Finish()), "no error");
}

}  // namespace
}  // namespace mobilenet
