// TFLite files that we write: what is read back of them, and what else stands in them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "complaint.h"
#include "formats/tflite_generated.h"
#include "formats/tflite_metadata_generated.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "random_model.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Model SmallModel() { return RandomModel(V1Options{.alpha = 0.1, .resolution = 32, .classes = 3}); }

std::vector<std::uint8_t> Written(const Model& model, const TfliteOptions& options = {}) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.tflite";
  SaveTflite(model, path, options);
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Model ReadBack(const Model& model, const TfliteOptions& options = {}) {
  return Model::Parse(Written(model, options), "f");
}

std::string ComplaintAboutWriting(const Model& model) {
  return Complaint([&] { Written(model); });
}

// A model of the recipe comes back with its layers, but for batch norms, its recipe and its answers.
void ExpectReadBack(const Recipe& recipe) {
  const Model model = RandomModel(recipe);
  const Model read = ReadBack(model);
  ExpectSameAnswers(read, model);
  Recipe folded = recipe;
  const auto fold = [](auto& options) {
    options.batch_norm = false;
    options.epsilon = 1e-3F;
  };
  std::visit(fold, folded);
  EXPECT_EQ(read.network.layers, Build(folded).layers);
  EXPECT_EQ(read.network.recipe, folded);
}

TEST(TfliteWriter, NetworksOfBothVersionsAreReadBack) {
  for (const PaddingStyle padding : {PaddingStyle::kSame, PaddingStyle::kSymmetric, PaddingStyle::kKeras}) {
    for (const Resolution resolution : {Resolution(32), Resolution(33, 64), Resolution(50, 47)}) {
      SCOPED_TRACE(std::string(NameOf(padding)) + " " + std::to_string(resolution.height));
      ExpectReadBack(V1Options{.alpha = 0.1, .resolution = resolution, .classes = 3, .padding = padding});
      ExpectReadBack(V2Options{.alpha = 0.1, .resolution = resolution, .classes = 3, .padding = padding});
    }
  }
}

TEST(TfliteWriter, OptionsAreReadBack) {
  ExpectReadBack(V1Options{.alpha = 0.1,
                           .resolution = 48,
                           .classes = 2,
                           .input_channels = 1,
                           .separable = false,
                           .activation = Activation::kRelu});
  ExpectReadBack(V1Options{.alpha = 0.1, .resolution = 32, .classes = 0, .shallow = true});
  ExpectReadBack(V2Options{.alpha = 0.1, .resolution = 40, .classes = 0, .output_stride = 8});
}

TEST(TfliteWriter, AnswersAreReadBack) {
  Model model = RandomModel(V1Options{.alpha = 0.1, .resolution = 32, .classes = 1});
  model.answers = Answers::kSigmoid;
  model.labels = {"cat", "dog"};
  const Model one = ReadBack(model);
  EXPECT_EQ(one.answers, Answers::kSigmoid);
  EXPECT_EQ(one.labels, model.labels);
  EXPECT_FALSE(one.provenance.contains("answers"));
  model = SmallModel();
  EXPECT_EQ(ReadBack(model).answers, Answers::kSoftmax);
  model.answers = Answers::kSigmoid;
  EXPECT_EQ(ReadBack(model).answers, Answers::kSigmoid);
}

Layer SumOf(int a, int b, const Shape& shape) {
  Layer sum;
  sum.kind = LayerKind::kAdd;
  sum.name = "sum";
  sum.inputs = {a, b};
  sum.input = sum.output = shape;
  return sum;
}

// A hidden layer behind the average, and its skip.
Model WithHiddenLayer() {
  Model model = SmallModel();
  std::vector<Layer>& layers = model.network.layers;
  layers[0].name = "probabilities";
  layers[1].name = "stem/features";
  Layer classifier = layers.back();
  const int pool = static_cast<int>(layers.size()) - 2;
  Layer hidden = classifier;
  hidden.name = "hidden";
  hidden.output.channels = hidden.input.channels;
  hidden.activation = Activation::kRelu;
  classifier.inputs = {pool + 2};
  layers.pop_back();
  layers.insert(layers.end(), {hidden, SumOf(pool + 1, pool, hidden.output), classifier});
  model.network.recipe = std::nullopt;
  model.weights = RandomWeights(model.network, 5);
  return model;
}

TEST(TfliteWriter, CustomNetworksAreReadBackWithTheirNames) {
  const Model model = WithHiddenLayer();
  const Model read = ReadBack(model);
  ExpectSameAnswers(read, model);
  EXPECT_EQ(VersionOf(read.network), "custom");
  ASSERT_EQ(read.network.layers.size(), model.network.layers.size());
  for (std::size_t i = 0; i < read.network.layers.size(); ++i)
    EXPECT_EQ(read.network.layers[i].name, model.network.layers[i].name);
}

