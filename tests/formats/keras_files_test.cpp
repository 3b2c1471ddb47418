// Keras's other files: weights that are numbered, the names of its applications, and TensorFlow.js.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/fail.h"
#include "complaint.h"
#include "formats/keras_model.h"
#include "formats/keras_variables.h"
#include "gmock/gmock.h"
#include "mobilenet/model.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr V2Options kV2 = {.alpha = 0.1, .resolution = 64, .classes = 3};

void ExpectWeights(const Model& model, const Recipe& recipe) {
  ASSERT_EQ(model.network.recipe, recipe);
  for (const auto& [name, tensor] : RandomWeights(model.network, 4))
    EXPECT_TRUE(std::ranges::equal(model.weights.at(name).values, tensor.values)) << name;
}

// The groups of Keras 3's files, by the order of layers of a class in `config`, below `begin`.
KerasWeights Numbered(const KerasModel& keras, const std::string& begin = "layers/") {
  const json config = json::parse(keras.config);
  std::map<std::string, int> counts;
  KerasWeights numbered;
  for (const json& layer : config["config"]["layers"]) {
    std::string kind = layer["class_name"];
    if (kind == "Conv2D") kind = "conv2d";
    if (kind == "DepthwiseConv2D") kind = "depthwise_conv2d";
    if (kind == "BatchNormalization") kind = "batch_normalization";
    if (kind == "Dense") kind = "dense";
    const int number = counts[kind]++;
    const auto found = keras.weights.find(layer["config"]["name"].get<std::string>());
    if (found == keras.weights.end()) continue;
    auto& group = numbered[Concat(begin, kind, number == 0 ? "" : Concat("_", number), "/vars")];
    for (const char* name :
         {"kernel", "depthwise_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"}) {
      if (const auto tensor = found->second.find(name); tensor != found->second.end())
        group[std::to_string(group.size())] = tensor->second;
    }
  }
  return numbered;
}

Model Read(const std::string& config, const KerasWeights& numbered,
           const std::map<std::string, std::string>& names = {}) {
  return ToModel(FromKerasConfig("f", config, NamedByConfig("f", config, numbered, names)));
}

TEST(Keras3, NumberedWeightsFollowTheConfiguration) {
  const KerasModel keras = KerasModelOf(kV2, KerasStyle::kFunctional3);
  ExpectWeights(Read(keras.config, Numbered(keras)), kV2);
}

TEST(Keras3, ModelsWithinModels) {
  const KerasModel keras = KerasModelOf(kV2, KerasStyle::kFunctional3);
  json outer;
  outer["config"]["layers"][0] = json::parse(keras.config);
  outer["config"]["layers"][0]["class_name"] = "Functional";
  outer["config"]["layers"][0]["config"]["name"] = "inner";
  ExpectWeights(Read(outer.dump(), Numbered(keras, "layers/functional/layers/")), kV2);
}

// Where the file says what a layer is called, it must be what the configuration says.
TEST(Keras3, NamesAndNumbersMustAgree) {
  const KerasModel keras = KerasModelOf(kV2, KerasStyle::kFunctional3);
  const KerasWeights numbered = Numbered(keras);
  ExpectWeights(Read(keras.config, numbered, {{"layers/conv2d/vars", "conv1"}}), kV2);
  EXPECT_THAT(Complaint([&] {
                Read(keras.config, numbered, {{"layers/conv2d/vars", "other"}});
              }),
              HasSubstr("are of the layer other by their name, but by their number of conv1"));
}

