// Other people's files: what is worked out from them, and what is refused.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/fail.h"
#include "base/file.h"
#include "complaint.h"
#include "forbid.h"
#include "formats/keras.h"
#include "formats/keras_model.h"
#include "formats/load.h"
#include "formats/safetensors.h"
#include "formats/tflite.h"
#include "gmock/gmock.h"
#include "mobilenet/cost.h"
#include "mobilenet/runtime.h"
#include "random.h"
#include "runtime/reference_run.h"
#include "shared_data.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

V1Options V1Of(const Model& model) { return std::get<V1Options>(*model.network.recipe); }

TEST(Keras, ConfigurationsThatAreRefused) {
  const auto complaint = [](const std::string& config) {
    return Complaint([&] { ToModel(FromKerasConfig("f", config, {})); });
  };
  EXPECT_THAT(complaint("{"), HasSubstr("model_config is damaged"));
  EXPECT_THAT(complaint(R"({"config":{"layers":[3]}})"), HasSubstr("a layer is 3"));
  EXPECT_THAT(complaint(R"({"config":{"layers":[{"class_name":"LSTM","config":{"name":"l"}}]}})"),
              HasSubstr("layer l is a LSTM"));
  EXPECT_THAT(complaint(R"({"config":{"layers":[{"class_name":"Conv2D","config":{"name":"c"}}]}})"),
              HasSubstr("layer c is missing"));
  EXPECT_THAT(
      complaint(R"({"config":{"layers":[{"class_name":"ReLU","config":{"name":"r","max_value":4}}]}})"),
      HasSubstr("clips at 4"));
  EXPECT_THAT(
      complaint(R"({"config":{"layers":[{"class_name":"BatchNormalization","config":{"name":"b"}}]}})"),
      HasSubstr("has 0 values of a kind, expected 3"));
}

TEST(Keras, TheEpsilonIsThatOfTheFile) {
  for (const float epsilon : {1e-3F, 1e-5F, 0.01F}) {
    const KerasModel keras = KerasModelOf(V1Options{.alpha = 0.1, .classes = 3, .epsilon = epsilon});
    const Model model = ToModel(FromKerasConfig("f", keras.config, keras.weights));
    EXPECT_EQ(V1Of(model).epsilon, epsilon);
    EXPECT_EQ(model.network.layers.front().epsilon, epsilon);
    EXPECT_EQ(V1Of(model).activation, Activation::kRelu6);
    EXPECT_EQ(V1Of(model).classes, 3);
  }
}

// Functional models say what each layer reads, Keras 2 and 3 in different words.
TEST(Keras, ModelsWithSkipsAreReadAlongTheirLayersNames) {
  const V2Options options = {.alpha = 0.1, .resolution = {96, 128}, .classes = 3};
  for (const KerasStyle style : {KerasStyle::kFunctional2, KerasStyle::kFunctional3}) {
    const KerasModel keras = KerasModelOf(options, style);
    const Model model = ToModel(FromKerasConfig("f", keras.config, keras.weights));
    EXPECT_EQ(model.network.recipe, Recipe(options));
    const Weights expected = RandomWeights(model.network, 4);
    for (const auto& [name, tensor] : expected)
      EXPECT_TRUE(std::ranges::equal(model.weights.at(name).values, tensor.values)) << name;
  }
}

TEST(Keras, ModelsWithinModelsAreReadAsOne) {
  KerasModel keras =
      KerasModelOf(V1Options{.alpha = 0.1, .resolution = 64, .classes = 3}, KerasStyle::kFunctional2);
  keras.config.pop_back();
  keras.config = Concat(R"({"config":[)", keras.config, R"(,"name":"inner","class_name":"Functional"}]})");
  KerasWeights weights;
  for (auto& [layer, tensors] : keras.weights) weights["inner/" + layer] = tensors;
  const Model model = ToModel(FromKerasConfig("f", keras.config, weights));
  EXPECT_EQ(V1Of(model), (V1Options{.alpha = 0.1, .resolution = 64, .classes = 3}));
}

// What reading `keras` says once the first `from` in its config is `to`.
std::string ComplaintAbout(KerasModel keras, const std::string& from, const std::string& to) {
  const std::size_t at = keras.config.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  keras.config.replace(at, from.size(), to);
  return Complaint([&] { ToModel(FromKerasConfig("f", keras.config, keras.weights)); });
}

