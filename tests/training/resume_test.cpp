// Trainings that are stopped, and go on.
#include <algorithm>
#include <fstream>

#include "complaint.h"
#include "formats/safetensors.h"
#include "gmock/gmock.h"
#include "training/checkpoint.h"
#include "training/train_fixture.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

TEST_F(TrainTest, StoppedAndResumedAtAnyStepItEndsWithTheSameBits) {
  for (int stop = 1; stop <= 12; ++stop) ExpectTheSameBitsWhenStoppedAfter(stop);  // of 12
  options_.optimizer = OptimizerOptions::For(OptimizerKind::kAdamw);
  options_.precision = std::nullopt;  // the faster here
  ExpectTheSameBitsWhenStoppedAfter(7);
  options_.optimizer = OptimizerOptions::For(OptimizerKind::kRmsprop);
  ExpectTheSameBitsWhenStoppedAfter(7);
}

TEST_F(TrainTest, CheckpointsAreAsFarApartAsAsked) {
  options_.checkpoint = checkpoint_;
  options_.epochs = 1;
  for (const double seconds : {0.0, 1e9}) {
    fs::remove(checkpoint_);
    options_.checkpoint_seconds = seconds;
    TrainingObserver observer;
    observer.step = [&](const TrainingProgress& progress) {
      EXPECT_EQ(fs::exists(checkpoint_), seconds == 0 && progress.step > 1) << progress.step;
    };
    EXPECT_GT(Run(observer).steps, 2);
  }
}

TEST_F(TrainTest, StopsWhilePreparingAndValidating) {
  const auto stop_when = [](auto& said) {
    TrainingObserver observer;
    observer.stop = [&said] { return said; };
    return observer;
  };
  bool stop = true;
  options_.checkpoint = checkpoint_;
  TrainingResult result = Run(stop_when(stop));
  EXPECT_TRUE(result.stopped);
  EXPECT_TRUE(result.epochs.empty());
  EXPECT_FALSE(fs::exists(checkpoint_)) << "while reading pictures";

  // Asked before the last step's answer counts, then by the validation that follows.
  TrainingObserver observer;
  int steps = 0;
  int asked_after_the_epoch = 0;
  observer.step = [&](const TrainingProgress&) { ++steps; };
  observer.stop = [&] { return steps == 4 && ++asked_after_the_epoch == 2; };
  result = Run(observer);
  EXPECT_TRUE(result.stopped);
  EXPECT_TRUE(result.epochs.empty()) << "stopped while the first epoch was validated";
  const TrainingResult rest = Resume();
  options_.checkpoint.clear();
  options_.resume = false;
  EXPECT_EQ(FlatOf(rest.model), FlatOf(Run().model));
}

TEST_F(TrainTest, ResumingWithOtherOptionsIsRefused) {
  options_.checkpoint = checkpoint_;
  EXPECT_THAT(Complaint([&] { Resume(); }), HasSubstr("there is no checkpoint to resume from"));
  options_.resume = false;
  Run(StopAfter(2));
  EXPECT_THAT(Complaint([&] { Run(); }), HasSubstr("holds a training that was not finished"));
  options_.batch = 8;
  EXPECT_THAT(Complaint([&] { Resume(); }), HasSubstr("was made with batch 9, now it is 8"));
  options_.batch = 9;
  options_.optimizer = OptimizerOptions::For(OptimizerKind::kAdamw);
  EXPECT_THAT(Complaint([&] { Resume(); }), HasSubstr("was made with optimizer sgd, now it is adamw"));
  options_.optimizer = {};
  options_.schedule = Schedule::kCosine;
  EXPECT_THAT(Complaint([&] { Resume(); }), HasSubstr("was made with schedule onecycle, now it is cosine"));
  options_.schedule = Schedule::kOneCycle;
  std::ofstream(data_ / "train" / "red" / "0.bmp") << "unreadable";
  EXPECT_THAT(Complaint([&] { Resume(); }), HasSubstr("was made with data 36 + 12 pictures"));
  fs::remove(data_ / "train" / "red" / "0.bmp");
  EXPECT_THAT(Complaint([&] { Resume(); }), HasSubstr("was made with data 36 + 12 pictures"));
}

TEST_F(TrainTest, ResumingWithAnotherRateOrPicturesThatLookOtherwiseIsToldOf) {
  options_.checkpoint = checkpoint_;
  Run(StopAfter(2));
  options_.learning_rate = 0.01;
  options_.optimizer.clip = 1;
  options_.threads = 1;
  fs::copy_file(data_ / "train" / "red" / "1.bmp", data_ / "train" / "red" / "0.bmp",
                fs::copy_options::overwrite_existing);
  const TrainingResult result = Resume();
  EXPECT_EQ(result.epochs.size(), 3U);
  EXPECT_TRUE(result.kept);
  EXPECT_THAT(result.changes, testing::ElementsAre(HasSubstr("learning rate"), "clip 0, from step 3 on 1",
                                                   "threads 2, from step 3 on 1", HasSubstr("pixels")));
  EXPECT_THAT(warnings_,
              testing::ElementsAre(HasSubstr("learning rate"), HasSubstr("was made with clip 0, now it is 1"),
                                   HasSubstr("was made with threads 2, now it is 1"), HasSubstr("pixels")));
}