// It is the layer that is refused, not the number of its variables.
TEST(Keras3, LayersThatAreNotReadAreNamed) {
  const KerasModel keras = KerasModelOf(kV2, KerasStyle::kFunctional3);
  json config = json::parse(keras.config);
  json& layers = config["config"]["layers"];
  json separable = {{"class_name", "SeparableConv2D"}, {"config", {{"name", "separable"}}}};
  separable["inbound_nodes"] = layers[1]["inbound_nodes"];
  layers.insert(layers.begin() + 1, separable);
  KerasWeights numbered = Numbered(keras);
  numbered["layers/separable_conv2d/vars"] = {
      {"0", Tensor::Of({1}, {1})}, {"1", Tensor::Of({1}, {1})}, {"2", Tensor::Of({1}, {1})}};
  EXPECT_THAT(Complaint([&] { Read(config.dump(), numbered); }),
              HasSubstr("the layer separable is a SeparableConv2D, which is not read"));
}

TEST(Keras3, VariablesThatLack) {
  const KerasModel keras = KerasModelOf(kV2, KerasStyle::kFunctional3);
  const auto complaint = [&](const std::string& group, const auto& edit) {
    KerasWeights numbered = Numbered(keras);
    edit(numbered.at(group));
    return Complaint([&] { Read(keras.config, numbered); });
  };
  EXPECT_THAT(complaint("layers/batch_normalization/vars", [](auto& layer) { layer.erase("3"); }),
              HasSubstr("conv1_bn has 3 variables, expected 4"));
  EXPECT_THAT(complaint("layers/conv2d/vars",
                        [](auto& layer) {
                          layer["7"] = layer["0"];
                          layer.erase("0");
                        }),
              HasSubstr("conv1 lacks its variable 0"));
}

// A batch norm without its scale has three variables, of which the first is the shift.
TEST(Keras3, ABatchNormWithoutScale) {
  KerasModel keras = KerasModelOf(V1Options{.alpha = 0.1, .classes = 3}, KerasStyle::kFunctional3);
  json config = json::parse(keras.config);
  KerasWeights numbered = Numbered(keras);
  auto& norm = numbered.at("layers/batch_normalization/vars");
  norm = {{"0", norm.at("1")}, {"1", norm.at("2")}, {"2", norm.at("3")}};
  for (json& layer : config["config"]["layers"]) {
    if (layer["config"]["name"] == "conv1_bn") layer["config"]["scale"] = false;
  }
  const Model model = Read(config.dump(), numbered);
  EXPECT_TRUE(
      std::ranges::all_of(model.weights.at("conv1.norm.gamma").values, [](float g) { return g == 1; }));
  EXPECT_TRUE(std::ranges::equal(model.weights.at("conv1.norm.mean").values, norm.at("1").values));
}

// keras.applications' names for our layers.
std::string ApplicationsName(const std::string& name, bool v2) {
  const bool norm = name.ends_with("_bn");
  const std::string layer = norm ? name.substr(0, name.size() - 3) : name;
  if (layer == "classifier") return "predictions";
  if (!layer.starts_with("block")) {
    if (!v2) return norm ? layer + "_bn" : layer;
    if (layer == "conv1") return norm ? "bn_Conv1" : "Conv1";
    return norm ? "Conv_1_bn" : "Conv_1";
  }
  const auto dot = layer.find('.');
  const int block = std::stoi(layer.substr(5, dot - 5));
  const std::string part = layer.substr(dot + 1);
  if (!v2) return Concat("conv_", part == "depthwise" ? "dw_" : "pw_", block, norm ? "_bn" : "");
  const std::string begin = block == 1 ? "expanded_conv" : Concat("block_", block - 1);
  return Concat(begin, "_", part, norm ? "_BN" : "");
}

KerasWeights UnderApplicationsNames(const KerasModel& keras, bool v2) {
  KerasWeights named;
  for (const auto& [layer, tensors] : keras.weights) named[ApplicationsName(layer, v2)] = tensors;
  return named;
}

TEST(Keras, ApplicationsNamesOfBothVersions) {
  constexpr V1Options kV1 = {.alpha = 0.25, .classes = 3, .padding = PaddingStyle::kKeras};
  ExpectWeights(ToModel(FromKerasNames("f", UnderApplicationsNames(KerasModelOf(kV1), false))), kV1);
  constexpr V2Options kV2At224 = {.alpha = 0.35, .classes = 3};
  const KerasModel v2 = KerasModelOf(kV2At224, KerasStyle::kFunctional2);
  ExpectWeights(ToModel(FromKerasNames("f", UnderApplicationsNames(v2, true))), kV2At224);
}

