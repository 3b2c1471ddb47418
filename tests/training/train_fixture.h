// A training on pictures that differ in colour.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "mobilenet/training.h"
#include "temporary_directory.h"
#include "training/flat_weights.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {

inline std::vector<float> FlatOf(const Model& model) {
  return WeightLayout(model.network).Flatten(model.network, model.weights);
}

class TrainTest : public testing::Test {
 protected:
  TrainTest() {
    WriteColours(data_, 12, 4);
    options_.network = V1Options{.alpha = 0.25, .resolution = 32, .shallow = true};
    options_.epochs = 3;
    options_.batch = 9;
    options_.threads = 2;
    options_.augment.erase = 0.2;
    options_.augment.mixup = 0.2;
    options_.dropout = 0.1;
  }

  TrainingResult Run(const TrainingObserver& observer = {}) {
    return Train(TrainingData::Find(data_, 0.2, 1), options_, observer);
  }

  // Enough to tell the colours apart.
  static void LearnQuickly(TrainingOptions& options) {
    options.epochs = 25;
    options.learning_rate = 0.05;
    options.dropout = 0;
    options.augment.mixup = 0;
  }

  // A model that can tell colours, but has no names for them.
  Model Experienced() {
    TrainingOptions options = options_;
    LearnQuickly(options);
    Model model = Train(TrainingData::Find(data_, 0.2, 1), options).model;
    model.labels = {};
    return model;
  }

  // Stops after so many steps of this call.
  static TrainingObserver StopAfter(int steps) {
    TrainingObserver observer;
    const auto done = std::make_shared<int>(0);
    observer.step = [done](const TrainingProgress&) { ++*done; };
    observer.stop = [done, steps] { return *done >= steps; };
    return observer;
  }

  // Trains on from the checkpoint, and notes warnings.
  TrainingResult Resume() {
    options_.resume = true;
    TrainingObserver observer;
    observer.warning = [this](const std::string& text) { warnings_.push_back(text); };
    return Run(observer);
  }

  // Stops after so many steps, goes on, and compares with training as it is without a stop.
  void ExpectTheSameBitsWhenStoppedAfter(int steps) {
    options_.checkpoint = checkpoint_;
    options_.resume = false;
    std::filesystem::remove(checkpoint_);
    const TrainingResult part = Run(StopAfter(steps));
    ASSERT_TRUE(part.stopped);
    EXPECT_TRUE(part.answers.empty());
    const TrainingResult rest = Resume();
    EXPECT_FALSE(rest.stopped);
    options_.checkpoint.clear();
    options_.resume = false;
    const TrainingResult whole = Run();
    EXPECT_EQ(rest.epochs.size(), whole.epochs.size());
    EXPECT_EQ(FlatOf(rest.model), FlatOf(whole.model)) << "stopped after step " << steps;
    EXPECT_TRUE(warnings_.empty()) << warnings_.front();
  }

  TemporaryDirectory directory_;
  const std::filesystem::path data_ = directory_.path() / "data";
  const std::filesystem::path checkpoint_ = directory_.path() / "checkpoint.safetensors";
  TrainingOptions options_;
  std::vector<std::string> warnings_;
};

}  // namespace mobilenet