TEST_F(TrainTest, APictureThatIsGoneCostsNoSteps) {
  options_.checkpoint = checkpoint_;
  options_.cache_bytes = 0;
  TrainingObserver observer;
  const fs::path away = directory_.path() / "away";
  observer.step = [&](const TrainingProgress& progress) {
    if (progress.step == 6) fs::rename(data_, away);
  };
  const std::string complaint = Complaint([&] { Run(observer); });
  EXPECT_THAT(complaint, HasSubstr("can't be opened"));
  EXPECT_THAT(complaint, HasSubstr("training stopped after step 6 of 12, and can be resumed"));
  fs::rename(away, data_);
  const TrainingResult rest = Resume();
  options_.checkpoint.clear();
  options_.resume = false;
  EXPECT_EQ(FlatOf(rest.model), FlatOf(Run().model));
}

TEST_F(TrainTest, DamagedCheckpointsAreRefused) {
  TrainingState state;
  state.values = {1, 2, 3, 4};
  state.average = {1, 2, 3, 5};
  state.velocity = {0, 0, 1, 0};
  state.step = 7;
  state.epoch = 1;
  state.step_in_epoch = 2;
  state.loss_sum = 0.1;
  state.changes = {"clip 1, from step 3 on 0"};
  state.history = {{.epoch = 1, .learning_rate = 0.1, .training_loss = 2}};
  const Identity identity = {{"alpha", "0.5"}, {"batch", "128"}, {"clip", "0", false}};
  SaveCheckpoint(checkpoint_, state, identity);
  const TrainingState loaded = LoadCheckpoint(checkpoint_, 4);
  EXPECT_TRUE(Differences(checkpoint_, identity).empty());
  EXPECT_EQ(SavedTrait(checkpoint_, "batch"), "128");
  EXPECT_EQ(loaded.values, state.values);
  EXPECT_EQ(loaded.average, state.average);
  EXPECT_EQ(loaded.velocity, state.velocity);
  EXPECT_TRUE(loaded.squares.empty());
  EXPECT_EQ(loaded.changes, state.changes);
  EXPECT_EQ(loaded.step, 7);
  EXPECT_EQ(loaded.loss_sum, 0.1);
  EXPECT_EQ(loaded.history.front().training_loss, 2);
  EXPECT_THAT(Complaint([&] { LoadCheckpoint(checkpoint_, 5); }), HasSubstr("has 4 values, expected 5"));
  const auto differences = [&](const Trait& trait) { return Differences(checkpoint_, {trait}); };
  EXPECT_THAT(Complaint([&] {
                differences({"alpha", "1"});
              }),
              HasSubstr("was made with alpha 0.5, now it is 1"));
  EXPECT_THAT(Complaint([&] { differences({"gamma", "1"}); }), HasSubstr("doesn't say its gamma"));
  const auto found = differences({"clip", "1", false});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().name + found.front().before + found.front().now, "clip01");
  TrainingState exploded = state;
  exploded.average[2] = INFINITY;
  EXPECT_THAT(Complaint([&] { SaveCheckpoint(checkpoint_, exploded, identity); }),
              HasSubstr("is not written: the tensor average holds infinity"));
  std::string bytes(fs::file_size(checkpoint_), '\0');
  std::ifstream(checkpoint_, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto damaged = directory_.path() / "damaged.safetensors";
  const auto load = [&](const std::string& content) {
    std::ofstream(damaged, std::ios::binary) << content;
    return Complaint([&] {
      Differences(damaged, identity);
      LoadCheckpoint(damaged, 4);
    });
  };
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(load(bytes.substr(0, length)), "no error") << length;
  std::size_t unnoticed = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << i % 8));
    if (load(flipped) != "no error") continue;
    const TrainingState same = LoadCheckpoint(damaged, 4);  // a bit that means nothing
    EXPECT_EQ(same.values, state.values) << i;
    EXPECT_EQ(same.average, state.average) << i;
    EXPECT_EQ(same.velocity, state.velocity) << i;
    EXPECT_EQ(same.step, state.step) << i;
    EXPECT_EQ(same.history.front().training_loss, 2) << i;
    ++unnoticed;
  }
  EXPECT_LT(unnoticed, bytes.size() / 50);
}

}  // namespace
}  // namespace mobilenet