// Of 2 x 2 pixels, which one window of 2 x 2 sees, and no average.
TEST(TfliteWriter, AClassifierMayBeAConvolution) {
  Model model;
  model.network.input = {2, 2, 3};
  Layer layer;
  layer.name = "look";
  layer.inputs = {kNetworkInput};
  layer.input = {2, 2, 3};
  layer.output = {1, 1, 4};
  layer.kernel = 2;
  layer.bias = true;
  model.network.layers = {layer};
  model.weights = RandomWeights(model.network, 3);
  const Model read = ReadBack(model);
  EXPECT_EQ(read.network.layers, model.network.layers);
  EXPECT_EQ(read.classes(), 4);
}

TEST(TfliteWriter, LabelsPreprocessingAndProvenanceComeAlong) {
  Model model = SmallModel();
  model.labels = {"cat", "", "ü"};
  model.preprocessing = PreprocessingPreset("pytorch");
  model.preprocessing.crop = 0.3F;
  model.preprocessing.filter = ResizeFilter::kNearest;
  model.provenance = {{"source", "trained"}, {"preprocessing", "set by hand"}};
  const Model read = ReadBack(model);
  EXPECT_EQ(read.labels, model.labels);
  EXPECT_EQ(read.preprocessing, model.preprocessing);
  EXPECT_EQ(read.provenance, (std::map<std::string, std::string>{{"source", "trained"},
                                                                 {"preprocessing", "set by hand"},
                                                                 {"imported from", "TensorFlow Lite"}}));
}

TEST(TfliteWriter, NetworksOfBgrTakeRgb) {
  Model model = SmallModel();
  model.preprocessing = PreprocessingPreset("caffe");
  const Model rgb = ReadBack(model);
  EXPECT_EQ(rgb.preprocessing.order, ChannelOrder::kRgb);
  EXPECT_EQ(rgb.preprocessing.mean[0], model.preprocessing.mean[2]);
  const auto photo = std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "stripes.png";
  const auto expected = Classifier(model).File(photo, {.top = 3});
  const auto found = Classifier(rgb).File(photo, {.top = 3});
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i].probability, expected[i].probability, 1e-5F);
}

TEST(TfliteWriter, TheFileMayNormaliseItself) {
  Model model = SmallModel();
  for (const char* preset : {"tensorflow", "pytorch", "caffe", "unit"}) {
    model.preprocessing = PreprocessingPreset(preset);
    const Model read = ReadBack(model, {.preprocessing = true});
    const Model plain = ReadBack(model);
    EXPECT_EQ(read.preprocessing, plain.preprocessing) << preset;
    EXPECT_EQ(read.network.layers, plain.network.layers) << preset;
    ExpectSameAnswers(read, plain);
  }
}

// What the file says to Android's tools.
const tflite::ModelMetadata* MetadataIn(const std::vector<std::uint8_t>& bytes) {
  const tflite::Model& file = *tflite::GetModel(bytes.data());
  for (const tflite::Metadata* entry : *file.metadata()) {
    if (entry->name()->str() != "TFLITE_METADATA") continue;
    const auto* data = file.buffers()->Get(entry->buffer())->data();
    flatbuffers::Verifier verifier(data->data(), data->size());
    EXPECT_TRUE(tflite::VerifyModelMetadataBuffer(verifier));
    return tflite::GetModelMetadata(data->data());
  }
  return nullptr;
}

TEST(TfliteWriter, TheMetadataTellsOfNormalisationAndLabels) {
  Model model = SmallModel();
  model.labels = {"a", "b", "c"};
  model.preprocessing = PreprocessingPreset("pytorch");
  const auto numbers = [](const flatbuffers::Vector<float>* list) {
    return std::vector<float>(list->begin(), list->end());
  };
  const auto normalisation = [](const std::vector<std::uint8_t>& bytes) {
    const auto* unit = MetadataIn(bytes)->subgraphs()->Get(0)->inputs()->Get(0)->process_units()->Get(0);
    return unit->options_as_NormalizationOptions();
  };
  const auto bytes = Written(model);
  EXPECT_THAT(numbers(normalisation(bytes)->mean()), ElementsAre(123.675F, 116.28F, 103.53F));
  EXPECT_THAT(numbers(normalisation(bytes)->std()),
              ElementsAre(testing::FloatEq(58.395F), testing::FloatEq(57.12F), testing::FloatEq(57.375F)));
  const auto* output = MetadataIn(bytes)->subgraphs()->Get(0)->outputs()->Get(0);
  EXPECT_EQ(output->associated_files()->Get(0)->name()->str(), "labels.txt");
  EXPECT_EQ(output->associated_files()->Get(0)->type(), 2);
  // One number where the channels are alike.
  model.preprocessing = PreprocessingPreset("tensorflow");
  const auto alike = Written(model);
  EXPECT_THAT(numbers(normalisation(alike)->mean()), ElementsAre(127.5F));
  EXPECT_THAT(numbers(normalisation(alike)->std()), ElementsAre(testing::FloatEq(127.5F)));
}

