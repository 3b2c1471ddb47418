// Training that starts from a model.
#include <algorithm>
#include <cmath>

#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "training/train_fixture.h"
#include "training/transfer.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

TEST_F(TrainTest, StoppedAndResumedFromAModelItEndsWithTheSameBits) {
  options_.from = Experienced();
  for (const int stop : {1, 5, 12}) ExpectTheSameBitsWhenStoppedAfter(stop);
}

TEST_F(TrainTest, AFrozenBackboneTrainsOnlyTheClassifier) {
  const Model from = Experienced();
  options_.from = from;
  options_.freeze_backbone = true;
  const TrainingResult result = Run();
  ASSERT_EQ(result.epochs.size(), 1U);
  EXPECT_EQ(result.epochs.back().validation_accuracy, 1);
  EXPECT_EQ(result.validation_accuracy, 1);
  EXPECT_EQ(result.answers.size(), result.validation.size());
  EXPECT_TRUE(result.blends.empty());
  const TrainingOptions before = options_;
  options_.optimizer = OptimizerOptions::For(OptimizerKind::kAdamw);
  options_.learning_rate = 1;
  options_.schedule = Schedule::kExponential;
  options_.warmup = 0.5;
  options_.label_smoothing = 0.3;
  options_.average = 0.9;
  options_.augment.mixup = 0.9;
  EXPECT_EQ(FlatOf(Run().model), FlatOf(result.model)) << "it has a recipe of its own";
  options_ = before;
  for (const auto& [name, tensor] : result.model.weights) {
    const bool changed = !std::ranges::equal(tensor.values, from.weights.at(name).values);
    EXPECT_EQ(changed, name.starts_with("classifier")) << name;
  }
  // Going on with everything begins with what this found, its classes being known.
  options_.from = result.model;
  options_.freeze_backbone = false;
  options_.epochs = 1;
  options_.learning_rate = 1e-9;
  options_.average = 0;
  const TrainingResult more = Run();
  EXPECT_LT(std::abs(more.model.weights.at("classifier.bias").values[0] -
                     result.model.weights.at("classifier.bias").values[0]),
            1e-6);
}

// Pictures are changed in random ways by default where a model is tuned, and where one is trained from
// nothing not.
TEST_F(TrainTest, VariesPicturesMoreWithAModelToStartFrom) {
  options_.epochs = 1;
  const auto values = [&](std::optional<bool> trivial) {
    options_.augment.trivial = trivial;
    return FlatOf(Run().model);
  };
  EXPECT_EQ(values({}), values(false));
  EXPECT_NE(values({}), values(true));
  Model from = Experienced();
  from.labels = {"blue", "green", "red"};  // all known: what is trained is kept
  options_.from = from;
  EXPECT_EQ(values({}), values(true));
  EXPECT_NE(values({}), values(false));
}

TEST_F(TrainTest, TheBackboneIsWhatTheClassifierReads) {
  const Network network = V2({.alpha = 0.1, .resolution = 32, .classes = 3});
  Network with_more = network;
  with_more.layers.back() = network.layers.front();  // which nobody reads
  with_more.layers.back().name = "unread";
  with_more.layers.push_back(network.layers.back());
  CheckNetwork(with_more);
  for (const Network& each : {network, with_more}) {
    const Network backbone = BackboneOf(each);
    const Network classifier = ClassifierOf(each);
    EXPECT_EQ(backbone.layers, std::vector(network.layers.begin(), network.layers.end() - 1));
    EXPECT_EQ(backbone.output(), classifier.input);
    EXPECT_EQ(classifier.layers.front().output, network.output());
    EXPECT_FALSE(backbone.recipe || classifier.recipe);
    CheckNetwork(backbone);
    CheckNetwork(classifier);
  }
}

// As include_top=False leaves a model: the features are the same, and the classifier is all new.
TEST_F(TrainTest, AModelWithoutAClassifierIsAStart) {
  const Model whole = Experienced();
  Model from = whole;
  from.network = WithClasses(whole.network, 0);
  std::erase_if(from.weights, [](const auto& each) { return each.first.starts_with("classifier"); });
  from.labels.clear();
  const Network network = WithClasses(from.network, 3);
  const WeightLayout layout(network);
  std::vector<float> values(layout.size(), 7);
  EXPECT_FALSE(TakeWeights(from, network, {"red", "green", "blue"}, layout, values));
  const Weights taken = layout.ToWeights(values);
  EXPECT_TRUE(std::ranges::equal(taken.at("conv1.weight").values, whole.weights.at("conv1.weight").values));
  for (const float value : taken.at("classifier.weight").values) EXPECT_EQ(value, 0);
  options_.from = from;
  options_.learning_rate = 1e-9;
  options_.average = 0;
  const TrainingResult result = Run();
  EXPECT_EQ(result.epochs.front().validation_accuracy, 1) << "the classifier was fitted before all else";
  EXPECT_EQ(result.model.network.layers, network.layers);
  EXPECT_EQ(result.model.network.recipe, network.recipe);
}

