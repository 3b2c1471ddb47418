// TFLite files: what is read of them, and what is refused.
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "as_graph.h"
#include "base/fail.h"
#include "complaint.h"
#include "formats/tflite.h"
#include "formats/zip_bytes.h"
#include "gmock/gmock.h"
#include "mobilenet/model.h"
#include "random.h"
#include "runtime/reference_run.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

// From a file of 128 x 160 pixels to the same answers.
TEST(Tflite, RectangularNetworksOfBothVersionsAreRead) {
  const auto expect = [](const Network& network) {
    const Weights weights = RandomWeights(network, 5);
    const Model model = Model::Parse(TfliteOf(network, weights));
    EXPECT_EQ(model.network.recipe, network.recipe);
    EXPECT_EQ(TitleOf(model.network), TitleOf(network));
    const auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 2);
    EXPECT_EQ(ReferenceRun(model.network, model.weights, input), ReferenceRun(network, weights, input));
  };
  expect(V1({.alpha = 0.1, .resolution = {128, 160}, .classes = 3, .batch_norm = false}));
  expect(V2({.alpha = 0.1, .resolution = {128, 160}, .classes = 3, .batch_norm = false}));
  expect(V2({.alpha = 0.1,
             .resolution = {160, 96},
             .classes = 3,
             .padding = PaddingStyle::kSymmetric,
             .batch_norm = false}));
}

TEST(Tflite, AnInputOfAnySizeIsAssumedToBe224) {
  const Network network = V1({.alpha = 0.1, .classes = 3, .batch_norm = false});
  for (const TfliteOddities& any : {TfliteOddities{.any_height = true, .any_width = true},
                                    TfliteOddities{.any_height = true}, TfliteOddities{.any_width = true}}) {
    const Model model = Model::Parse(TfliteOf(network, RandomWeights(network, 5), any));
    EXPECT_EQ(model.network.layers, network.layers);
    EXPECT_THAT(model.provenance.at("resolution"), HasSubstr("224 was assumed"));
  }
}

TEST(Tflite, ASigmoidAtTheEndMakesLabelsIndependent) {
  const Network network = V1({.alpha = 0.1, .resolution = 32, .classes = 3, .batch_norm = false});
  EXPECT_EQ(Model::Parse(TfliteOf(network, RandomWeights(network, 5))).answers, Answers::kSoftmax);
  const auto bytes = TfliteOf(network, RandomWeights(network, 5), {.code = 14});
  EXPECT_EQ(Model::Parse(bytes).answers, Answers::kSigmoid);
}

// In an output channel no weight is further from what it was than half a step of its own.
TEST(Tflite, WeightsOfFewerBitsAreWidened) {
  const Network network = V1({.alpha = 0.1, .resolution = 32, .classes = 3, .batch_norm = false});
  const Weights weights = RandomWeights(network, 5);
  for (const Stored stored : {Stored::kFloat16, Stored::kInt8}) {
    const Model model = Model::Parse(TfliteOf(network, weights, {.weights = stored}));
    EXPECT_EQ(model.network.layers, network.layers);
    EXPECT_THAT(model.provenance.at("weights"),
                HasSubstr(stored == Stored::kInt8 ? "int8 in the file (dynamic range)" : "float16 in"));
    for (const auto& [name, tensor] : weights) {
      if (!name.ends_with(".weight")) continue;
      const std::span<const float> read = model.weights.at(name).values;
      const auto channels = static_cast<std::size_t>(tensor.shape.back());
      std::vector<float> most(channels);
      for (std::size_t i = 0; i < read.size(); ++i)
        most[i % channels] = std::max(most[i % channels], std::abs(tensor.values[i]));
      for (std::size_t i = 0; i < read.size(); ++i) {
        const float step = stored == Stored::kInt8 ? most[i % channels] / 127 : most[i % channels] / 1024;
        ASSERT_NEAR(read[i], tensor.values[i], 0.51 * step) << name << " at " << i;
      }
      EXPECT_FALSE(std::ranges::equal(read, tensor.values)) << name;
    }
  }
}

// A file with an archive behind it.
std::vector<std::uint8_t> WithZip(const std::vector<std::uint8_t>& file,
                                  const std::vector<ZipMember>& members) {
  const std::string bytes = ZipOf(members, std::string(file.begin(), file.end()));
  return {bytes.begin(), bytes.end()};
}

