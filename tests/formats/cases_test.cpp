// Files that went wrong once, with the answers of the runtime that each belongs to.
#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

std::filesystem::path CasePath(const std::string& name) { return SharedData() / "cases" / name; }

// For the input that all of them were given, integers from 0 to 255 that look random, as `p` normalises them.
std::vector<float> AnswersOf(const std::filesystem::path& file, const Preprocessing& p = {}) {
  const Model model = Model::Load(file);
  std::vector<float> input(static_cast<std::size_t>(model.network.input.size()));
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto v = static_cast<std::uint32_t>(i * 2654435761U) >> 24;
    input[i] = (static_cast<float>(v) - p.mean[i % 3]) * p.scale[i % 3];
  }
  std::vector<float> answers(static_cast<std::size_t>(model.network.output().size()));
  EXPECT_TRUE(Runner(Plan(model.network, model.weights)).Run(input, answers));
  Softmax(answers);
  return answers;
}

void ExpectNear(const std::vector<float>& answers, const std::vector<float>& expected) {
  ASSERT_EQ(answers.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(answers[i], expected[i], 1e-5) << "at " << i;
}

TEST(Cases, AnswersAreThoseOfTheRuntimeTheyCameFrom) {
  MOBILENET_REQUIRE_DATA();
  const auto all = nlohmann::json::parse(std::ifstream(CasePath("expected.json")));
  const auto expected = [&](const char* name, const char* input) {
    return all.at(name).at(input).get<std::vector<float>>();
  };
  ExpectNear(AnswersOf(CasePath("gap96.tflite")), expected("gap96.tflite", "pm1"));
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

TEST(Cases, AnInputThatIsNotSquareIsRefusedNotTakenForAnother) {
  MOBILENET_REQUIRE_DATA();
  EXPECT_THAT(Complaint([] { Model::Load(CasePath("k2_nonsquare.h5")); }),
              HasSubstr("images of 96 x 128 pixels"));
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