// What the layers of V2 are called in the weights that keras.applications fetches, which an older version
// wrote: "mobl3_conv_3_expand" for "block_3_expand".
std::string PublishedName(const std::string& name) {
  if (name == "predictions") return "Logits";
  const bool first = name.starts_with("expanded_conv_");
  if (!first && !name.starts_with("block_")) return name;
  const int number = first ? 0 : std::stoi(name.substr(6));
  const bool norm = name.ends_with("_BN");
  const std::string layer = norm ? name.substr(0, name.size() - 3) : name;
  const std::string part = layer.substr(layer.rfind('_') + 1);
  return Concat(norm ? "bn" : "mobl", number, "_conv_", number, norm ? "_bn_" : "_", part);
}

TEST(Keras, NamesOfTheWeightsPublishedForV2) {
  constexpr V2Options kV2At224 = {.alpha = 0.35, .classes = 3};
  const KerasModel keras = KerasModelOf(kV2At224, KerasStyle::kFunctional2);
  KerasWeights named;
  for (const auto& [layer, tensors] : UnderApplicationsNames(keras, true)) {
    const std::string name = PublishedName(layer);
    named[Concat(name, "/", name)] = tensors;
  }
  ASSERT_TRUE(named.contains("mobl0_conv_0_depthwise/mobl0_conv_0_depthwise"));
  ASSERT_TRUE(named.contains("bn16_conv_16_bn_project/bn16_conv_16_bn_project"));
  ExpectWeights(ToModel(FromKerasNames("f", named)), kV2At224);
}

// Without a configuration, the names in the file are taken, or else V1's order.
TEST(Keras3, WeightsAlone) {
  constexpr V1Options kV1 = {.alpha = 0.25, .classes = 3, .padding = PaddingStyle::kKeras};
  KerasWeights numbered = Numbered(KerasModelOf(kV1, KerasStyle::kFunctional3));
  std::string assumed;
  const auto read = [&](const std::map<std::string, std::string>& names) {
    return ToModel(FromKerasNames("f", NamedByFile("f", numbered, names, assumed)));
  };
  EXPECT_THAT(Complaint([&] { read({}); }), HasSubstr("layers/dense/vars belong to no layer"));
  // keras.applications classifies by a convolution.
  auto& classifier = numbered["layers/conv2d_14/vars"];
  classifier = numbered.at("layers/dense/vars");
  classifier.at("0").shape.insert(classifier.at("0").shape.begin(), {1, 1});
  numbered.erase("layers/dense/vars");
  ExpectWeights(read({}), kV1);
  EXPECT_THAT(assumed, HasSubstr("MobileNet V1 was assumed"));
  // Of a model within another.
  const KerasModel keras = KerasModelOf(kV2, KerasStyle::kFunctional3);
  const std::string within = "layers/functional/layers/batch_normalization/vars";
  numbered = {{within, Numbered(keras, "layers/functional/layers/").at(within)}};
  const KerasWeights named = NamedByFile("f", numbered, {{within, "conv1_bn"}}, assumed);
  EXPECT_EQ(named.at("conv1_bn").at("moving_variance").values[0], numbered.at(within).at("3").values[0]);
  assumed.clear();
  EXPECT_THAT(Complaint([&] { read({{"layers/conv2d/vars", "conv1"}}); }), HasSubstr("belong to no layer"));
  EXPECT_EQ(assumed, "");
}

