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
#include "formats/load.h"
#include "formats/sequence.h"
#include "formats/tflite.h"
#include "gmock/gmock.h"
#include "mobilenet/runtime.h"
#include "random.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

// A chain as an importer would deliver it, for a network of ours.
V1Options V1Of(const Model& model) { return std::get<V1Options>(*model.network.recipe); }

ImportedNetwork ChainOf(const V1Options& options) {
  const Network network = V1(options);
  ImportedNetwork chain;
  chain.file = "f";
  chain.format = "test";
  chain.resolution = options.resolution;
  const Weights weights = RandomWeights(network, 1);
  for (const Layer& layer : network.layers) {
    if (layer.kind == LayerKind::kGlobalAveragePool) continue;
    ImportedLayer item;
    item.name = layer.name;
    item.kind = layer.kind;
    item.weight = weights.at(layer.name + ".weight");
    const auto channels = static_cast<std::size_t>(layer.output.channels);
    if (layer.batch_norm) {
      item.norm =
          ImportedNorm{std::vector<float>(channels, 1), std::vector<float>(channels, 0),
                       std::vector<float>(channels, 0), std::vector<float>(channels, 1), layer.epsilon};
    }
    if (layer.kind != LayerKind::kFullyConnected) {
      item.stride = layer.stride;
      item.padding = options.padding;
      item.activation = layer.activation;
    }
    chain.layers.push_back(std::move(item));
  }
  return chain;
}

void ExpectRecognised(const V1Options& options) {
  const Model model = Recognise(ChainOf(options));
  const V1Options found = V1Of(model);
  EXPECT_NEAR(found.alpha, options.alpha, 1e-3);
  V1Options expected = options;
  expected.alpha = found.alpha;
  EXPECT_EQ(found, expected);
  EXPECT_EQ(V1(options).layers[10].output, model.network.layers[10].output);
}

TEST(Recognise, WorksOutEveryOption) {
  ExpectRecognised({});
  ExpectRecognised({.alpha = 0.25, .resolution = 128, .classes = 10});
  ExpectRecognised({.alpha = 0.35, .resolution = 96, .classes = 2, .input_channels = 1, .output_stride = 8});
  ExpectRecognised({.alpha = 0.5, .padding = PaddingStyle::kSymmetric, .activation = Activation::kRelu});
  ExpectRecognised({.alpha = 0.123, .batch_norm = false});
  ExpectRecognised({.alpha = 0.25, .classes = 5, .separable = false, .epsilon = 1e-5F});
}

TEST(Recognise, FindsTheRoundAlpha) {
  for (const double alpha : {1.0, 0.75, 0.5, 0.25, 0.35, 0.1, 0.6}) {
    EXPECT_EQ(V1Of(Recognise(ChainOf({.alpha = alpha}))).alpha, alpha);
  }
}

TEST(Recognise, MovesABiasBehindABatchNorm) {
  ImportedNetwork chain = ChainOf({.alpha = 0.25});
  chain.layers[0].bias = {1, 2, 3, 4, 5, 6, 7, 8};
  const Model model = Recognise(chain);
  EXPECT_EQ(model.weights.at("conv1.norm.mean").values[2], -3);
}

TEST(Recognise, NamesTheFirstLayerThatDoesNotFit) {
  const auto complaint = [](auto edit) {
    ImportedNetwork chain = ChainOf({.alpha = 0.25});
    edit(chain);
    return Complaint([&] { Recognise(chain); });
  };
  EXPECT_THAT(complaint([](auto& c) { c.layers.pop_back(); }), HasSubstr("27 layers"));
  EXPECT_THAT(complaint([](auto& c) { std::swap(c.layers[3], c.layers[4]); }),
              HasSubstr("layer block2.pointwise is a pointwise [16, 32], expected a 3 x 3 depthwise"));
  EXPECT_THAT(complaint([](auto& c) {
                c.layers[1].weight = Tensor::Of({5, 5, 8}, std::vector<float>(200));
              }),
              HasSubstr("block1.depthwise is a depthwise [5, 5, 8]"));
  EXPECT_THAT(complaint([](auto& c) {
                c.layers[2].weight = Tensor::Of({8, 20}, std::vector<float>(160));
              }),
              HasSubstr("under no alpha"));
  EXPECT_THAT(complaint([](auto& c) { c.layers[5].stride = 2; }), HasSubstr("strides"));
  EXPECT_THAT(complaint([](auto& c) { c.layers[5].activation = Activation::kRelu; }),
              HasSubstr("another activation"));
  EXPECT_THAT(complaint([](auto& c) { c.layers[5].norm.reset(); }), HasSubstr("batch norm (some"));
  EXPECT_THAT(complaint([](auto& c) { c.layers[5].norm->gamma.pop_back(); }),
              HasSubstr("norm.gamma has the shape"));
}

