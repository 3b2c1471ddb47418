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

// For the input that all of them were given, integers from 0 to 255 that look random, as `p` normalises them.
std::vector<float> AnswersOf(const std::filesystem::path& file, const Preprocessing& p = {}) {
  const Model model = Model::Load(file);
  const std::vector<float> input = InputOf(model, p);
  std::vector<float> answers = ReferenceRun(model.network, model.weights, input);
  Softmax(answers);
  std::vector<float> planned(answers.size());
  EXPECT_TRUE(Runner(Plan(model.network, model.weights)).Run(input, planned));
  Softmax(planned);
  ExpectNear(planned, answers);
  return answers;
}

TEST(Cases, AnswersAreThoseOfTheRuntimeTheyCameFrom) {
  MOBILENET_REQUIRE_DATA();
  const auto all = nlohmann::json::parse(std::ifstream(CasePath("expected.json")));
  const auto expected = [&](const char* name, const char* input) {
    return all.at(name).at(input).get<std::vector<float>>();
  };
  for (const char* name :
       {"gap96.tflite", "a0.1.h5", "k2_head100.h5", "k2_hidden.h5", "k2_nested.h5", "k2_nonsquare.h5",
        "k3_full.h5", "k3_full.keras", "k3_head96.h5", "names_slash.h5", "k2_v2.h5"}) {
    SCOPED_TRACE(name);
    ExpectNear(AnswersOf(CasePath(name)), expected(name, "pm1"));
  }
  // The same weights without a configuration, so without a resolution.
  EXPECT_EQ(Model::Load(CasePath("k3_full.weights.h5")).weights.at("classifier.weight").values[7],
            Model::Load(CasePath("k3_full.keras")).weights.at("classifier.weight").values[7]);
  // Its Rescaling layer has become its preprocessing.
  const Preprocessing own = Model::Load(CasePath("k2_rescaling.h5")).preprocessing;
  ExpectNear(AnswersOf(CasePath("k2_rescaling.h5"), own), expected("k2_rescaling.h5", "raw"));
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

// Zeros right and below of odd maps, fewer than 8 channels, a hidden layer: V1 but for that.
TEST(Cases, WhatIsNearlyV1IsCustom) {
  MOBILENET_REQUIRE_DATA();
  for (const char* name : {"k2_head100.h5", "a0.1.h5", "k2_hidden.h5"}) {
    const Network network = Model::Load(CasePath(name)).network;
    EXPECT_EQ(VersionOf(network), "custom") << name;
    EXPECT_EQ(network.layers[1].name, "conv_dw_1");
  }
}

TEST(Cases, WhatHasNoClassesIsRefused) {
  MOBILENET_REQUIRE_DATA();
  EXPECT_THAT(Complaint([] { Model::Load(CasePath("k2_notop_avg.h5")); }), HasSubstr("has no classifier"));
  EXPECT_THAT(Complaint([] { Model::Load(CasePath("k2_sigmoid3.h5")); }), HasSubstr("activation sigmoid"));
  EXPECT_THAT(Complaint([] { Model::Load(CasePath("k2_v3.h5")); }), HasSubstr("which is not read"));
}

// Of one output a softmax makes 1, whatever it is.
TEST(Cases, OneOutputIsNoChoice) {
  MOBILENET_REQUIRE_DATA();
  for (const char* name : {"k2_logit1.h5", "logit1.tflite"}) {
    const Model model = Model::Load(CasePath(name));
    EXPECT_THAT(Complaint([&] { Classifier{model}; }),
                HasSubstr("has 1 output, expected at least two classes"));
  }
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
