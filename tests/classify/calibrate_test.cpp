// Temperature scaling, with a small network of random weights whose answers are right as often as we say.
#include <cmath>
#include <fstream>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "temporary_directory.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

class CalibrateTest : public testing::Test {
 protected:
  CalibrateTest() {
    model_.network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
    model_.weights = RandomWeights(model_.network, 1);
    model_ = Scaled(30);  // random features are much alike
    Classifier classify(model_);
    for (int i = 0; i < 30; ++i) {
      const auto file = directory_.path() / (std::to_string(i) + ".bmp");
      WriteColour(file, {60 + 5 * i, 200 - 4 * i, 90 + 3 * (i % 7)}, static_cast<std::uint32_t>(i));
      const int answer = classify.File(file).front().index;
      samples_.push_back({file, i % 3 == 0 ? (answer + 1) % 3 : answer});
    }
  }

  // Each logit `factor` times what it was.
  [[nodiscard]] Model Scaled(float factor) const {
    Model scaled = model_;
    for (const char* name : {"classifier.weight", "classifier.bias"}) {
      Tensor& tensor = scaled.weights.at(name);
      std::vector<float> values(tensor.values.begin(), tensor.values.end());
      for (float& value : values) value *= factor;
      tensor = Tensor::Of(tensor.shape, std::move(values));
    }
    return scaled;
  }

  // The mean cross-entropy of the samples, by the answers that the model gives.
  [[nodiscard]] double LossOf(const Model& model) const {
    Classifier classify(model);
    double loss = 0;
    for (const Sample& sample : samples_) {
      for (const Prediction& p : classify.File(sample.file))
        if (p.index == sample.label) loss -= std::log(p.probability);
    }
    return loss / static_cast<double>(samples_.size());
  }

  TemporaryDirectory directory_;
  Model model_;
  std::vector<Sample> samples_;
};

TEST_F(CalibrateTest, FindsTheTemperatureOfTheLeastLoss) {
  const Calibration found = Calibrate(model_, samples_, {.threads = 2});
  EXPECT_EQ(found.images, 30);
  EXPECT_EQ(found.failed, 0);
  EXPECT_NEAR(found.loss_before, LossOf(model_), 1e-5);
  EXPECT_NEAR(found.loss_after, LossOf(found.model), 1e-5);
  EXPECT_LT(found.loss_after, found.loss_before);
  const auto temperature = static_cast<float>(found.temperature);
  for (const float other : {0.8F, 1.2F}) EXPECT_GT(LossOf(Scaled(other / temperature)), found.loss_after);
  for (const Sample& sample : samples_)
    EXPECT_EQ(Classifier(found.model).File(sample.file).front().index,
              Classifier(model_).File(sample.file).front().index);
}

TEST_F(CalibrateTest, WhatIsCalibratedNeedsATemperatureOfOne) {
  const Calibration once = Calibrate(model_, samples_);
  EXPECT_NEAR(Calibrate(once.model, samples_).temperature, 1, 1e-3);
  EXPECT_NEAR(Calibrate(Scaled(3), samples_).temperature, 3 * once.temperature, 3e-3 * once.temperature);
}

// A sigmoid is a softmax of its logit and 0: the temperature is that of the same model with two outputs.
TEST_F(CalibrateTest, OneSigmoidHasATemperatureAndSeveralHaveNone) {
  Model two = model_;
  two.network = V1({.alpha = 0.25, .resolution = 32, .classes = 2});
  two.weights = RandomWeights(two.network, 1);
  Model one = two;
  one.network = V1({.alpha = 0.25, .resolution = 32, .classes = 1});
  one.answers = Answers::kSigmoid;
  std::vector<float> column;
  const Tensor& weight = two.weights.at("classifier.weight");
  for (std::size_t i = 0; i < weight.values.size(); i += 2)
    column.push_back(200 * (weight.values[i + 1] - weight.values[i]));
  one.weights.at("classifier.weight") = Tensor::Of({weight.shape[0], 1}, column);
  one.weights.at("classifier.bias") = Tensor::Of({1}, {0});
  std::vector<float> both;
  for (const float value : column) both.insert(both.end(), {0, value});
  two.weights.at("classifier.weight") = Tensor::Of(weight.shape, both);
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const int answer = Classifier(one).File(samples_[i].file).front().index;
    samples_[i].label = i % 3 == 0 ? 1 - answer : answer;
  }
  const Calibration found = Calibrate(one, samples_);
  EXPECT_NEAR(found.temperature, Calibrate(two, samples_).temperature, 1e-3 * found.temperature);
  EXPECT_NEAR(found.loss_after, LossOf(found.model), 1e-5);

  model_.answers = Answers::kSigmoid;
  EXPECT_THAT(Complaint([&] { Calibrate(model_, samples_); }), HasSubstr("3 labels are independent"));
}

TEST_F(CalibrateTest, PicturesThatCannotBeReadAreCounted) {
  samples_.push_back({directory_.path() / "gone.bmp", 0});
  int told = 0;
  const Calibration found =
      Calibrate(model_, samples_, {}, [&](const FileResult& file) { told += file.error.empty() ? 0 : 1; });
  EXPECT_EQ(found.images, 30);
  EXPECT_EQ(found.failed, 1);
  EXPECT_EQ(told, 1);
}

TEST_F(CalibrateTest, RefusesWhatTellsNoTemperature) {
  Classifier classify(model_);
  std::vector<Sample> right = samples_;
  for (Sample& sample : right) sample.label = classify.File(sample.file).front().index;
  EXPECT_THAT(Complaint([&] { Calibrate(model_, right); }),
              HasSubstr("all of the 30 pictures are answered rightly"));
  std::vector<Sample> wrong = samples_;
  for (Sample& sample : wrong) sample.label = classify.File(sample.file).back().index;
  EXPECT_THAT(Complaint([&] { Calibrate(model_, wrong); }), HasSubstr("no better than guesses"));
  EXPECT_THAT(Complaint([&] { Calibrate(Scaled(1e-3F), samples_); }),
              HasSubstr("the loss on the 30 pictures is least at a temperature below 0.05"));
  EXPECT_THAT(Complaint([&] { Calibrate(model_, {}); }), HasSubstr("no picture to calibrate with"));
  samples_[0].label = 3;
  EXPECT_THAT(Complaint([&] { Calibrate(model_, samples_); }), HasSubstr("is of class 3, expected 0 to 2"));
  Model clamped = model_;
  clamped.network.layers.back().activation = Activation::kRelu;
  EXPECT_THAT(Complaint([&] { Calibrate(clamped, samples_); }),
              HasSubstr("ends with classifier, expected a fully connected layer alone"));
}

}  // namespace
}  // namespace mobilenet