TEST(InferPreprocessing, FromTheFirstBatchNorm) {
  // Statistics that pixels of a given mean and deviation would have left, with the covariance of natural
  // images reduced to that of a flat picture, which is close.
  struct Case {
    const char* preset;
    float mean, deviation;
  };
  for (const Case& c : {Case{"tensorflow", -0.1F, 0.55F}, Case{"unit", 0.45F, 0.26F},
                        Case{"pytorch", 0.05F, 1.1F}, Case{"caffe", 3.0F, 65.0F}}) {
    ImportedLayer layer;
    const auto weights = RandomValues(3 * 3 * 3 * 16, 9);
    layer.weight = Tensor::Of({3, 3, 3, 16}, weights);
    layer.norm.emplace();
    for (int n = 0; n < 16; ++n) {
      float sum = 0;
      for (int tap = 0; tap < 27; ++tap) sum += weights[tap * 16 + n];
      layer.norm->mean.push_back(c.mean * sum);
      layer.norm->variance.push_back(c.deviation * c.deviation * sum * sum);
    }
    std::string evidence;
    EXPECT_EQ(PresetName(InferPreprocessing(layer, evidence)), c.preset) << evidence;
    EXPECT_THAT(evidence, HasSubstr("inferred"));
  }
}

TEST(Keras, ConfigurationsThatAreRefused) {
  const auto complaint = [](const std::string& config) {
    return Complaint([&] { FromKerasConfig("f", config, {}); });
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
      HasSubstr("before the first convolution"));
}

// A Rescaling layer is the preprocessing where it stands first, and nowhere else.
// A whole V1 as Keras configures it, and its weights.
struct KerasModel {
  std::string config;
  KerasWeights weights;
};

KerasModel KerasModelOf(const V1Options& options) {
  KerasModel keras;
  std::string layers;
  const auto add = [&](const char* kind, const std::string& name, const std::string& more) {
    layers += Concat(layers.empty() ? "" : ",", R"({"class_name":")", kind, R"(","config":{"name":")", name,
                     "\"", more.empty() ? "" : ",", more, "}}");
  };
  const auto tensor = [](std::vector<std::int64_t> shape, float value) {
    std::size_t size = 1;
    for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
    return Tensor::Of(std::move(shape), std::vector<float>(size, value));
  };
  for (const Layer& layer : V1(options).layers) {
    const std::int64_t in = layer.input.channels;
    const std::int64_t out = layer.output.channels;
    if (layer.kind == LayerKind::kGlobalAveragePool) {
      add("GlobalAveragePooling2D", layer.name, "");
      continue;
    }
    if (layer.kind == LayerKind::kFullyConnected) {
      add("Dense", layer.name, R"("activation":"softmax")");
      keras.weights[layer.name] = {{"kernel", tensor({in, out}, 0.1F)}, {"bias", tensor({out}, 0)}};
      continue;
    }
    const bool depthwise = layer.kind == LayerKind::kDepthwise;
    const std::int64_t k = layer.kernel;
    add(depthwise ? "DepthwiseConv2D" : "Conv2D", layer.name,
        Concat(R"("padding":"same","strides":[)", layer.stride, ",", layer.stride, "]"));
    keras.weights[layer.name] = {depthwise ? std::pair("depthwise_kernel", tensor({k, k, in, 1}, 0.1F))
                                           : std::pair("kernel", tensor({k, k, in, out}, 0.1F))};
    add("BatchNormalization", layer.name + "_bn", Concat(R"("epsilon":)", options.epsilon));
    keras.weights[layer.name + "_bn"] = {{"gamma", tensor({out}, 1)},
                                         {"beta", tensor({out}, 0)},
                                         {"moving_mean", tensor({out}, 0)},
                                         {"moving_variance", tensor({out}, 1)}};
    add("ReLU", layer.name + "_relu", R"("max_value":6)");
  }
  keras.config = "{\"config\":{\"layers\":[" + layers + "]}}";
  return keras;
}

TEST(Keras, TheEpsilonIsThatOfTheFile) {
  for (const float epsilon : {1e-3F, 1e-5F, 0.01F}) {
    const KerasModel keras = KerasModelOf({.alpha = 0.1, .classes = 3, .epsilon = epsilon});
    const Model model = Recognise(FromKerasConfig("f", keras.config, keras.weights));
    EXPECT_EQ(V1Of(model).epsilon, epsilon);
    EXPECT_EQ(model.network.layers.front().epsilon, epsilon);
    EXPECT_EQ(V1Of(model).activation, Activation::kRelu6);
    EXPECT_EQ(V1Of(model).classes, 3);
  }
}