// Each of these was read once as if it were not there.
TEST(Keras, WhatChangesTheAnswersIsReadOrRefused) {
  const KerasModel keras = KerasModelOf(V1Options{.alpha = 0.1, .resolution = 64, .classes = 3});
  const auto complaint = [&](const std::string& from, const std::string& to) {
    return ComplaintAbout(keras, from, to);
  };
  const std::string relu = R"("max_value":6)";
  EXPECT_THAT(complaint(relu, R"("max_value":6,"negative_slope":0.1)"), HasSubstr("negative_slope 0.1"));
  EXPECT_THAT(complaint(relu, R"("max_value":6,"threshold":1)"), HasSubstr("threshold 1"));
  EXPECT_EQ(complaint(relu, R"("max_value":6.0,"negative_slope":0.0,"threshold":null)"), "no error");
  const std::string padding = R"("padding":"same")";
  EXPECT_THAT(complaint(padding, padding + R"(,"activation":{"class_name":"swish"})"),
              HasSubstr("the activation {"));
  EXPECT_THAT(complaint(padding, padding + R"(,"activation":"swish")"), HasSubstr("the activation swish"));
  EXPECT_THAT(complaint(padding, padding + R"(,"data_format":"channels_first")"),
              HasSubstr("channels_first"));
  EXPECT_THAT(complaint(padding, padding + R"(,"use_bias":true)"),
              HasSubstr("has no bias, though it uses one"));
  EXPECT_THAT(complaint(padding, padding + R"(,"dilation_rate":[2,2])"), HasSubstr("dilation_rate [2,2]"));
  EXPECT_THAT(complaint(R"("strides":[2,2])", R"("strides":[4294967298,2])"),
              HasSubstr("strides 4294967298"));
  EXPECT_THAT(complaint(R"("epsilon":)", R"("axis":[1],"epsilon":)"), HasSubstr("along the axis 1"));
  EXPECT_THAT(complaint(R"("epsilon":)", R"("scale":false,"epsilon":)"),
              HasSubstr("weights that don't go with its scale"));
  const std::string pool = R"("name":"pool"})";
  const std::string after = pool + R"(},{"class_name":"ReLU","config":{"name":"late"})";
  EXPECT_THAT(complaint(pool, after), HasSubstr("late comes right behind the average"));
  const std::string reshape =
      pool + R"(},{"class_name":"Reshape","config":{"name":"r","target_shape":[2,51]})";
  EXPECT_THAT(complaint(pool, reshape), HasSubstr("r makes [2, 51] of a map of 1 x 1 x 102"));
}

// It stands with the input layer, with the first layer of a sequential model, or nowhere.
TEST(Keras, TheInputsShape) {
  const KerasModel keras = KerasModelOf(V1Options{.alpha = 0.1, .resolution = 64, .classes = 3});
  const auto read = [&](const std::string& shape) {
    std::string config = keras.config;
    const std::string name = R"("name":"conv1")";
    config.replace(config.find(name), name.size(), name + R"(,"batch_input_shape":)" + shape);
    return ToModel(FromKerasConfig("f", config, keras.weights));
  };
  EXPECT_EQ(V1Of(read("[null,64,96,3]")).resolution, Resolution(64, 96));
  const Model any = read("[null,null,null,3]");
  EXPECT_EQ(V1Of(any).resolution, Resolution(224));
  EXPECT_THAT(any.provenance.at("resolution"), HasSubstr("224 was assumed"));
  const auto complaint = [&](const char* shape) { return Complaint([&] { read(shape); }); };
  EXPECT_THAT(complaint("[null,64,null,3]"), HasSubstr("expected both sides or neither"));
  EXPECT_THAT(complaint("[null,4294967360,64,3]"), HasSubstr("the height 4294967360, expected a number"));
  EXPECT_THAT(complaint("[null,64,64,1]"), HasSubstr("has weights for 3 channels, but reads a map of 1"));
  EXPECT_THAT(complaint("[null,64,3]"), HasSubstr("expected images"));
}

TEST(Keras, WeightsMustBelongToOneLayer) {
  KerasModel keras = KerasModelOf(V1Options{.alpha = 0.1, .resolution = 64, .classes = 3});
  const auto layer = keras.weights.extract("conv1").mapped();
  const auto complaint = [&] {
    return Complaint([&] { ToModel(FromKerasConfig("f", keras.config, keras.weights)); });
  };
  keras.weights["conv1/old_name"] = layer;
  EXPECT_EQ(complaint(), "no error");
  keras.weights["conv1/other"] = layer;
  EXPECT_THAT(complaint(), HasSubstr("the layer conv1 has weights in several groups, such as conv1/other"));
}