TEST(Tflite, LabelsComeFromTheMetadata) {
  const Network network = V1({.alpha = 0.1, .resolution = 32, .classes = 3, .batch_norm = false});
  const auto file = TfliteOf(network, RandomWeights(network, 5));
  const auto labels = [&](const std::vector<ZipMember>& members) {
    return Model::Parse(WithZip(file, members)).labels;
  };
  const std::vector<std::string> expected = {"a", "b c", "d"};
  EXPECT_EQ(labels({{"labels.txt", "a\nb c\nd"}}), expected);
  EXPECT_EQ(labels({{"read.me", "1\n2\n3"}, {"vocabulary.txt", "1\n2"}, {"l.txt", "a\r\nb c\r\nd\r\n"}}),
            expected);
  EXPECT_EQ(Model::Parse(WithZip(file, {{"labels.txt", "a\nb\nc"}})).provenance.at("labels"),
            "from labels.txt in the file");
  for (const ZipMember& other :
       {ZipMember{"labels.txt", "a\nb"}, ZipMember{"labels.txt", "a\nb\nc\nd"},
        ZipMember{"labels.txt", "a\n\xFF\nc"}, ZipMember{"labels.txt", "a\nb\nc", 8}})
    EXPECT_TRUE(labels({other}).empty());
  // A damaged archive is as good as none.
  const auto whole = WithZip(file, {{"labels.txt", "a\nb\nc"}});
  for (std::size_t i = file.size(); i < whole.size(); ++i) {
    auto damaged = whole;
    damaged[i] ^= 0xFF;
    const Model model = Model::Parse(damaged);
    EXPECT_TRUE(model.labels.empty() || model.labels.size() == 3);
    damaged.resize(i);
    EXPECT_TRUE(Model::Parse(damaged).labels.empty());
  }
}

// (pixel - mean) / 127.5 and its like, of pixels of 0 to 255 and of 0 to 1.
TEST(Tflite, ConstantsBehindTheInputAreThePreprocessing) {
  constexpr int kAdd = 0;
  constexpr int kMul = 18;
  constexpr int kSub = 41;
  constexpr int kDiv = 42;
  const Network network = V1({.alpha = 0.1, .resolution = 32, .classes = 3, .batch_norm = false});
  const auto model = [&](const std::vector<TfliteScaling>& scalings) {
    return Model::Parse(TfliteOf(network, RandomWeights(network, 5), {.scalings = scalings}), "f");
  };
  const auto expect = [&](const std::vector<TfliteScaling>& scalings, std::string_view preset) {
    const Model read = model(scalings);
    EXPECT_EQ(PresetName(read.preprocessing), preset);
    EXPECT_THAT(read.provenance.at("preprocessing"), HasSubstr("the file's own first operators"));
    EXPECT_EQ(read.network.recipe, network.recipe);
  };
  expect({{kMul, {1 / 127.5F}}, {kAdd, {-1}}}, "tensorflow");
  expect({{kMul, {1 / 127.5F}}, {kSub, {1}}}, "tensorflow");
  expect({{kDiv, {127.5F}}, {kAdd, {-1}, true}}, "tensorflow");
  expect({{kMul, {2}, true}, {kSub, {1}}}, "tensorflow");
  expect({{kDiv, {255}}}, "unit");
  expect({{kSub, {123.675F, 116.28F, 103.53F}}, {kDiv, {58.395F, 57.12F, 57.375F}}}, "pytorch");
  const auto complaint = [&](const std::vector<TfliteScaling>& scalings) {
    return Complaint([&] { model(scalings); });
  };
  EXPECT_THAT(complaint({{kDiv, {255}, true}}), HasSubstr("divides a constant by the input"));
  EXPECT_THAT(complaint({{kSub, {255}, true}}), HasSubstr("expected a positive scale"));
  EXPECT_THAT(complaint({{kDiv, {0}}}), HasSubstr("expected a positive scale"));
  EXPECT_THAT(complaint({{kMul, {1, 2}}}), HasSubstr("has a constant of shape [2], expected one number"));
}

// W (2 x + 3) is 2 W x + 3 W.
TEST(Tflite, ConstantsByChannelBehindTheAverageGoIntoTheClassifier) {
  constexpr int kAdd = 0;
  constexpr int kMul = 18;
  const Network network = V1({.alpha = 0.1, .resolution = 32, .classes = 3, .batch_norm = false});
  Weights weights = RandomWeights(network, 5);
  const std::vector<float> twos(102, 2);
  const std::vector<float> threes(102, 3);
  const Model model =
      Model::Parse(TfliteOf(network, weights, {.behind_average = {{kMul, twos}, {kAdd, threes}}}));
  EXPECT_EQ(model.network.recipe, network.recipe);
  const auto before = weights.at("classifier.weight").values;
  const auto after = model.weights.at("classifier.weight").values;
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_EQ(after[i], 2 * before[i]) << i;
  for (std::size_t c = 0; c < 3; ++c) {
    double bias = weights.at("classifier.bias").values[c];
    for (std::size_t i = c; i < before.size(); i += 3) bias += 3 * before[i];
    EXPECT_NEAR(model.weights.at("classifier.bias").values[c], bias, 1e-5) << c;
  }
  const auto complaint = [&](const std::vector<TfliteScaling>& scalings) {
    return Complaint([&] { Model::Parse(TfliteOf(network, weights, {.behind_average = scalings}), "f"); });
  };
  EXPECT_THAT(complaint({{kMul, {1, 2}}}), HasSubstr("has 2 values of a kind, expected 102"));
  EXPECT_THAT(complaint({{kMul, {2}}}), HasSubstr("rescales values within the network"));
}

