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

Recipe TimmV3(V3Variant variant, double alpha = 1) {
  return V3Options{.variant = variant,
                   .alpha = alpha,
                   .resolution = {64, 32},
                   .classes = 3,
                   .widths = alpha == 1 ? V3Widths::kSlim : V3Widths::kTimm,
                   .padding = PaddingStyle::kSymmetric,
                   .epsilon = 1e-5F};
}

// timm's tf_mobilenetv3_small_075.
Recipe TensorFlowsV3() {
  return V3Options{.variant = V3Variant::kSmall, .alpha = 0.75, .resolution = 64, .classes = 3};
}

Recipe TimmV4(V4Variant variant, double alpha = 1) {
  return V4Options{.variant = variant, .alpha = alpha, .resolution = 32, .classes = 3, .epsilon = 1e-5F};
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
  for (const Recipe& recipe :
       {TimmV2(),
        Recipe(V1Options{.resolution = 32,
        .classes = 0,
        .input_channels = 1,
        .padding = PaddingStyle::kSymmetric,
        .epsilon = 1e-5F}),
        TimmV3(V3Variant::kLarge), TimmV3(V3Variant::kSmall, 0.5), TensorFlowsV3(),
        Recipe(V3Options{.variant = V3Variant::kLargeMinimalistic, .resolution = 32, .classes = 3}),
        TimmV4(V4Variant::kConvSmall, 0.35), TimmV4(V4Variant::kConvMedium), TimmV4(V4Variant::kConvLarge)}) {
    SCOPED_TRACE(NameOf(recipe));
    const Model model = RandomModel(recipe);
    const Model read = ReadBack(model);
    EXPECT_EQ(read.network.layers, model.network.layers);
    EXPECT_EQ(NameOf(*read.network.recipe), NameOf(recipe));
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
  const auto architecture = [&](const Recipe& recipe) {
    SaveTimm(RandomModel(recipe), path);
    return OpenSafetensors(path).metadata.at("mobilenet.architecture");
  };
  EXPECT_EQ(architecture(TimmV3(V3Variant::kSmall, 0.5)), "mobilenetv3_small_050");
  EXPECT_EQ(architecture(TensorFlowsV3()), "tf_mobilenetv3_small_075");
  // Padded alike either way.
  V3Options odd = std::get<V3Options>(TensorFlowsV3());
  odd.resolution = 33;
  EXPECT_EQ(architecture(odd), "tf_mobilenetv3_small_075");
  odd.padding = PaddingStyle::kSymmetric;
  EXPECT_EQ(architecture(odd), "mobilenetv3_small_075");
  EXPECT_EQ(architecture(TimmV4(V4Variant::kConvSmall, 0.35)), "mobilenetv4_conv_small_035");
  const Safetensors v4 = OpenSafetensors(path);
  EXPECT_EQ(v4.entries.at("conv_head.weight").shape, (std::vector<std::int64_t>{1280, 336, 1, 1}));
  EXPECT_EQ(v4.entries.at("classifier.weight").shape, (std::vector<std::int64_t>{3, 1280}));
}

TEST(TimmWriter, WhatTimmDoesNotHaveIsRefused) {
  const auto with = [](auto change) {
    V2Options options = std::get<V2Options>(TimmV2());
    change(options);
    return ComplaintAbout(options);
  };
  EXPECT_THAT(with([](auto& o) { o.padding = PaddingStyle::kSame; }),
              HasSubstr("can't be written with timm's names: the network is padded as TensorFlow does, and "
                        "timm's mobilenetv2_035 is symmetric, which is another network"));
  EXPECT_THAT(with([](auto& o) { o.alpha = 0.4; }), HasSubstr("timm has no MobileNet v2 of alpha 0.4"));
  EXPECT_THAT(with([](auto& o) { o.output_stride = 16; }), HasSubstr("the output stride is 16, expected 32"));
  EXPECT_THAT(with([](auto& o) { o.activation = Activation::kRelu; }),
              HasSubstr("the activation is relu, expected relu6"));
  EXPECT_THAT(ComplaintAbout(V1Options{.resolution = 32, .shallow = true}), HasSubstr("not shallow"));
  V3Options v3 = std::get<V3Options>(TimmV3(V3Variant::kSmall, 0.5));
  v3.widths = V3Widths::kSlim;
  EXPECT_THAT(ComplaintAbout(v3),
              HasSubstr("the widths are those of slim, and timm's mobilenetv3_small_050 has others"));
  EXPECT_THAT(
      ComplaintAbout(V3Options{
          .variant = V3Variant::kSmallMinimalistic, .resolution = 32, .padding = PaddingStyle::kSymmetric}),
      HasSubstr("is not padded as TensorFlow does, and timm's tf_mobilenetv3_small_minimal_100 is"));
  V4Options v4 = std::get<V4Options>(TimmV4(V4Variant::kConvSmall));
  v4.activation = Activation::kRelu6;
  EXPECT_THAT(ComplaintAbout(v4), HasSubstr("the activation is relu6, expected relu"));
  Model custom = RandomModel(TimmV2());
  custom.network.layers[0].name = "other";
  custom.network.recipe = std::nullopt;
  custom.weights = RandomWeights(custom.network, 1);
  EXPECT_THAT(Complaint([&] { ReadBack(custom); }), HasSubstr("the network is a custom one"));
}

}  // namespace
}  // namespace mobilenet
