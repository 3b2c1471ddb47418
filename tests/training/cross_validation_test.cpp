// Trainings that are measured on pictures which had no part in them.
#include <cmath>
#include <filesystem>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/training.h"
#include "temporary_directory.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

class CrossValidationTest : public testing::Test {
 protected:
  CrossValidationTest() {
    WriteColours(directory_.path() / "data", 8, 4);
    data_ = TrainingData::Find(directory_.path() / "data", 0.2, 1);
    options_.network = V1Options{.alpha = 0.25, .resolution = 32, .shallow = true};
    options_.epochs = 30;
    options_.batch = 6;
    options_.learning_rate = 0.05;
    options_.threads = 2;
  }

  TemporaryDirectory directory_;
  TrainingData data_;
  TrainingOptions options_;
};

TEST_F(CrossValidationTest, EachPictureIsMeasuredOnceAndColoursAreTold) {
  options_.checkpoint = directory_.path() / "checkpoint.safetensors";
  std::vector<std::string> notes;
  TrainingObserver observer;
  observer.note = [&](const std::string& text) { notes.push_back(text); };
  const CrossValidation result = CrossValidate(data_, options_, 3, observer);
  ASSERT_EQ(result.accuracies.size(), 3U);
  double mean = 0;
  for (const double accuracy : result.accuracies) mean += accuracy / 3;
  EXPECT_NEAR(result.mean, mean, 1e-9) << "folds of equal size";
  EXPECT_GT(result.mean, 0.6) << "chance is a third";
  EXPECT_THAT(notes, testing::Contains(HasSubstr("fold 3 of 3")));
  EXPECT_FALSE(std::filesystem::exists(options_.checkpoint));
}

TEST_F(CrossValidationTest, TheErrorIsThatOfTheMeanOverFolds) {
  const CrossValidation result = CrossValidate(data_, options_, 3);
  double squares = 0;
  for (const double accuracy : result.accuracies)
    squares += (accuracy - result.mean) * (accuracy - result.mean);
  EXPECT_NEAR(result.error, std::sqrt(squares / 2 / 3), 1e-12);
}

TEST_F(CrossValidationTest, StoppedItHasFewerFolds) {
  TrainingObserver observer;
  int steps = 0;
  observer.step = [&](const TrainingProgress&) { ++steps; };
  observer.stop = [&] { return steps >= 3; };
  EXPECT_TRUE(CrossValidate(data_, options_, 3, observer).accuracies.empty());
}

TEST_F(CrossValidationTest, WhatCannotBeDealtIsRefused) {
  EXPECT_THAT(Complaint([&] { CrossValidate(data_, options_, 2); }), HasSubstr("2 folds, expected 3 to 100"));
  EXPECT_THAT(Complaint([&] { CrossValidate(data_, options_, 13); }),
              HasSubstr("has 12 pictures, expected at least one for each of 13 folds"));
}

}  // namespace
}  // namespace mobilenet
