// Training as a whole, on pictures that differ in colour.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>

#include "complaint.h"
#include "formats/safetensors.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "mobilenet/training.h"
#include "temporary_directory.h"
#include "training/checkpoint.h"
#include "training/flat_weights.h"
#include "training/pictures_of_colours.h"
#include "training/transfer.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::vector<float> FlatOf(const Model& model) {
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
    fs::remove(checkpoint_);
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
  const fs::path data_ = directory_.path() / "data";
  const fs::path checkpoint_ = directory_.path() / "checkpoint.safetensors";
  TrainingOptions options_;
  std::vector<std::string> warnings_;
};

TEST_F(TrainTest, LearnsColoursAndGivesAModelThatWorks) {
  LearnQuickly(options_);
  const TrainingResult result = Run();
  ASSERT_EQ(result.epochs.size(), 25U);
  EXPECT_FALSE(result.kept) << "there is no checkpoint";
  EXPECT_LT(result.epochs.back().training_loss, result.epochs.front().training_loss);
  EXPECT_EQ(result.epochs.back().validation_accuracy, 1);
  EXPECT_EQ(result.training.size(), 36U);
  EXPECT_THAT(result.model.labels, testing::ElementsAre("blue", "green", "red"));
  const fs::path file = directory_.path() / "model.safetensors";
  result.model.Save(file);
  Classifier classify(Model::Load(file));
  for (std::size_t i = 0; i < result.validation.size(); ++i) {
    const auto best = classify.File(result.validation[i].file, {.top = 1}).front();
    EXPECT_EQ(best.index, result.answers[i].predicted);
    EXPECT_NEAR(best.probability, result.answers[i].probability, 1e-5);
  }
}

TEST_F(TrainTest, LearnsInWhicheverPrecisionIsFaster) {
  LearnQuickly(options_);
  options_.precision = std::nullopt;
  EXPECT_EQ(Run().epochs.back().validation_accuracy, 1);
}

TEST_F(TrainTest, TheSameSeedGivesTheSameBits) {
  const std::vector<float> first = FlatOf(Run().model);
  EXPECT_EQ(FlatOf(Run().model), first);
  options_.seed = 2;
  EXPECT_NE(FlatOf(Run().model), first);
}

TEST_F(TrainTest, StoppedAndResumedAtAnyStepItEndsWithTheSameBits) {
  for (int stop = 1; stop <= 12; ++stop) ExpectTheSameBitsWhenStoppedAfter(stop);  // of 12
  options_.optimizer = OptimizerOptions::For(OptimizerKind::kAdamw);
  options_.precision = std::nullopt;  // the faster here
  ExpectTheSameBitsWhenStoppedAfter(7);
  options_.optimizer = OptimizerOptions::For(OptimizerKind::kRmsprop);
  ExpectTheSameBitsWhenStoppedAfter(7);
}

TEST_F(TrainTest, StoppedAndResumedFromAModelItEndsWithTheSameBits) {
  options_.from = Experienced();
  for (const int stop : {1, 5, 12}) ExpectTheSameBitsWhenStoppedAfter(stop);
}