TEST(Keras, WhatLayersReadMustBeThere) {
  const KerasModel keras =
      KerasModelOf(V2Options{.alpha = 0.1, .resolution = 64, .classes = 3}, KerasStyle::kFunctional2);
  const auto complaint = [&](const std::string& from, const std::string& to) {
    return ComplaintAbout(keras, from, to);
  };
  const std::string reads = R"("inbound_nodes":[[["conv1",0,0,{}]]])";
  EXPECT_THAT(complaint(reads, R"("inbound_nodes":[[["conv9",0,0,{}]]])"),
              HasSubstr("conv1_bn reads \"conv9\", which is no layer before it (BatchNormalization)"));
  EXPECT_THAT(complaint(reads, R"("inbound_nodes":[[["conv1",0,0,{}]],[["conv1",0,0,{}]]])"),
              HasSubstr("conv1_bn is used 2 times"));
  EXPECT_THAT(complaint(reads, R"("inbound_nodes":[[["conv1",1,0,{}]]])"),
              HasSubstr("first output of its only use"));
  EXPECT_THAT(complaint(reads, R"("inbound_nodes":[[["conv1",0,0,{}],["in",0,0,{}]]])"),
              HasSubstr("conv1_bn reads 2 maps, expected one"));
  EXPECT_THAT(complaint(reads, R"("inbound_nodes":[{"keras_history":7}])"), HasSubstr("reads no layer"));
  EXPECT_THAT(complaint(R"("output_layers":[[)", R"("output_layers":[["pool",0,0],[)"),
              HasSubstr("has 2 outputs"));
}

// A Rescaling layer is the preprocessing where it stands first, and nowhere else.
TEST(Keras, RescalingBelongsRightAfterTheInput) {
  const auto complaint = [](const std::string& layers) {
    return Complaint(
        [&] { ToModel(FromKerasConfig("f", "{\"config\":{\"layers\":[" + layers + "]}}", {})); });
  };
  const std::string rescaling = R"({"class_name":"Rescaling","config":{"name":"r","scale":0.1}})";
  const std::string zeros = R"({"class_name":"ZeroPadding2D","config":{"name":"z","padding":[[0,1],[0,1]]}})";
  EXPECT_THAT(complaint(rescaling), HasSubstr("has no layers that make its output"));
  EXPECT_THAT(complaint(zeros + "," + rescaling),
              HasSubstr("the layer r rescales values within the network"));
  EXPECT_THAT(complaint(rescaling + "," + rescaling), HasSubstr("has no layers that make its output"));
  EXPECT_THAT(complaint(R"({"class_name":"Rescaling","config":{"name":"r","scale":-1}})"),
              HasSubstr("expected a positive scale"));
}

// Written by h5py 3.16 under keras.applications' names, alpha 0.01, 5 classes:
// tests/data/make_keras_weights.py.
TEST(Import, KerasWeightsAloneInHdf5) {
  const Model model =
      Model::Load(std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "keras_weights.h5");
  EXPECT_EQ(V1Of(model), (V1Options{.alpha = 0.01, .classes = 5, .padding = PaddingStyle::kKeras}));
  const auto weight = model.weights.at("block13.pointwise.weight");
  EXPECT_EQ(weight.shape, (std::vector<std::int64_t>{10, 10}));
  // Values count up from the number of the tensor in the file, in hundredths.
  EXPECT_NEAR(weight.values[1] - weight.values[0], 0.01, 1e-5);
  EXPECT_EQ(model.weights.at("classifier.bias").values.size(), 5U);
}

// A group whose tree holds the same node many times over must end in an error, not in a long walk.
TEST(Damaged, Hdf5GroupsThatHoldThemselves) {
  std::vector<std::uint8_t> bytes =
      ReadFile(std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "keras_weights.h5");
  const std::string_view signature = "TREE";
  const auto tree =
      std::search(bytes.begin(), bytes.end(), signature.begin(), signature.end()) - bytes.begin();
  ASSERT_LT(tree, std::ssize(bytes));
  constexpr std::size_t kEntries = 60'000;
  // A larger tree at the end of the file: every entry is the old tree, one level below.
  std::vector<std::uint8_t> large(24 + 16 * kEntries + 8, 0);
  std::copy(signature.begin(), signature.end(), large.begin());
  large[5] = 9;
  large[6] = kEntries & 0xFF;
  large[7] = kEntries >> 8;
  for (std::size_t i = 0; i < kEntries; ++i) {
    for (std::size_t b = 0; b < 8; ++b)
      large[24 + 16 * i + 8 + b] = static_cast<std::uint8_t>(tree >> (8 * b));
  }
  const std::size_t where = bytes.size();
  bytes.insert(bytes.end(), large.begin(), large.end());
  // Whoever named the old tree names the new one.
  std::array<std::uint8_t, 8> old_address{};
  std::array<std::uint8_t, 8> new_address{};
  for (std::size_t b = 0; b < 8; ++b) {
    old_address[b] = static_cast<std::uint8_t>(tree >> (8 * b));
    new_address[b] = static_cast<std::uint8_t>(where >> (8 * b));
  }
  for (auto at = bytes.begin();
       (at = std::search(at, bytes.begin() + static_cast<std::ptrdiff_t>(where), old_address.begin(),
                         old_address.end())) < bytes.begin() + static_cast<std::ptrdiff_t>(where);) {
    at = std::copy(new_address.begin(), new_address.end(), at);
  }
  EXPECT_THAT(Complaint([&] { ReadKerasHdf5({bytes, "f"}); }), HasSubstr("no end"));
}

