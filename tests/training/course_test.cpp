// How training goes where nobody says how, and what is said of how it went.
#include "training/course.h"

#include <algorithm>

#include "base/stopwatch.h"
#include "gmock/gmock.h"
#include "mobilenet/network.h"
#include "training/budget.h"
#include "training/flat_weights.h"
#include "training/identity.h"
#include "training/remarks.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

TrainingOptions Tuning() {
  TrainingOptions options;
  options.from = Model{};
  return options;
}

TEST(CourseTest, FromNothingItIsLongAndInLargeSteps) {
  const Course course = CourseFor({}, 50'000);
  EXPECT_EQ(course.epochs, 30);
  EXPECT_EQ(course.batch, 128);
  EXPECT_EQ(course.schedule, Schedule::kOneCycle);
  EXPECT_NEAR(course.learning_rate, 0.2, 1e-3);
  EXPECT_EQ(course.average, 0.998);
}

TEST(CourseTest, FromAModelItIsAFewHundredSmallSteps) {
  for (const std::size_t pictures : {50, 500, 1000, 5000, 50'000}) {
    const Course course = CourseFor(Tuning(), pictures);
    EXPECT_EQ(course.batch, 32);
    EXPECT_EQ(course.schedule, Schedule::kCosine);
    EXPECT_GE(course.epochs, 3);
    EXPECT_GE(course.average, 0.5);
    EXPECT_LT(course.average, 0.999);
  }
  EXPECT_NEAR(CourseFor(Tuning(), 32).learning_rate, 0.01, 1e-9);
  EXPECT_NEAR(CourseFor(Tuning(), 3200).learning_rate, 0.03, 1e-9);
  for (const auto& [pictures, epochs] : {std::pair{50, 5}, {500, 10}, {1000, 20}, {2000, 10}, {50'000, 3}})
    EXPECT_EQ(CourseFor(Tuning(), static_cast<std::size_t>(pictures)).epochs, epochs);
}

TEST(CourseTest, WhatTheOptionsSayCounts) {
  TrainingOptions options = Tuning();
  options.epochs = 7;
  options.batch = 11;
  options.learning_rate = 0.5;
  options.schedule = Schedule::kExponential;
  options.average = 0.25;
  const Course course = CourseFor(options, 500);
  EXPECT_EQ(course.epochs, 7);
  EXPECT_EQ(course.batch, 11);
  EXPECT_EQ(course.learning_rate, 0.5);
  EXPECT_EQ(course.schedule, Schedule::kExponential);
  EXPECT_EQ(course.average, 0.25);
  EXPECT_EQ(TextOf(course, 500), "7 epochs of 46 steps of 11 pictures, learning rate 0.5 (exponential)");
}

TEST(CourseTest, FewerStepsAreFewerEpochsAndMoreOnlyFromNothing) {
  EXPECT_EQ(CourseFor(Tuning(), 320, 25).epochs, 3);  // 10, 10 and 5 steps
  EXPECT_EQ(CourseFor(Tuning(), 320, 20).epochs, 2);
  EXPECT_EQ(CourseFor(Tuning(), 320, 1'000'000).epochs, CourseFor(Tuning(), 320).epochs);
  EXPECT_EQ(CourseFor({}, 1280, 1000).epochs, 100);
  TrainingOptions said;
  said.epochs = 5;
  EXPECT_EQ(CourseFor(said, 1280, 1000).epochs, 5);
}

// A checkpoint keeps it, and training that goes on reads it back.
TEST(CourseTest, TheMostStepsAreWrittenOut) {
  TrainingOptions options;
  options.precision = Precision::kFloat32;
  const Course course = CourseFor(options, 1280, 300'000);
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 2});
  const Identity identity = IdentityOf({}, options, course, network);
  EXPECT_EQ(std::ranges::find(identity, "most steps", &Trait::name)->value, "300000");
}

TEST(BudgetTest, StepsAndValidationsFillTheTime) {
  const TrainingTimes times = {.step = 0.1, .validation = 2};
  const auto seconds = [&](std::int64_t steps, int more) {
    const std::int64_t epochs = (steps + 9) / 10;
    return 0.1 * static_cast<double>(steps) + 2.0 * static_cast<double>(epochs + more);
  };
  for (const double budget : {10.0, 11.3, 60.0, 600.0}) {
    for (const int more : {0, 2}) {
      const std::int64_t steps = StepsIn(budget, times, 10, more);
      EXPECT_LE(seconds(steps, more), budget);
      EXPECT_GT(seconds(steps, more), 0.93 * budget - 2.3);
    }
  }
  EXPECT_EQ(StepsIn(2, times, 10, 0), 0);
  EXPECT_EQ(StepsIn(-5, times, 10, 0), 0);
}

// Inputs that each take 10 ms to make, and when those to train on were asked for.
class SlowSource : public Source {
 public:
  static constexpr double kSeconds = 0.01;

  [[nodiscard]] const std::vector<int>& training() const override { return labels_; }
  [[nodiscard]] const std::vector<int>& validation() const override { return labels_; }
  void Training(int /*epoch*/, std::size_t index, std::span<float> input) const override {
    asked_.push_back(watch_.Seconds());
    Validation(index, input);
  }
  void Validation(std::size_t /*index*/, std::span<float> input) const override {
    for (const Stopwatch watch; watch.Seconds() < kSeconds;) std::ranges::fill(input, 0.5F);
  }
  [[nodiscard]] const std::vector<double>& asked() const { return asked_; }

 private:
  std::vector<int> labels_ = {1};
  Stopwatch watch_;
  mutable std::vector<double> asked_;
};

TEST(BudgetTest, TheFirstOfThreeStepsDoesNotCount) {
  TrainingOptions options;
  options.precision = Precision::kFloat32;
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 2, .shallow = true});
  const auto values = WeightLayout(network).Flatten(network, RandomWeights(network, 1));
  ThreadPool pool(1);
  const Stopwatch watch;
  const SlowSource source;
  const TrainingTimes times = Measure(network, values, source, options, CourseFor(options, 1), {}, pool);
  EXPECT_LE(times.validation + 2 * times.step + SlowSource::kSeconds, watch.Seconds());
  EXPECT_GE(times.validation, SlowSource::kSeconds);
  ASSERT_EQ(source.asked().size(), 3U);
  EXPECT_GE(2 * times.step, source.asked()[2] - source.asked()[1] + SlowSource::kSeconds);
}

std::vector<EpochRecord> Losses(std::initializer_list<double> losses) {
  std::vector<EpochRecord> epochs;
  for (const double loss : losses) {
    epochs.push_back(
        {.epoch = static_cast<int>(epochs.size()) + 1, .learning_rate = 0.5, .training_loss = loss});
  }
  return epochs;
}

TEST(RemarksTest, ALossThatRisesIsToldOf) {
  EXPECT_EQ(RemarkOnRise(Losses({2.3})), "");
  EXPECT_EQ(RemarkOnRise(Losses({2.3, 2.0, 2.1})), "");
  EXPECT_EQ(RemarkOnRise(Losses({0.01, 0.05})), "") << "small losses waver";
  EXPECT_THAT(RemarkOnRise(Losses({2.3, 1.5, 4})),
              HasSubstr("its loss was 1.5 in epoch 2 and is 4 in epoch 3, at a learning rate of 0.5"));
}

TEST(RemarksTest, SidesThatDifferAreToldOf) {
  EpochRecord last;
  last.training_accuracy = 0.95;
  EXPECT_EQ(RemarkOnGap(last, 0.8, 10, 500), "");
  EXPECT_EQ(RemarkOnGap(last, 0.12, 10, 20), "") << "running means take more steps";
  EXPECT_THAT(RemarkOnGap(last, 0.6, 10, 500),
              HasSubstr("95 % on the pictures that were trained on and 60 %"));
  EXPECT_THAT(RemarkOnGap(last, 0.6, 10, 500), HasSubstr("carries over badly"));
  EXPECT_THAT(RemarkOnGap(last, 0.12, 10, 500), HasSubstr("hardly more than chance"));
}

TEST(RemarksTest, MemoryThatIsNotThereIsToldOf) {
  constexpr std::size_t kMebi = std::size_t{1} << 20;
  EXPECT_EQ(RemarkOnMemory(5 * kMebi, 0), "") << "where the system doesn't tell";
  EXPECT_EQ(RemarkOnMemory(5 * kMebi, 5 * kMebi), "");
  EXPECT_THAT(RemarkOnMemory(5 * kMebi, 4 * kMebi), HasSubstr("takes 5 MiB of memory for its maps, and 4"));
}

}  // namespace
}  // namespace mobilenet