// Sums and maps with several readers, from pictures to a model that works, over a stop, and as a backbone.
TEST_F(TrainTest, V2IsTrainedAsV1Is) {
  options_.network = V2Options{.alpha = 0.1, .resolution = 32, .output_stride = 16};
  ExpectTheSameBitsWhenStoppedAfter(7);
  const TrainingOptions resumable = options_;
  LearnQuickly(options_);
  TrainingResult result = Run();
  EXPECT_EQ(result.epochs.back().validation_accuracy, 1);
  EXPECT_EQ(result.model.network.layers,
            V2({.alpha = 0.1, .resolution = 32, .classes = 3, .output_stride = 16}).layers);
  const Weights learned = result.model.weights;
  options_ = resumable;
  options_.from = std::move(result.model);
  options_.from->labels = {};
  options_.freeze_backbone = true;
  result = Run();
  EXPECT_EQ(result.epochs.back().validation_accuracy, 1);
  for (const auto& [name, tensor] : result.model.weights) {
    const bool changed = !std::ranges::equal(tensor.values, learned.at(name).values);
    EXPECT_EQ(changed, name.starts_with("classifier")) << name;
  }
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

TEST_F(TrainTest, NamesThatAreNoTextAreRefusedBeforeTraining) {
  fs::rename(data_ / "train" / "red", data_ / "train" / "caf\xe9");
  fs::rename(data_ / "val" / "red", data_ / "val" / "caf\xe9");
  EXPECT_THAT(Complaint([&] { Run(); }), HasSubstr("its name is not UTF-8"));
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

TEST_F(TrainTest, PicturesThatCannotBeReadAreNamedAndLeftOut) {
  std::ofstream(data_ / "train" / "red" / "0.bmp") << "";
  std::ofstream(data_ / "train" / "red" / "text.jpg") << "these are words";
  TrainingObserver observer;
  std::vector<std::string> warnings;
  observer.warning = [&](const std::string& text) { warnings.push_back(text); };
  const TrainingResult result = Run(observer);
  EXPECT_THAT(warnings, testing::UnorderedElementsAre(HasSubstr("red/0.bmp"), HasSubstr("red/text.jpg")));
  EXPECT_EQ(result.unreadable, 2U);
  EXPECT_EQ(result.training.size(), 35U);
  for (const auto& entry : fs::directory_iterator(data_ / "val" / "red")) std::ofstream(entry.path()) << "";
  EXPECT_THAT(Complaint([&] { Run(); }),
              HasSubstr("none of the pictures of the class \"red\" to validate with can be read"));
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
  const TrainingResult stopped = Run(StopAfter(3));
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

TEST_F(TrainTest, ALossThatIsNoNumberStopsWithAdviceThatHelps) {
  options_.checkpoint = checkpoint_;
  std::get<V1Options>(options_.network).activation = Activation::kRelu;
  options_.schedule = Schedule::kCosine;
  options_.epochs = 50;
  Run(StopAfter(3));
  options_.learning_rate = 1000;
  options_.optimizer.weight_decay = 10;
  options_.checkpoint_seconds = 1e9;
  options_.resume = true;
  const std::string complaint = Complaint([&] { Run(StopAfter(190)); });
  EXPECT_THAT(complaint, HasSubstr("is no longer a number, in step"));
  EXPECT_THAT(complaint, HasSubstr("a lower learning rate"));
  ASSERT_THAT(complaint, HasSubstr("from the last good checkpoint, " + checkpoint_.string()));
  options_.learning_rate = 0.01;
  options_.optimizer.weight_decay = 0;
  EXPECT_EQ(Resume().epochs.size(), 50U);
  EXPECT_THAT(warnings_, testing::ElementsAre(HasSubstr("learning rate"), HasSubstr("weight decay")));
}

// Steps go by the statistics of their batch, and know nothing of running ones that are out of bounds.
TEST_F(TrainTest, AValidationLossThatIsNoNumberStops) {
  Model from = Experienced();
  from.labels = {"blue", "green", "red"};
  V1Options network = std::get<V1Options>(*from.network.recipe);
  network.activation = Activation::kRelu;
  from.network = V1(network);
  const Layer& last = from.network.layers[from.network.layers.size() - 3];
  ASSERT_EQ(last.kind, LayerKind::kPointwise);
  // The batch's statistics keep features within 1e24, and logits within 1e37; with these running ones they
  // are some thousand times larger, and no numbers.
  const auto set = [&](const std::string& name, float value) {
    Tensor& tensor = from.weights.at(name);
    tensor = Tensor::Of(tensor.shape, std::vector<float>(tensor.values.size(), value));
  };
  set(last.name + ".norm.mean", -1e15F);
  set(last.name + ".norm.gamma", 1e21F);
  set("classifier.weight", 1e12F);
  options_.from = from;
  options_.batch = 36;  // all of them
  options_.optimizer.clip = 1;
  options_.learning_rate = 1e-9;
  options_.checkpoint = checkpoint_;
  EXPECT_THAT(Complaint([&] { Run(); }), HasSubstr("the validation loss is no longer a number, in step 2"));
  EXPECT_FALSE(fs::exists(checkpoint_)) << "what can't be gone on with was saved";
}

TEST_F(TrainTest, DataAndModelsMadeByHandAreChecked) {
  const auto wrong = [&](auto change) {
    TrainingData data = TrainingData::Find(data_, 0.2, 1);
    change(data);
    return Complaint([&] { Train(data, options_); });
  };
  EXPECT_THAT(wrong([](auto& d) { d.training[3].label = 1'000'000; }),
              HasSubstr("its label is 1000000, expected 0 to 2"));
  EXPECT_THAT(wrong([](auto& d) { d.validation[3].label = -1; }),
              HasSubstr("its label is -1, expected 0 to 2"));
  EXPECT_THAT(wrong([](auto& d) { d.validation.clear(); }), HasSubstr("no pictures to validate with"));
  EXPECT_THAT(wrong([](auto& d) { d.training.clear(); }), HasSubstr("no pictures to train on"));
  EXPECT_THAT(wrong([](auto& d) { d.classes.resize(1); }), HasSubstr("has 1 classes, expected at least two"));
  options_.from = Experienced();
  options_.from->weights.at("conv1.weight") = Tensor::Of({1}, {1.0F});
  EXPECT_THAT(wrong([](auto&) {}), HasSubstr("conv1.weight"));
}

TEST_F(TrainTest, OptionsOutOfRangeAreRefused) {
  const auto wrong = [&](auto change) {
    const TrainingOptions before = options_;
    change(options_);
    std::string complaint = Complaint([&] { Run(); });
    options_ = before;
    return complaint;
  };
  EXPECT_THAT(wrong([](auto& o) { o.epochs = 0; }), HasSubstr("epochs is 0, expected 1 to 1000000"));
  EXPECT_THAT(wrong([](auto& o) { o.augment.mixup = 1e-12; }), HasSubstr("expected 0 or 0.01 to 1"));
  EXPECT_THAT(wrong([](auto& o) { o.optimizer.rho = 1; }), HasSubstr("rho is 1"));
  EXPECT_THAT(wrong([](auto& o) { o.checkpoint_seconds = NAN; }), HasSubstr("between checkpoints is nan"));
  EXPECT_THAT(wrong([](auto& o) { o.batch = 0; }), HasSubstr("batch is 0"));
  EXPECT_THAT(wrong([](auto& o) { o.learning_rate = -1; }), HasSubstr("learning rate is -1"));
  EXPECT_THAT(wrong([](auto& o) { o.learning_rate = NAN; }), HasSubstr("learning rate is nan"));
  EXPECT_THAT(wrong([](auto& o) { o.augment.mixup = 2; }), HasSubstr("mixup is 2, expected 0 to 1"));
  EXPECT_THAT(wrong([](auto& o) { o.threads = 0; }), HasSubstr("threads is 0"));
  EXPECT_THAT(wrong([](auto& o) { o.schedule = static_cast<Schedule>(9); }), HasSubstr("the schedule 9"));
  EXPECT_THAT(wrong([](auto& o) { o.optimizer.kind = static_cast<OptimizerKind>(9); }),
              HasSubstr("the optimizer 9"));
  EXPECT_THAT(wrong([](auto& o) { o.optimizer.decay = static_cast<Decay>(9); }), HasSubstr("the decay 9"));
  EXPECT_THAT(wrong([](auto& o) { o.augment.crop = static_cast<AugmentOptions::Crop>(9); }),
              HasSubstr("the crop 9"));
  EXPECT_THAT(wrong([](auto& o) { std::get<V1Options>(o.network).alpha = 2; }), HasSubstr("alpha is 2"));
  for (const Precision precision : {Precision::kFloat16, Precision::kInt8}) {
    EXPECT_THAT(wrong([&](auto& o) { o.precision = precision; }),
                HasSubstr("expected float32 or bfloat16 to train in"));
  }
  EXPECT_THAT(wrong([](auto& o) { o.freeze_backbone = true; }), HasSubstr("no model to start from"));
  EXPECT_THAT(wrong([](auto& o) { o.resume = true; }), HasSubstr("no checkpoint is named"));
}

TEST(MeasureTrainingTest, TakesNetworksWithSums) {
  const Network network = V2({.alpha = 0.1, .resolution = 32});
  const TrainingBenchmark result = MeasureTraining(network, {.batch = 2, .seconds = 1e-3});
  EXPECT_GE(result.steps, 3);
  const Cost cost = CostOf(network);
  const double operations = 6.0 * 2 * static_cast<double>(cost.macs);
  EXPECT_NEAR(result.images_per_second, 2 / (1e-3 * result.step_ms), 1e-9 * result.images_per_second);
  EXPECT_NEAR(result.gflops, 1e-9 * operations / (1e-3 * result.step_ms), 1e-9 * result.gflops);
  EXPECT_NEAR(result.peak_share, result.gflops / result.peak_gflops, 1e-9);
  double pointwise = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (network.layers[i].kind == LayerKind::kPointwise)
      pointwise += static_cast<double>(cost.layers[i].macs);
  }
  // They take no longer than the whole step.
  EXPECT_GE(result.pointwise_share, result.peak_share * pointwise / static_cast<double>(cost.macs));
  EXPECT_GT(result.memory_bytes, 0U);
}

}  // namespace
}  // namespace mobilenet