std::filesystem::path ModelPath(const char* name) { return SharedData() / "models" / name; }

TEST(Import, KerasNamedSafetensors) {
  MOBILENET_REQUIRE_DATA();
  const Model model = Model::Load(ModelPath("mobilenet_v1_0.25_224.safetensors"));
  EXPECT_EQ(V1Of(model), (V1Options{.alpha = 0.25, .padding = PaddingStyle::kKeras}));
  EXPECT_EQ(model.preprocessing, PreprocessingPreset("tensorflow"));
}

// What keras.applications gives for include_top=False.
TEST(Import, KerasWeightsWithoutAClassifier) {
  KerasWeights weights;
  const Network network = V1({.alpha = 0.25, .classes = 0});
  const Weights random = RandomWeights(network, 1);
  for (const Layer& layer : network.layers) {
    if (layer.kind == LayerKind::kGlobalAveragePool) continue;
    const bool depthwise = layer.kind == LayerKind::kDepthwise;
    const std::string number = layer.name == "conv1" ? "" : layer.name.substr(5, layer.name.find('.') - 5);
    const std::string name = number.empty() ? "conv1" : (depthwise ? "conv_dw_" : "conv_pw_") + number;
    Tensor kernel = random.at(layer.name + ".weight");
    if (depthwise) kernel.shape.push_back(1);
    if (layer.kind == LayerKind::kPointwise) kernel.shape.insert(kernel.shape.begin(), {1, 1});
    weights[name][depthwise ? "depthwise_kernel" : "kernel"] = kernel;
    for (const auto& [ours, theirs] :
         {std::pair("gamma", "gamma"), std::pair("beta", "beta"), std::pair("mean", "moving_mean"),
          std::pair("variance", "moving_variance")})
      weights[name + "_bn"][theirs] = random.at(layer.name + ".norm." + ours);
  }
  const Model model = ToModel(FromKerasNames("f", weights));
  EXPECT_EQ(V1Of(model), (V1Options{.alpha = 0.25, .classes = 0, .padding = PaddingStyle::kKeras}));
  EXPECT_THAT(model.provenance.at("padding"), HasSubstr("keras"));
  // A head behind it would be lost, since nothing says what it reads.
  weights["dense/dense"]["kernel"] = Tensor::Of({256, 5}, RandomValues(1280, 1));
  EXPECT_THAT(Complaint([&] { ToModel(FromKerasNames("f", weights)); }),
              HasSubstr("f: the weights dense/dense belong to no layer of keras.applications' MobileNet V1"));
}

TEST(Import, PublishedV1InFullSize) {
  MOBILENET_REQUIRE_DATA();
  const Model model = Model::Load(ModelPath("mobilenet_v1_1.0_224.safetensors"));
  EXPECT_EQ(V1Of(model), V1Options{.padding = PaddingStyle::kKeras});
  EXPECT_EQ(model.preprocessing, PreprocessingPreset("tensorflow"));
}

TEST(Import, TorchvisionsV2) {
  MOBILENET_REQUIRE_DATA();
  const Model model = Model::Load(ModelPath("mobilenet_v2_1.0_224_torchvision.safetensors"));
  EXPECT_EQ(model.network.recipe, Recipe(V2Options{.padding = PaddingStyle::kSymmetric, .epsilon = 1e-5F}));
  EXPECT_EQ(CostOf(model.network).params, 3'504'872);
  Preprocessing expected = PreprocessingPreset("pytorch");
  expected.shape = CropShape::kStretch;
  EXPECT_EQ(model.preprocessing, expected);
  EXPECT_THAT(model.provenance.at("preprocessing"), HasSubstr("assumed"));
  EXPECT_THAT(model.provenance.at("padding"), HasSubstr("known from torchvision's names"));
  EXPECT_THAT(model.provenance.at("resolution"), HasSubstr("assumed"));
}

