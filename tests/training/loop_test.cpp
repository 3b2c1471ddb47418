// What the training loop asks its source for, and how it counts.
#include "training/loop.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "gmock/gmock.h"
#include "random.h"
#include "training/training_pass.h"

namespace mobilenet {
namespace {

constexpr std::size_t kInputs = 10;

// Random inputs of two classes, and how often each was asked for.
class CountingSource : public Source {
 public:
  [[nodiscard]] const std::vector<int>& training() const override { return labels_; }
  [[nodiscard]] const std::vector<int>& validation() const override { return labels_; }
  void Training(int epoch, std::size_t index, std::span<float> input) const override {
    ++asked_[epoch - 1][index];
    Validation(index, input);
  }
  void Validation(std::size_t index, std::span<float> input) const override {
    std::ranges::copy(RandomValues(input.size(), static_cast<std::uint32_t>(index)), input.begin());
  }
  [[nodiscard]] int asked(std::size_t epoch, std::size_t index) const { return asked_[epoch][index]; }

 private:
  std::vector<int> labels_ = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  mutable std::array<std::array<std::atomic<int>, kInputs>, 2> asked_{};
};

Network Small() {
  V1Options options = {.alpha = 0.25, .resolution = 32, .classes = 2};
  options.shallow = true;
  return V1(options);
}

TEST(LoopTest, AnEpochSeesEveryInputOnceInStepsOfEqualSize) {
  const Network network = Small();
  for (const int batch : {1, 3, 4, 9, 10, 128}) {
    SCOPED_TRACE(batch);
    const CountingSource source;
    TrainingOptions options;
    options.epochs = 2;
    options.batch = batch;
    options.learning_rate = 0.01;
    options.precision = Precision::kFloat32;
    ThreadPool pool(2);
    std::int64_t steps = 0;
    TrainingObserver observer;
    observer.step = [&](const TrainingProgress& progress) { steps = progress.steps; };
    const Course course = CourseFor(options, kInputs);
    const Loop loop = {network, source, options, course, observer, pool, {}, {}};
    RunLoop(loop, WeightLayout(network).Flatten(network, RandomWeights(network, 1)));
    EXPECT_EQ(steps, 2 * ((10 + batch - 1) / batch));
    for (std::size_t i = 0; i < kInputs; ++i) {
      EXPECT_EQ(source.asked(0, i), 1);
      EXPECT_EQ(source.asked(1, i), 1);
    }
  }
}

// The order in which each epoch asks for its inputs.
class OrderSource : public Source {
 public:
  [[nodiscard]] const std::vector<int>& training() const override { return labels_; }
  [[nodiscard]] const std::vector<int>& validation() const override { return labels_; }
  void Training(int epoch, std::size_t index, std::span<float> input) const override {
    orders_.resize(std::max(orders_.size(), static_cast<std::size_t>(epoch)));
    orders_[epoch - 1].push_back(index);
    Validation(index, input);
  }
  void Validation(std::size_t index, std::span<float> input) const override {
    std::ranges::fill(input, static_cast<float>(labels_[index]));
  }
  [[nodiscard]] const std::vector<std::vector<std::size_t>>& orders() const { return orders_; }