class Tfjs : public testing::Test {
 protected:
  // Writes the model's description and its weights, those of `quantized` as bytes of which 2 stands for 1 and
  // so on.
  void Write(const KerasModel& keras, const std::string& quantized = "") {
    json manifest = {{"paths", {"a.bin", "b.bin"}}, {"weights", json::array()}};
    std::string bytes;
    for (const auto& [layer, tensors] : keras.weights) {
      for (const auto& [name, tensor] : tensors) {
        json weight = {{"name", layer + "/" + name}, {"shape", tensor.shape}, {"dtype", "float32"}};
        if (layer == quantized) {
          weight["quantization"] = {{"dtype", "uint8"}, {"scale", 0.5}, {"min", -1.0}};
          bytes.append(tensor.values.size(), '\4');
        } else {
          bytes.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes());
        }
        manifest["weights"].push_back(std::move(weight));
      }
    }
    const std::size_t half = bytes.size() / 2 + 1;  // in the midst of a number
    std::ofstream(path() / "a.bin", std::ios::binary) << bytes.substr(0, half);
    std::ofstream(path() / "b.bin", std::ios::binary) << bytes.substr(half);
    description_ = {{"format", "layers-model"},
                    {"modelTopology", {{"model_config", json::parse(keras.config)}}},
                    {"weightsManifest", {manifest}}};
    WriteDescription();
  }

  void WriteDescription() { std::ofstream(path() / "model.json") << description_.dump(); }
  [[nodiscard]] std::filesystem::path path() const { return directory_.path(); }
  [[nodiscard]] std::string ComplaintNow() const {
    return Complaint([&] { Model::Load(path() / "model.json"); });
  }

  TemporaryDirectory directory_;
  json description_;
};

TEST_F(Tfjs, ModelsAndTheirLabels) {
  Write(KerasModelOf(kV2, KerasStyle::kFunctional2));
  ExpectWeights(Model::Load(path() / "model.json"), kV2);
  std::ofstream(path() / "metadata.json") << R"({"tfjsVersion": "1", "labels": ["a", "b", "c"]})";
  const Model model = Model::Load(path());  // the folder
  ExpectWeights(model, kV2);
  EXPECT_EQ(model.labels, (std::vector<std::string>{"a", "b", "c"}));
  std::ofstream(path() / "metadata.json") << R"({"labels": ["a", "b"]})";
  EXPECT_THAT(Complaint([&] { Model::Load(path()); }), HasSubstr("2 labels"));
}

TEST_F(Tfjs, QuantizedWeights) {
  Write(KerasModelOf(kV2, KerasStyle::kFunctional2), "conv1");
  const Model model = Model::Load(path() / "model.json");
  EXPECT_TRUE(std::ranges::all_of(model.weights.at("conv1.weight").values, [](float w) { return w == 1; }));
}

TEST_F(Tfjs, DamagedDescriptionsAreRefused) {
  Write(KerasModelOf(kV2, KerasStyle::kFunctional2));
  const json whole = description_;
  json& paths = description_["weightsManifest"][0]["paths"];
  paths = {"../a.bin", "b.bin"};
  WriteDescription();
  EXPECT_THAT(ComplaintNow(), HasSubstr("names a file of weights outside of its folder"));
  paths = {"/etc/passwd"};
  WriteDescription();
  EXPECT_THAT(ComplaintNow(), HasSubstr("outside of its folder"));
  paths = {"a.bin"};
  WriteDescription();
  EXPECT_THAT(ComplaintNow(), HasSubstr("end before"));
  paths = {"a.bin", "b.bin", "b.bin"};
  WriteDescription();
  EXPECT_THAT(ComplaintNow(), HasSubstr("bytes more than its weights take"));
  description_ = whole;
  description_["weightsManifest"][0]["weights"][0]["shape"] = {4'000'000'000, 4'000'000'000, 4'000'000'000};
  WriteDescription();
  EXPECT_THAT(ComplaintNow(), HasSubstr("is larger than its file"));
  description_ = whole;
  description_["modelTopology"] = {{"node", json::array()}};
  WriteDescription();
  EXPECT_THAT(ComplaintNow(), HasSubstr("is a TensorFlow.js graph model"));
}

}  // namespace
}  // namespace mobilenet