TEST(Import, KerasHdf5AndTfliteOfTheSameNetworkAgree) {
  MOBILENET_REQUIRE_DATA();
  const Model keras = Model::Load(ModelPath("vww_96.h5"));
  const Model tflite = Model::Load(ModelPath("vww_96_float.tflite"));
  V1Options expected = {.alpha = 0.25, .resolution = 96, .classes = 2, .activation = Activation::kRelu};
  EXPECT_EQ(V1Of(keras), expected);
  expected.batch_norm = false;
  EXPECT_EQ(V1Of(tflite), expected);
  EXPECT_EQ(keras.preprocessing, PreprocessingPreset("unit"));
  EXPECT_EQ(tflite.preprocessing, PreprocessingPreset("unit"));

  Runner first{Plan(keras.network, keras.weights)};
  Runner second{Plan(tflite.network, tflite.weights)};
  const auto input = RandomValues(96 * 96 * 3, 1);
  std::vector<float> a(2);
  std::vector<float> b(2);
  ASSERT_TRUE(first.Run(input, a));
  ASSERT_TRUE(second.Run(input, b));
  EXPECT_NEAR(a[0], b[0], 1e-4);
  EXPECT_NEAR(a[1], b[1], 1e-4);
}

TEST(Import, RefusesQuantizedAndOtherNetworksByNamingWhy) {
  MOBILENET_REQUIRE_DATA();
  for (const char* name :
       {"mobilenet_v1_0.25_128_quant.tflite", "vww_96_int8.tflite", "mobilenet_v2_1.0_224_quant.tflite"}) {
    EXPECT_THAT(Complaint([&] { Model::Load(ModelPath(name)); }),
                testing::ContainsRegex("is a quantized TFLite file \\(u?int8\\), which is not read"));
  }
  const TemporaryDirectory directory;
  WriteSafetensors(directory.path() / "x", {}, {{"weight", Tensor::Of({1}, {1})}});
  EXPECT_THAT(Complaint([&] { Model::Load(directory.path() / "x"); }), HasSubstr("no conv1/kernel"));
  EXPECT_THAT(Complaint([&] { Model::Load(SharedData() / "images" / "photos" / "cat.bmp"); }),
              HasSubstr("cat.bmp: is a picture; expected safetensors"));
}

// Flips bytes, the first `header` ones all and some in places all over the file, and cuts it off: each
// `cut_step` bytes, and where nothing but numbers follow, from `numbers` on, at fewer places. Each time a
// clean error, or a model.
void Damage(const std::filesystem::path& path, std::size_t cut_step, std::size_t header,
            std::size_t numbers = SIZE_MAX) {
  const auto owner = std::make_shared<std::vector<std::uint8_t>>(ReadFile(path));
  std::vector<std::uint8_t>& bytes = *owner;
  const auto fails = [&](std::size_t size) {
    try {
      ParseModel({bytes.data(), size}, owner, "f");
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  for (std::size_t i = 0; i < bytes.size(); i += i < header ? 1 : bytes.size() / 300) {
    const std::uint8_t good = bytes[i];
    bytes[i] = static_cast<std::uint8_t>(good ^ (i < header ? 0xFF : 0x41));
    fails(bytes.size());
    bytes[i] = good;
  }
  for (std::size_t size = (bytes.size() - 1) / cut_step * cut_step;; size -= cut_step) {
    Forbid(bytes.data() + size, bytes.size() - size);
    if (size < numbers || size / cut_step % 50 == 0) {
      EXPECT_TRUE(fails(size)) << size;
    }
    if (size == 0) break;
  }
  Allow(bytes.data(), bytes.size());
}

TEST(Damaged, TfliteFiles) {
  MOBILENET_REQUIRE_DATA();
  Damage(ModelPath("vww_96_float.tflite"), 97, 1024);
}

TEST(Damaged, KerasSafetensors) {
  MOBILENET_REQUIRE_DATA();
  Damage(ModelPath("mobilenet_v1_0.25_224.safetensors"), 97, 2048, 65'536);
}

TEST(Damaged, Hdf5Files) {
  MOBILENET_REQUIRE_DATA();
  Damage(ModelPath("vww_96.h5"), 97, 2048);
}

}  // namespace
}  // namespace mobilenet