 private:
  std::vector<int> labels_ = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  mutable std::vector<std::vector<std::size_t>> orders_;
};

// Trains at a rate that changes nothing: the loss of each epoch tells what differed in its inputs.
std::vector<double> LossesOfFixedWeights(const Source& source, TrainingOptions options) {
  const Network network = Small();
  options.epochs = 4;
  options.batch = 12;
  options.learning_rate = 1e-12;
  options.precision = Precision::kFloat32;
  ThreadPool pool(1);
  std::vector<double> losses;
  TrainingObserver observer;
  observer.epoch = [&](const std::vector<EpochRecord>& epochs) {
    losses.push_back(epochs.back().training_loss);
  };
  RunLoop({network, source, options, CourseFor(options, source.training().size()), observer, pool, {}, {}},
          WeightLayout(network).Flatten(network, RandomWeights(network, 1)));
  return losses;
}

TEST(LoopTest, EachEpochHasAnOrderOfItsOwnThatTheSeedGives) {
  const auto orders = [](std::uint64_t seed) {
    const OrderSource source;
    TrainingOptions options;
    options.seed = seed;
    LossesOfFixedWeights(source, options);
    return source.orders();
  };
  const auto first = orders(1);
  ASSERT_EQ(first.size(), 4U);
  for (std::size_t a = 0; a < first.size(); ++a) {
    EXPECT_TRUE(std::ranges::is_permutation(first[a], first[0]));
    EXPECT_FALSE(std::ranges::is_sorted(first[a]));
    for (std::size_t b = 0; b < a; ++b) EXPECT_NE(first[a], first[b]);
  }
  EXPECT_EQ(orders(1), first);
  EXPECT_NE(orders(2), first);
}

// With weights that stand still, inputs that differ by class alone, and all of them in each step, the losses
// of epochs differ only where mixing or dropping does.
TEST(LoopTest, WhatIsMixedAndDroppedDiffersFromStepToStep) {
  const OrderSource source;
  TrainingOptions plain;
  const std::vector<double> same = LossesOfFixedWeights(source, plain);
  for (const double loss : same) EXPECT_NEAR(loss, same[0], 5e-5);
  TrainingOptions mixed;
  mixed.augment.mixup = 1;
  TrainingOptions dropped;
  dropped.dropout = 0.5;
  for (const TrainingOptions& options : {mixed, dropped}) {
    const std::vector<double> losses = LossesOfFixedWeights(source, options);
    ASSERT_EQ(losses.size(), 4U);
    for (std::size_t a = 0; a < 4; ++a) {
      for (std::size_t b = 0; b < a; ++b) EXPECT_GT(std::abs(losses[a] - losses[b]), 1e-4);
    }
  }
}

// One input many times.
class EqualSource : public Source {
 public:
  [[nodiscard]] const std::vector<int>& training() const override { return labels_; }
  [[nodiscard]] const std::vector<int>& validation() const override { return labels_; }
  void Training(int /*epoch*/, std::size_t index, std::span<float> input) const override {
    Validation(index, input);
  }
  void Validation(std::size_t /*index*/, std::span<float> input) const override {
    std::ranges::copy(RandomValues(input.size(), 1), input.begin());
  }

 private:
  std::vector<int> labels_ = std::vector<int>(12, 1);
};

TEST(LoopTest, WhatIsMixedWithItsLikeStays) {
  TrainingOptions options;
  const double plain = LossesOfFixedWeights(EqualSource(), options).front();
  options.augment.mixup = 1;
  EXPECT_THAT(LossesOfFixedWeights(EqualSource(), options), testing::Each(testing::DoubleNear(plain, 1e-4)));
  options.balance = true;  // the class weighs 1 / 2: two classes for as many inputs as there are
  EXPECT_THAT(LossesOfFixedWeights(EqualSource(), options),
              testing::Each(testing::DoubleNear(plain / 2, 1e-4)));
}

TEST(LoopTest, AMixedInputIsRightWhereTheLabelOfTheLargerShareIs) {
  const Network network = Small();
  ThreadPool pool(1);
  TrainingPass pass(network, {.batch = 4}, pool);
  const WeightLayout layout(network);
  const auto start = layout.Flatten(network, RandomWeights(network, 1));
  const auto images = RandomValues(4 * static_cast<std::size_t>(network.input.size()), 2);
  const auto correct = [&](Target target) {
    std::vector<float> values = start;
    std::vector<float> gradient(layout.size());
    return pass.Run(images, std::vector<Target>(4, target), values, gradient, 1).correct;
  };
  const int ones = correct({1, 1, 1});
  EXPECT_EQ(correct({0, 0, 1}), 4 - ones);
  EXPECT_EQ(correct({0, 1, 0.25F}), ones);
  EXPECT_EQ(correct({0, 1, 0.75F}), 4 - ones);
}

}  // namespace
}  // namespace mobilenet