TEST(TfliteWriter, AFileThatIsCutIsRefusedForItsLabels) {
  Model model = SmallModel();
  model.labels = {"a", "b", "c"};
  auto bytes = Written(model);
  for (const std::size_t cut : {1, 10, 60}) {
    bytes.resize(bytes.size() - cut);
    EXPECT_THAT(Complaint([&] { Model::Parse(bytes, "m.tflite"); }),
                HasSubstr("m.tflite: its metadata says that labels.txt is in an archive at its end"));
  }
}

// As the file's place in memory is, which vector instructions read it from.
TEST(TfliteWriter, ConstantsAreAlignedAndTheIdentifierIsThere) {
  const auto bytes = Written(SmallModel());
  EXPECT_TRUE(tflite::ModelBufferHasIdentifier(bytes.data()));
  const tflite::Model& file = *tflite::GetModel(bytes.data());
  for (const tflite::Buffer* buffer : *file.buffers()) {
    if (buffer->data() == nullptr) continue;
    EXPECT_EQ((buffer->data()->data() - bytes.data()) % 16, 0);
  }
  EXPECT_EQ(file.buffers()->Get(0)->data(), nullptr);
}

TEST(TfliteWriter, ALabelForEachOutputOrNoneOfItsOwn) {
  Model model = RandomModel(V1Options{.alpha = 0.1, .resolution = 32, .classes = 1});
  model.answers = Answers::kSigmoid;
  model.labels = {"cat", "dog"};
  const auto bytes = Written(model);
  const tflite::ModelMetadata& metadata = *MetadataIn(bytes);
  EXPECT_EQ(metadata.subgraphs()->Get(0)->outputs()->Get(0)->associated_files(), nullptr);
  EXPECT_EQ(metadata.associated_files()->Get(0)->name()->str(), "labels.txt");
}

TEST(TfliteWriter, WhatTheFileCouldNotTellIsNotWritten) {
  Model model = SmallModel();
  model.labels = {"cat"};
  EXPECT_THAT(ComplaintAboutWriting(model), HasSubstr("the model has 1 labels, expected 3"));
  model.labels = {"cat", "d\nog", "e"};
  EXPECT_THAT(ComplaintAboutWriting(model), HasSubstr("has a line break"));
  model = SmallModel();
  model.weights.erase("conv1.weight");
  EXPECT_THAT(ComplaintAboutWriting(model), HasSubstr("conv1.weight"));

  Layer depthwise;
  depthwise.name = "blur";
  depthwise.kind = LayerKind::kDepthwise;
  depthwise.inputs = {kNetworkInput};
  depthwise.input = depthwise.output = {4, 4, 3};
  model = {};
  model.network = {{4, 4, 3}, {depthwise}};
  model.weights = RandomWeights(model.network, 1);
  model.preprocessing.order = ChannelOrder::kBgr;
  EXPECT_THAT(
      ComplaintAboutWriting(model),
      HasSubstr("blur reads BGR and is no convolution that could read RGB; TFLite's metadata can't say"));
  model.network.input.channels = 4;
  model.network.layers[0].input = model.network.layers[0].output = {4, 4, 4};
  model.weights = RandomWeights(model.network, 1);
  EXPECT_THAT(ComplaintAboutWriting(model), HasSubstr("takes images of 4 channels, expected 3 or 1"));
}

TEST(TfliteWriter, WhatItSaysIsCheckedWhenItIsRead) {
  const auto with = [](const std::string& from, const std::string& to) {
    auto bytes = Written(SmallModel());
    const auto at = std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
    std::copy(to.begin(), to.end(), at);
    return Complaint([&] { Model::Parse(bytes, "f"); });
  };
  EXPECT_EQ(with("\"bilinear\"", "\"bilinear\""), "no error");
  EXPECT_THAT(with("\"bilinear\"", "\"bilingar\""), HasSubstr("f: the metadata preprocessing"));
  EXPECT_THAT(with("{\"crop\"", "[\"crop\""), HasSubstr("f: the metadata preprocessing"));
}

}  // namespace
}  // namespace mobilenet
