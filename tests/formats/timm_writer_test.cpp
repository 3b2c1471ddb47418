// Safetensors with timm's names that we write: what is read back, and what is refused.
#include <filesystem>

#include "complaint.h"
#include "formats/safetensors.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "random_model.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

Recipe TimmV2(float epsilon = 1e-5F) {
  return V2Options{.alpha = 0.35,
                   .resolution = {32, 64},
                   .classes = 3,
                   .padding = PaddingStyle::kSymmetric,
                   .epsilon = epsilon};
}

Model ReadBack(const Model& model) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.safetensors";
  SaveTimm(model, path);
  return Model::Load(path, {.mapped = false});
}

std::string ComplaintAbout(const Recipe& recipe) {
  return Complaint([&] { ReadBack(RandomModel(recipe)); });
}

TEST(TimmWriter, NetworksAreReadBack) {
  for (const Recipe& recipe : {TimmV2(), Recipe(V1Options{.resolution = 32,
                                         .classes = 0,
                                         .input_channels = 1,
                                         .padding = PaddingStyle::kSymmetric,
                                         .epsilon = 1e-5F})}) {
    const Model model = RandomModel(recipe);
    const Model read = ReadBack(model);
    EXPECT_EQ(read.network.layers, model.network.layers);
    EXPECT_EQ(read.network.recipe, recipe);
    for (const auto& [name, tensor] : model.weights)
      EXPECT_TRUE(std::ranges::equal(tensor.values, read.weights.at(name).values)) << name;
  }
}

TEST(TimmWriter, AnotherEpsilonAndFoldedBatchNormsAnswerAlike) {
  const Model model = RandomModel(TimmV2(1e-3F));
  ExpectSameAnswers(ReadBack(model), model);
  V2Options folded = std::get<V2Options>(TimmV2());
  folded.batch_norm = false;
  const Model biased = RandomModel(folded);
  ExpectSameAnswers(ReadBack(biased), biased);
}

TEST(TimmWriter, LabelsPreprocessingAndProvenanceComeAlong) {
  Model model = RandomModel(TimmV2());
  model.labels = {"a", "b\n", "c"};
  model.preprocessing = PreprocessingPreset("caffe");
  model.provenance = {{"source", "trained"}};
  const Model read = ReadBack(model);
  EXPECT_EQ(read.labels, model.labels);
  EXPECT_EQ(read.preprocessing, model.preprocessing);
  EXPECT_EQ(read.provenance, (std::map<std::string, std::string>{
                                 {"source", "trained"}, {"imported from", "PyTorch weights, timm's names"}}));
}

TEST(TimmWriter, TheFileSaysWhichNetworkItIs) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.safetensors";
  SaveTimm(RandomModel(TimmV2()), path);
  const Safetensors file = OpenSafetensors(path);
  EXPECT_EQ(file.metadata.at("mobilenet.architecture"), "mobilenetv2_035");
  EXPECT_EQ(file.metadata.at("format"), "pt");
  EXPECT_EQ(file.entries.at("blocks.0.0.conv_dw.weight").shape, (std::vector<std::int64_t>{16, 1, 3, 3}));
}

TEST(TimmWriter, WhatTimmDoesNotHaveIsRefused) {
  const auto with = [](auto change) {
    V2Options options = std::get<V2Options>(TimmV2());
    change(options);
    return ComplaintAbout(options);
  };
  EXPECT_THAT(with([](auto& o) { o.padding = PaddingStyle::kSame; }),
              HasSubstr("can't be written with timm's names: the network is padded as TensorFlow does, from "
                        "conv1 on, and timm's mobilenetv2_035 is symmetric, which is another network"));
  EXPECT_THAT(with([](auto& o) { o.alpha = 0.4; }), HasSubstr("timm has no MobileNet v2 of alpha 0.4"));
  EXPECT_THAT(with([](auto& o) { o.output_stride = 16; }), HasSubstr("the output stride is 16, expected 32"));
  EXPECT_THAT(with([](auto& o) { o.activation = Activation::kRelu; }),
              HasSubstr("the activation is relu, expected relu6"));
  EXPECT_THAT(ComplaintAbout(V1Options{.resolution = 32, .shallow = true}), HasSubstr("not shallow"));
  Model custom = RandomModel(TimmV2());
  custom.network.layers[0].name = "other";
  custom.network.recipe = std::nullopt;
  custom.weights = RandomWeights(custom.network, 1);
  EXPECT_THAT(Complaint([&] { ReadBack(custom); }), HasSubstr("the network is a custom one"));
}

}  // namespace
}  // namespace mobilenet
