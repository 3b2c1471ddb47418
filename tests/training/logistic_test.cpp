// The classifier on features that don't change.
#include "training/logistic.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "complaint.h"
#include "gmock/gmock.h"
#include "random.h"
#include "training/training_pass.h"
#include "training/transfer.h"
#include "training/validate.h"

namespace mobilenet {
namespace {

constexpr int kClasses = 3;
constexpr std::size_t kSize = 24;

Network Classifier() {
  Layer layer;
  layer.name = "classifier";
  layer.kind = LayerKind::kFullyConnected;
  layer.inputs = {kNetworkInput};
  layer.input = {1, 1, static_cast<int>(kSize)};
  layer.output = {1, 1, kClasses};
  layer.bias = true;
  Network network;
  network.input = layer.input;
  network.layers = {layer};
  return network;
}

// Noise, with `signal` added where the class is.
Features Drawn(std::size_t count, float signal, std::uint32_t seed, const std::vector<int>& labels = {}) {
  Features features;
  features.size = kSize;
  features.rows = RandomValues(count * kSize, seed);
  for (std::size_t i = 0; i < count; ++i) {
    features.labels.push_back(labels.empty() ? static_cast<int>(i % kClasses) : labels[i % labels.size()]);
    features.rows[i * kSize + static_cast<std::size_t>(features.labels[i])] += signal;
  }
  return features;
}

LogisticFit Fit(const Features& features, bool balanced = false, int threads = 2) {
  ThreadPool pool(threads);
  return FitLogistic(Classifier(), features, balanced, pool, [](std::size_t, std::size_t) {});
}

Validation On(const Features& features, const LogisticFit& fit) {
  ThreadPool pool(1);
  return Validate(Classifier(), fit.values, FeatureSource(features, features), {}, pool);
}

// Where the slope of the loss with its decay is nothing, a convex loss is at its least.
TEST(LogisticTest, TheSlopeIsNothingWhereItEnds) {
  const Features features = Drawn(200, 0.7F, 1);
  LogisticFit fit = Fit(features);
  for (float& value : fit.values) value = static_cast<float>(value * fit.temperature);
  ThreadPool pool(1);
  TrainingPass pass(Classifier(), {.batch = 200}, pool);
  std::vector<Target> targets;
  for (const int label : features.labels) targets.push_back({label, label, 1});
  std::vector<float> gradient(fit.values.size());
  pass.Run(features.rows, targets, fit.values, gradient);
  const std::size_t weights = kSize * kClasses;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double decay = i < weights ? fit.decay * fit.values[i] : 0;
    EXPECT_NEAR(gradient[i] + decay, 0, 2e-3) << i;
  }
}

TEST(LogisticTest, FindsTheClassesAndIsTheSameEachTime) {
  const Features features = Drawn(150, 3, 1);
  const LogisticFit fit = Fit(features);
  EXPECT_EQ(fit.accuracy, 1);
  EXPECT_EQ(On(Drawn(300, 3, 2), fit).accuracy, 1);
  EXPECT_EQ(Fit(features).values, fit.values);
}

// Of features that say little, much is noise that a weak decay would learn by heart; of many that say all, a
// strong one loses some.
TEST(LogisticTest, TheDecaySuitsWhatFeaturesSay) {
  EXPECT_GT(Fit(Drawn(60, 0.4F, 1)).decay, 0.09);
  Features sure = Drawn(3000, 1, 1);
  for (std::size_t i = 0; i < sure.labels.size(); ++i) {  // one class in a narrow band between the two others
    sure.rows[i * kSize] = 0.1F * static_cast<float>(sure.labels[i] - 1) + 0.02F * sure.rows[i * kSize];
    std::fill_n(sure.rows.begin() + static_cast<std::ptrdiff_t>(i * kSize) + 1, kSize - 1, 0.0F);
  }
  EXPECT_LT(Fit(sure).decay, 0.009);
}

TEST(LogisticTest, IsAsSureAsItIsRight) {
  const LogisticFit fit = Fit(Drawn(300, 0.8F, 1));
  const Features others = Drawn(3000, 0.8F, 2);
  const Validation validation = On(others, fit);
  double sure = 0;
  for (const ValidationAnswer& answer : validation.answers)
    sure += answer.probability / static_cast<double>(validation.answers.size());
  EXPECT_NEAR(sure, validation.accuracy, 0.05);
}

TEST(LogisticTest, BalancedItTakesARareClassAsSeriously) {
  const std::vector<int> labels = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  const Features features = Drawn(400, 0.8F, 1, labels);
  const Features even = Drawn(600, 0.8F, 2);
  EXPECT_GT(On(even, Fit(features, true)).accuracy, On(even, Fit(features)).accuracy + 0.1);
  EXPECT_THAT(ClassWeights({0, 0, 0, 1}, 2, true), testing::ElementsAre(testing::FloatEq(2.0F / 3), 2));
  EXPECT_THAT(ClassWeights({0, 0, 0, 1}, 2, false), testing::ElementsAre(1, 1));
}

TEST(LogisticTest, FeaturesThatAreNoNumbersAreRefused) {
  Features features = Drawn(30, 1, 1);
  features.rows[7] = NAN;
  EXPECT_THAT(Complaint([&] { Fit(features); }), testing::HasSubstr("not finite"));
}

TEST(LogisticTest, OnePictureOfAClassIsEnough) {
  Features features = Drawn(3, 3, 1);
  EXPECT_EQ(Fit(features).accuracy, 1);
}

}  // namespace
}  // namespace mobilenet
