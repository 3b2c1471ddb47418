// What the training loop asks its source for, and how it counts.
#include "training/loop.h"

#include <algorithm>
#include <array>
#include <atomic>

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
  NetworkOptions options = {.alpha = 0.25, .resolution = 32, .classes = 2};
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
    const Loop loop = {network, source, options, observer, pool, {}, {}};
    RunLoop(loop, WeightLayout(network).Flatten(network, RandomWeights(network, 1)));
    EXPECT_EQ(steps, 2 * ((10 + batch - 1) / batch));
    for (std::size_t i = 0; i < kInputs; ++i) {
      EXPECT_EQ(source.asked(0, i), 1);
      EXPECT_EQ(source.asked(1, i), 1);
    }
  }
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