TEST_F(TrainTest, RowsOfSigmoidsAreNotKept) {
  Model from = Experienced();
  from.labels = {"red", "green", "blue"};
  from.answers = Answers::kSigmoid;
  const WeightLayout layout(from.network);
  std::vector<float> values(layout.size());
  EXPECT_FALSE(TakeWeights(from, from.network, from.labels, layout, values));
  EXPECT_EQ(layout.ToWeights(values).at("classifier.weight").values[0], 0);
  options_.from = from;
  options_.epochs = 1;
  EXPECT_EQ(Run().model.answers, Answers::kSoftmax);
}

TEST_F(TrainTest, KnownClassesKeepTheirRowsAndNewOnesAreLearned) {
  Model from = Experienced();
  from.labels = {"red", "grey", "black"};
  const WeightLayout layout(from.network);
  std::vector<float> values(layout.size());
  EXPECT_FALSE(TakeWeights(from, from.network, {"blue", "green", "red"}, layout, values));
  const Weights taken = layout.ToWeights(values);
  const auto weight = taken.at("classifier.weight").values;
  const auto old = from.weights.at("classifier.weight").values;
  for (std::size_t row = 0; row < weight.size() / 3; ++row) {
    EXPECT_EQ(weight[row * 3 + 2], old[row * 3]);
    EXPECT_EQ(weight[row * 3], 0);
  }
  options_.from = from;
  options_.learning_rate = 1e-9;
  options_.average = 0;
  EXPECT_EQ(Run().epochs.front().validation_accuracy, 1) << "the classifier was fitted before all else";
}

// Tuning that undoes what the network knew is not kept.
TEST_F(TrainTest, WhatIsKeptIsNeverWorseThanTheClassifierAlone) {
  options_.from = Experienced();
  options_.learning_rate = 3;
  options_.epochs = 1;
  std::vector<std::string> notes;
  TrainingObserver observer;
  observer.note = [&](const std::string& text) { notes.push_back(text); };
  const TrainingResult result = Run(observer);
  ASSERT_EQ(result.blends.size(), 5U);
  EXPECT_EQ(result.blends.front().share, 0);
  EXPECT_EQ(result.blends.back().share, 1);
  EXPECT_LT(result.blends.back().validation_accuracy, 1) << "else there is nothing to choose";
  EXPECT_EQ(result.share, 0);
  EXPECT_EQ(result.validation_accuracy, 1);
  std::size_t right = 0;
  Classifier classify(result.model);
  for (const Sample& sample : result.validation)
    right += classify.File(sample.file, {.top = 1}).front().index == sample.label ? 1 : 0;
  EXPECT_EQ(right, result.validation.size());
  EXPECT_THAT(notes, testing::ElementsAre(HasSubstr("the classifier alone: top-1 100 %"),
                                          HasSubstr("everything: 1 epoch of 4 steps of 9 pictures")));
}

TEST_F(TrainTest, ABudgetOfMinutesEndsInTime) {
  options_.epochs = std::nullopt;
  options_.minutes = 0.05;
  options_.checkpoint = checkpoint_;
  const TrainingResult stopped = Run(StopAfter(1));
  ASSERT_TRUE(stopped.stopped);
  const TrainingResult result = Resume();
  EXPECT_EQ(result.planned_epochs, stopped.planned_epochs);
  EXPECT_EQ(static_cast<int>(result.epochs.size()), result.planned_epochs);
  EXPECT_NEAR(result.epochs.back().learning_rate, 0, 1e-2) << "the schedule ends where the time does";
  // With no time to speak of, only the classifier of a model that knows something is fitted.
  options_.from = result.model;
  options_.from->labels = {};
  options_.minutes = 1e-9;
  options_.resume = false;
  options_.checkpoint.clear();
  std::size_t told = 0;
  TrainingObserver observer;
  observer.epoch = [&](const std::vector<EpochRecord>& epochs) { told = epochs.size(); };
  const TrainingResult fitted = Run(observer);
  EXPECT_TRUE(fitted.blends.empty());
  EXPECT_EQ(told, 1U);
  EXPECT_EQ(fitted.planned_epochs, 1);
}

}  // namespace
}  // namespace mobilenet
