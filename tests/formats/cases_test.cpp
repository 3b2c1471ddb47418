// Files that went wrong once, with the answers of the runtime that each belongs to.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "runtime/reference_run.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

std::filesystem::path CasePath(const std::string& name) { return SharedData() / "cases" / name; }

std::vector<float> InputOf(const Model& model, const Preprocessing& p) {
  std::vector<float> input(static_cast<std::size_t>(model.network.input.size()));
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto v = static_cast<std::uint32_t>(i * 2654435761U) >> 24;
    input[i] = (static_cast<float>(v) - p.mean[i % 3]) * p.scale[i % 3];
  }
  return input;
}

void ExpectNear(const std::vector<float>& answers, const std::vector<float>& expected) {
  ASSERT_EQ(answers.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(answers[i], expected[i], 1e-5) << "at " << i;
}

// The same values as a picture of the network's own size, through the public interface alone.
std::vector<float> ClassifierAnswers(Model model, const Preprocessing& p) {
  const Shape& shape = model.network.input;
  Image image = {.width = shape.width, .height = shape.height, .channels = 3, .pixels = {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape.size()); ++i)
    image.pixels.push_back(static_cast<std::uint8_t>(static_cast<std::uint32_t>(i * 2654435761U) >> 24));
  model.preprocessing = p;
  model.preprocessing.crop = 1;
  std::vector<float> answers(static_cast<std::size_t>(model.classes()));
  for (const Prediction& prediction : Classifier(model).Pixels(image, {.top = model.classes()}))
    answers[static_cast<std::size_t>(prediction.index)] = prediction.probability;
  return answers;
}

// For the input that all of them were given, integers from 0 to 255 that look random, as `p` normalises them.
std::vector<float> AnswersOf(const std::filesystem::path& file, const Preprocessing& p = {}) {
  const Model model = Model::Load(file);
  const std::vector<float> input = InputOf(model, p);
  std::vector<float> answers = ReferenceRun(model.network, model.weights, input);
  ToProbabilities(model.answers, answers);
  ExpectNear(ClassifierAnswers(model, p), answers);
  return answers;
}

TEST(Cases, AnswersAreThoseOfTheRuntimeTheyCameFrom) {
  MOBILENET_REQUIRE_DATA();
  const auto all = nlohmann::json::parse(std::ifstream(CasePath("expected.json")));
  const auto expected = [&](const char* name, const char* input) {
    return all.at(name).at(input).get<std::vector<float>>();
  };
  for (const char* name :
       {"gap96.tflite", "full_f16.tflite", "a0.1.h5", "k2_head100.h5", "k2_hidden.h5", "k2_nested.h5",
        "k2_nonsquare.h5", "k3_full.h5", "k3_full.keras", "k3_head96.h5", "names_slash.h5", "k2_v2.h5"}) {
    SCOPED_TRACE(name);
    ExpectNear(AnswersOf(CasePath(name)), expected(name, "pm1"));
  }
  // The same weights without a configuration, so without a resolution.
  EXPECT_EQ(Model::Load(CasePath("k3_full.weights.h5")).weights.at("classifier.weight").values[7],
            Model::Load(CasePath("k3_full.keras")).weights.at("classifier.weight").values[7]);
  // Its Rescaling layer has become its preprocessing.
  const Preprocessing own = Model::Load(CasePath("k2_rescaling.h5")).preprocessing;
  ExpectNear(AnswersOf(CasePath("k2_rescaling.h5"), own), expected("k2_rescaling.h5", "raw"));
  const Model v3 = Model::Load(CasePath("k2_v3.h5"));
  EXPECT_EQ(VersionOf(v3.network), "v3-small");
  ExpectNear(AnswersOf(CasePath("k2_v3.h5"), v3.preprocessing), expected("k2_v3.h5", "raw"));
}

// Both compute what the network they were made from does: a mean over the map for an average pool, zeros
// around a map and a valid convolution for a padded one.
TEST(Cases, TfliteWithMeanAndPad) {
  MOBILENET_REQUIRE_DATA();
  const std::vector<float> expected = AnswersOf(SharedData() / "models" / "vww_96_float.tflite");
  ExpectNear(AnswersOf(CasePath("mean.tflite")), expected);
  ExpectNear(AnswersOf(CasePath("pad.tflite")), expected);
}

TEST(Cases, ASoftmaxInMidNetworkIsRefused) {
  MOBILENET_REQUIRE_DATA();
  EXPECT_THAT(Complaint([] { Model::Load(CasePath("softmax_inside.tflite")); }),
              HasSubstr("a softmax in the network's midst"));
}

TEST(Cases, InputsThatAreNotSquareAreRead) {
  MOBILENET_REQUIRE_DATA();
  EXPECT_EQ(TitleOf(Model::Load(CasePath("k2_nonsquare.h5")).network), "MobileNet V1, alpha 0.25, 96 x 128");
}

// Keras puts zeros right and below of odd maps.
TEST(Cases, OddMapsPaddedAsKerasDoesAreV1) {
  MOBILENET_REQUIRE_DATA();
  const Network network = Model::Load(CasePath("k2_head100.h5")).network;
  EXPECT_EQ(TitleOf(network), "MobileNet V1, alpha 0.25, 100 x 100");
  EXPECT_EQ(std::get<V1Options>(*network.recipe).padding, PaddingStyle::kKeras);
}

// Of maps that are even throughout the file's word decides, as it does for whoever changes the resolution.
TEST(Cases, EvenMapsArePaddedInTheFilesWord) {
  MOBILENET_REQUIRE_DATA();
  const auto recipe = [](const char* name) { return *Model::Load(CasePath(name)).network.recipe; };
  EXPECT_EQ(std::get<V1Options>(recipe("k2_nested.h5")).padding, PaddingStyle::kKeras);
  EXPECT_EQ(std::get<V1Options>(recipe("k3_full.h5")).padding, PaddingStyle::kKeras);
  EXPECT_EQ(std::get<V1Options>(recipe("gap96.tflite")).padding, PaddingStyle::kSame)
      << "as its converter wrote it";
  EXPECT_EQ(std::get<V2Options>(recipe("k2_v2.h5")).padding, PaddingStyle::kSame)
      << "its zeros follow the map's size";
}

// Fewer than 8 channels, a hidden layer: V1 but for that.
TEST(Cases, WhatIsNearlyV1IsCustom) {
  MOBILENET_REQUIRE_DATA();
  for (const char* name : {"a0.1.h5", "k2_hidden.h5"}) {
    const Network network = Model::Load(CasePath(name)).network;
    EXPECT_EQ(VersionOf(network), "custom") << name;
    EXPECT_EQ(network.layers[1].name, "conv_dw_1");
  }
}

TEST(Cases, WithoutAClassifierTheAnswersAreFeatures) {
  MOBILENET_REQUIRE_DATA();
  const auto all = nlohmann::json::parse(std::ifstream(CasePath("expected.json")));
  const Model model = Model::Load(CasePath("k2_notop_avg.h5"));
  EXPECT_EQ(TitleOf(model.network), "MobileNet V1 without a classifier, alpha 0.25, 96 x 96");
  EXPECT_EQ(model.classes(), 0);
  EXPECT_FALSE(model.provenance.contains("average")) << "the file has one";
  std::vector<float> features(256);
  ASSERT_TRUE(Runner(Plan(model.network, model.weights)).Run(InputOf(model, {}), features));
  features.resize(64);  // of which the answers are known
  ExpectNear(features, all.at("k2_notop_avg.h5").at("pm1"));
  EXPECT_THAT(Complaint([&] { Classifier{model}; }),
              HasSubstr("has no classifier and yields 256 features: mobilenet train --from gives it one"));
}

TEST(Cases, WhatIsOfNoKindOfOursIsToldWhatItIs) {
  MOBILENET_REQUIRE_DATA();
  const auto complaint = [](const char* name) { return Complaint([&] { Model::Load(CasePath(name)); }); };
  EXPECT_THAT(complaint("full_i8.tflite"), HasSubstr("is a quantized TFLite file (int8), which is not read"));
}

// A logit of the second class, without a sigmoid in the file: the expected output is the logit itself.
TEST(Cases, OneOutputTellsTwoClassesApart) {
  MOBILENET_REQUIRE_DATA();
  const auto all = nlohmann::json::parse(std::ifstream(CasePath("expected.json")));
  for (const char* name : {"k2_logit1.h5", "logit1.tflite"}) {
    const Model model = Model::Load(CasePath(name));
    EXPECT_EQ(model.answers, Answers::kSigmoid);
    EXPECT_EQ(model.classes(), 2);
    EXPECT_THAT(model.provenance.at("answers"), HasSubstr("assumed: one output without an activation"));
    const double logit = all.at(name).at("pm1")[0];
    const auto second = static_cast<float>(1 / (1 + std::exp(-logit)));
    ExpectNear(AnswersOf(CasePath(name)), {1 - second, second});
  }
}

TEST(Cases, IndependentLabelsHaveProbabilitiesOfTheirOwn) {
  MOBILENET_REQUIRE_DATA();
  const auto all = nlohmann::json::parse(std::ifstream(CasePath("expected.json")));
  const Model model = Model::Load(CasePath("k2_sigmoid3.h5"));
  EXPECT_EQ(model.answers, Answers::kSigmoid);
  EXPECT_EQ(model.classes(), 3);
  EXPECT_FALSE(model.provenance.contains("answers")) << "the file says so";
  ExpectNear(AnswersOf(CasePath("k2_sigmoid3.h5")), all.at("k2_sigmoid3.h5").at("pm1"));
}

TEST(Cases, APictureThatDecodesToManyPixelsIsRefusedWhereFewAreAllowed) {
  MOBILENET_REQUIRE_DATA();
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 2});
  const Model model = {network, RandomWeights(network, 1), {}, {}, {}};
  Classifier classify(model, {.max_pixels = 100'000'000});
  EXPECT_THAT(Complaint([&] { classify.File(CasePath("bomb_16384.png")); }),
              HasSubstr("16384 x 16384 pixels, expected at most 100000000"));
}

}  // namespace
}  // namespace mobilenet