TEST(Keras, RescalingBelongsRightAfterTheInput) {
  const auto complaint = [](const std::string& layers) {
    return Complaint([&] { FromKerasConfig("f", "{\"config\":{\"layers\":[" + layers + "]}}", {}); });
  };
  const std::string rescaling = R"({"class_name":"Rescaling","config":{"name":"r","scale":0.1}})";
  const std::string zeros = R"({"class_name":"ZeroPadding2D","config":{"name":"z","padding":[[0,1],[0,1]]}})";
  EXPECT_THAT(complaint(rescaling), HasSubstr("has no classifier"));
  EXPECT_THAT(complaint(zeros + "," + rescaling),
              HasSubstr("the layer r rescales values within the network"));
  EXPECT_THAT(complaint(rescaling + "," + rescaling), HasSubstr("the layer r rescales"));
}

TEST(ChainCheck, FollowsPaddingPoolingAndTheHead) {
  const auto complaint = [](auto steps) {
    return Complaint([&] {
      ChainCheck chain("f");
      chain.SetInput(144);
      steps(chain);
    });
  };
  EXPECT_EQ(complaint([](ChainCheck& c) {
              EXPECT_EQ(c.Convolution("a", 3, 2, true), PaddingStyle::kSame);
              c.Zeros("z", 0, 1);  // keras.applications, on an even map of 72
              EXPECT_EQ(c.Convolution("b", 3, 2, false), PaddingStyle::kSame);
              c.Zeros("z", 1, 1);  // PyTorch's
              EXPECT_EQ(c.Convolution("c", 3, 1, false), PaddingStyle::kSymmetric);
              c.Pointwise("d");
              c.Average("e", 36);
              c.Pointwise("f");
              c.Softmax("g");
              c.End();
            }),
            "no error");
  EXPECT_THAT(complaint([](ChainCheck& c) {
                for (int i = 0; i < 4; ++i) c.Convolution("a", 3, 2, true);  // 9 pixels a side are left
                c.Zeros("z", 0, 1);
                c.Convolution("odd", 3, 2, false);
              }),
              HasSubstr("layer odd pads a map of 9 x 9"));
  EXPECT_THAT(complaint([](ChainCheck& c) { c.Convolution("bare", 3, 1, false); }),
              HasSubstr("padded with 0 and 0"));
  EXPECT_THAT(complaint([](ChainCheck& c) { c.Average("small", 3); }), HasSubstr("averages over 3 x 3"));
  EXPECT_THAT(complaint([](ChainCheck& c) {
                c.Average("pool", 0);
                c.Convolution("late", 3, 1, true);
              }),
              HasSubstr("late comes after the average"));
  EXPECT_THAT(complaint([](ChainCheck& c) { c.Classifier("flat"); }), HasSubstr("not averaged"));
  EXPECT_THAT(complaint([](ChainCheck& c) { c.Softmax("early"); }),
              HasSubstr("softmax in the network's midst"));
  EXPECT_THAT(complaint([](ChainCheck& c) { c.End(); }), HasSubstr("no classifier"));
  EXPECT_THAT(complaint([](ChainCheck& c) { c.Convolution("still", 3, 0, true); }),
              HasSubstr("the stride 0"));
  EXPECT_THAT(complaint([](ChainCheck& c) { c.Zeros("vast", 0, 2'000'000'000); }),
              HasSubstr("vast puts 0 and 2000000000"));
  EXPECT_THAT(complaint([](ChainCheck& c) { c.SetInput(2'000'000'000); }),
              HasSubstr("2000000000 pixels a side"));
}

// Written by h5py 3.16 under keras.applications' names, alpha 0.01, 5 classes:
// tests/data/make_keras_weights.py.
TEST(Import, KerasWeightsAloneInHdf5) {
  const Model model =
      Model::Load(std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "keras_weights.h5");
  EXPECT_EQ(V1Of(model), (V1Options{.alpha = 0.01, .classes = 5}));
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
  EXPECT_THAT(Complaint([&] { ReadKerasHdf5(bytes, "f"); }), HasSubstr("no end"));
}

std::filesystem::path ModelPath(const char* name) { return SharedData() / "models" / name; }

TEST(Import, KerasNamedSafetensors) {
  MOBILENET_REQUIRE_DATA();
  const Model model = Model::Load(ModelPath("mobilenet_v1_0.25_224.safetensors"));
  EXPECT_EQ(V1Of(model), (V1Options{.alpha = 0.25}));
  EXPECT_EQ(model.preprocessing, PreprocessingPreset("tensorflow"));
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
    EXPECT_THAT(Complaint([&] { Model::Load(ModelPath(name)); }), HasSubstr("quantized"));
  }
  EXPECT_THAT(Complaint([&] { Model::Load(ModelPath("mobilenet_v2_1.0_224_torchvision.safetensors")); }),
              HasSubstr("no conv1/kernel"));
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
