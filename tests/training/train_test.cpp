// Training as a whole, on pictures that differ in colour.
#include <algorithm>
#include <cmath>
#include <fstream>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "training/train_fixture.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

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

TEST_F(TrainTest, NamesThatAreNoTextAreRefusedBeforeTraining) {
  fs::rename(data_ / "train" / "red", data_ / "train" / "caf\xe9");
  fs::rename(data_ / "val" / "red", data_ / "val" / "caf\xe9");
  EXPECT_THAT(Complaint([&] { Run(); }), HasSubstr("its name is not UTF-8"));
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