TEST(Tflite, ASoftmaxMayBeWrittenAsItsParts) {
  const Network network = V1({.alpha = 0.1, .resolution = 32, .classes = 3, .batch_norm = false});
  const auto read = [&](const TfliteOddities& oddities) {
    return Model::Parse(TfliteOf(network, RandomWeights(network, 5), oddities), "f");
  };
  for (const SoftmaxSpelling softmax : {SoftmaxSpelling::kParts, SoftmaxSpelling::kCentred}) {
    for (const int axis : {-1, 3}) {
      const Model model = read({.softmax = softmax, .axis = axis});
      EXPECT_EQ(model.network.layers, network.layers);
      EXPECT_EQ(model.answers, Answers::kSoftmax);
    }
  }
  const auto complaint = [&](const TfliteOddities& oddities) { return Complaint([&] { read(oddities); }); };
  EXPECT_THAT(complaint({.softmax = SoftmaxSpelling::kParts, .axis = 1}),
              HasSubstr("works along the axis 1, expected the last, as a softmax does (SUM)"));
  EXPECT_THAT(complaint({.softmax = SoftmaxSpelling::kCentred, .axis = 0}), HasSubstr("(REDUCE_MAX)"));
  EXPECT_THAT(complaint({.softmax = SoftmaxSpelling::kCentred, .sums_centred = true}),
              HasSubstr("sums up a map, expected the exponentials of a softmax (SUM)"));
  EXPECT_THAT(complaint({.code = 47}), HasSubstr("has an output that no operator writes"));
}

TEST(Tflite, FilesThatAreNotReadAreToldWhatTheyAre) {
  const Network network = V1({.alpha = 0.1, .resolution = 32, .classes = 3, .batch_norm = false});
  const auto complaint = [&](const TfliteOddities& oddities) {
    const auto bytes = TfliteOf(network, RandomWeights(network, 5), oddities);
    return Complaint([&] { Model::Parse(bytes, "f"); });
  };
  EXPECT_THAT(complaint({.type = 9}), HasSubstr("f: is a quantized TFLite file (int8), which is not read"));
  EXPECT_THAT(complaint({.type = 3}), HasSubstr("f: is a quantized TFLite file (uint8)"));
  EXPECT_THAT(complaint({.weights = Stored::kBadScales}),
              HasSubstr("has weights of int8 whose scales don't fit [8, 3, 3, 3] (CONV_2D)"));
  EXPECT_THAT(complaint({.weights = Stored::kInt4}),
              HasSubstr("has weights of int4, expected float32, float16 or int8 (CONV_2D)"));
  EXPECT_THAT(complaint({.code = 17}),
              HasSubstr("is a max pool of a window that is not square, without strides"));
  EXPECT_THAT(complaint({.code = 126}), HasSubstr("is none that is read (number 126)"));
}

TEST(Tflite, WhatChangesTheAnswersIsReadOrRefused) {
  const Network network = V2({.alpha = 0.1,
                              .resolution = 32,
                              .classes = 3,
                              .padding = PaddingStyle::kSymmetric,
                              .batch_norm = false});
  const auto complaint = [&](const TfliteOddities& oddities) {
    const auto bytes = TfliteOf(network, RandomWeights(network, 5), oddities);
    return Complaint([&] { Model::Parse(bytes, "f"); });
  };
  EXPECT_EQ(complaint({}), "no error");
  EXPECT_THAT(complaint({.beta = 2}), HasSubstr("has the beta 2, expected 1 (SOFTMAX)"));
  EXPECT_THAT(complaint({.inputs = 2}), HasSubstr("f: the graph has 2 inputs, expected one"));
  for (const int pads : {0, 1, 6, 7})
    EXPECT_THAT(complaint({.pads = pads}), HasSubstr("pads images or channels")) << pads;
  EXPECT_THAT(complaint({.outputs = 2}), HasSubstr("f: the graph has 2 outputs, expected one"));
  EXPECT_THAT(complaint({.activation = 1}), HasSubstr("comes right behind the average over the map"));
  EXPECT_THAT(complaint({.activation = 2}), HasSubstr("has the activation 2, expected none (0)"));
  EXPECT_THAT(complaint({.misshapen = true}),
              HasSubstr("f: operator 0 makes a map of 34 x 34 x 3, but the file says [1, 34, 35, 3] (PAD)"));
  EXPECT_THAT(complaint({.adds_constant = true}),
              HasSubstr("rescales values within the network, expected that right after the input"));
}

}  // namespace
}  // namespace mobilenet
