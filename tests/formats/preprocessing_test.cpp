// What a file's weights and layers tell of its preprocessing.
#include <cmath>
#include <filesystem>
#include <string>

#include "complaint.h"
#include "formats/fold_graph.h"
#include "formats/infer_preprocessing.h"
#include "formats/keras.h"
#include "gmock/gmock.h"
#include "random.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

Tensor VectorOf(std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return Tensor::Of({size}, std::move(values));
}

// A first layer whose batch norm has the statistics that pixels of this mean and deviation would have left,
// with the covariance of natural images reduced to that of a flat picture, which is close for filters as flat
// as these.
struct First {
  op::Convolution layer;
  op::Norm norm;

  First(float mean, float deviation) {
    constexpr int kFilters = 16;
    std::vector<float> weights = RandomValues(std::size_t{27} * kFilters, 9);
    const auto levels = RandomValues(kFilters, 3);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = levels[i % kFilters] + 0.02F * weights[i];
    layer.weight = Tensor::Of({3, 3, 3, kFilters}, weights);
    for (int n = 0; n < kFilters; ++n) {
      float sum = 0;
      for (int tap = 0; tap < 27; ++tap) sum += weights[tap * kFilters + n];
      norm.mean.push_back(mean * sum);
      norm.variance.push_back(deviation * deviation * sum * sum);
    }
  }

  [[nodiscard]] PreprocessingGuess Guess(const char* format, const Network& network) const {
    Graph graph;
    graph.format = format;
    FoldedGraph folded;
    folded.first = &layer;
    folded.first_norm = &norm;
    return GuessPreprocessing(graph, folded, network);
  }
};

TEST(PreprocessingGuess, FromTheFirstBatchNorm) {
  struct Case {
    const char* preset;
    float mean, deviation;
  };
  for (const Case& c : {Case{"tensorflow", -0.1F, 0.55F}, Case{"unit", 0.45F, 0.26F},
                        Case{"pytorch", 0.05F, 1.1F}, Case{"caffe", 3.0F, 65.0F}, Case{"raw", 110, 70}}) {
    for (const char* format : {"Keras HDF5", "TensorFlow Lite", "some other"}) {
      const PreprocessingGuess guess = First(c.mean, c.deviation).Guess(format, V1({.classes = 5}));
      EXPECT_EQ(guess.preprocessing, PreprocessingPreset(c.preset)) << format << ": " << guess.evidence;
      EXPECT_GE(guess.probability, 0.9) << format << ": " << c.preset;
      EXPECT_THAT(guess.evidence, HasSubstr("the first batch norm tells of pixels with a mean of"));
    }
  }
}

// What lies between two conventions is decided by how often files of a kind have each.
TEST(PreprocessingGuess, ByWhatFilesOfAKindUsuallyHave) {
  const First between(0.40F, 0.38F);
  const PreprocessingGuess published = between.Guess("Keras weights", V1());
  EXPECT_EQ(PresetName(published.preprocessing), "tensorflow") << published.evidence;
  const PreprocessingGuess own = between.Guess("Keras weights", V1({.classes = 5}));
  EXPECT_EQ(PresetName(own.preprocessing), "unit") << own.evidence;
  EXPECT_LT(own.probability, 0.9);
  EXPECT_THAT(own.evidence, HasSubstr("; next: "));
}

TEST(PreprocessingGuess, WhereNothingTells) {
  op::Convolution large;
  large.weight = Tensor::Of({64, 64, 3, 1}, std::vector<float>(64 * 64 * 3, 0.1F));
  op::Convolution zero;
  zero.weight = Tensor::Of({3, 3, 3, 2}, std::vector<float>(54));
  Graph graph;
  graph.format = "Keras HDF5";
  const op::Convolution* firsts[] = {nullptr, &large, &zero};
  for (const op::Convolution* first : firsts) {
    FoldedGraph folded;
    folded.first = first;
    const PreprocessingGuess guess = GuessPreprocessing(graph, folded, V1({.classes = 5}));
    EXPECT_EQ(PresetName(guess.preprocessing), "tensorflow");
    EXPECT_THAT(NoteOf(guess), HasSubstr("guessed, 50 %: the first layer doesn't tell; next: unit, 32 %"));
  }
}

// Weights without any meaning must not make numbers without any.
TEST(PreprocessingGuess, OfStatisticsThatNothingExplains) {
  for (const float extreme : {1e30F, 1e-30F, 0.0F, INFINITY, NAN}) {
    const PreprocessingGuess guess = First(extreme, extreme).Guess("Keras HDF5", V1());
    EXPECT_GE(guess.probability, 0);
    EXPECT_LE(guess.probability, 1);
  }
}

TEST(PreprocessingGuess, IsReadFromAModelsProvenance) {
  Model model;
  EXPECT_EQ(model.PreprocessingProbability(), std::nullopt);
  model.provenance["preprocessing"] = NoteOf({.preprocessing = {}, .probability = 0.637, .evidence = "x"});
  EXPECT_EQ(model.provenance["preprocessing"], "guessed, 63 %: x");
  EXPECT_EQ(model.PreprocessingProbability(), 0.63);
  for (const char* note :
       {"set by convert --preprocess unit", "guessed, ", "guessed, -4 %", "guessed, 4000 %: x"}) {
    model.provenance["preprocessing"] = note;
    EXPECT_EQ(model.PreprocessingProbability(), std::nullopt) << note;
  }
}

TEST(PreprocessingGuess, OfFilesWhoseAnswerIsKnown) {
  MOBILENET_REQUIRE_DATA();
  struct Case {
    const char* file;
    const char* preset;
  };
  for (const Case& c : {Case{"models/mobilenet_v1_0.25_224.safetensors", "tensorflow"},
                        Case{"models/mobilenet_v1_1.0_224.safetensors", "tensorflow"},
                        Case{"models/mobilenet_v2_1.0_224_torchvision.safetensors", "pytorch"},
                        Case{"models/vww_96.h5", "unit"}, Case{"models/vww_96_float.tflite", "unit"},
                        Case{"cases/onwhite_keras_names.safetensors", "tensorflow"},
                        Case{"cases/raw_keras_names.safetensors", "raw"}}) {
    const Model model = Model::Load(SharedData() / c.file);
    EXPECT_EQ(PresetName(model.preprocessing), c.preset) << c.file << model.provenance.at("preprocessing");
    EXPECT_GE(model.PreprocessingProbability(), 0.9) << c.file << model.provenance.at("preprocessing");
  }
}

// A network of one convolution, whose configuration begins with these layers; "LAST" is the name of the last.
Model KerasModel(const std::string& layers, const std::string& last, KerasWeights weights = {}) {
  weights["conv/conv"]["kernel"] = Tensor::Of({3, 3, 3, 4}, RandomValues(108, 1));
  weights["d/d"]["kernel"] = Tensor::Of({4, 2}, RandomValues(8, 2));
  weights["d/d"]["bias"] = VectorOf({0, 0});
  const std::string config =
      R"({"config":{"layers":[{"class_name":"InputLayer","config":{"name":"in","batch_shape":[null,16,16,3]},"inbound_nodes":[]},)" +
      layers +
      R"(,{"class_name":"Conv2D","config":{"name":"conv","strides":[1,1],"padding":"same","use_bias":false},"inbound_nodes":[[[")" +
      last +
      R"(",0,0,{}]]]},
      {"class_name":"GlobalAveragePooling2D","config":{"name":"p"},"inbound_nodes":[[["conv",0,0,{}]]]},
      {"class_name":"Dense","config":{"name":"d"},"inbound_nodes":[[["p",0,0,{}]]]}]}})";
  return ToModel(FromKerasConfig("f", config, weights));
}

void ExpectChannels(const std::array<float, 3>& found, std::array<float, 3> expected) {
  for (std::size_t c = 0; c < expected.size(); ++c)
    EXPECT_NEAR(found[c], expected[c], 1e-3F * (1 + std::abs(expected[c])));
}

// An operator of Keras 3's: of a map, and of what else it reads.
std::string Operator(const std::string& name, const std::string& kind, const std::string& from,
                     const std::string& argument) {
  return R"({"class_name":")" + kind + R"(","config":{"name":")" + name +
         R"("},"inbound_nodes":[{"args":[{"class_name":"__keras_tensor__","config":{"keras_history":[")" +
         from + R"(",0,0]}},)" + argument + R"(],"kwargs":{}}]})";
}

// keras.applications.mobilenet.preprocess_input within a functional model, as Keras 2 and 3 write it.
TEST(PreprocessingLayers, PreprocessInput) {
  const std::string keras2 =
      R"({"class_name":"TFOpLambda","config":{"name":"tf.math.truediv","function":"math.truediv"},"name":"tf.math.truediv","inbound_nodes":[["in",0,0,{"y":127.5,"name":null}]]},
         {"class_name":"TFOpLambda","config":{"name":"tf.math.subtract","function":"math.subtract"},"name":"tf.math.subtract","inbound_nodes":[["tf.math.truediv",0,0,{"y":1.0,"name":null}]]})";
  const std::string new_names =
      Operator("a", "TrueDivide", "in", "127.5") + "," + Operator("b", "Subtract", "a", "1.0");
  for (const Model& model : {KerasModel(keras2, "tf.math.subtract"), KerasModel(new_names, "b")}) {
    EXPECT_EQ(PresetName(model.preprocessing), "tensorflow");
    EXPECT_EQ(model.PreprocessingProbability(), std::nullopt);
    EXPECT_EQ(model.provenance.at("preprocessing"), "the file's own first layers");
  }
  // mode="torch": x / 255 - mean, over the deviation, arrays as Keras 3 writes them.
  const Model torch = KerasModel(
      Operator("a", "TrueDivide", "in", "255.0") + "," +
          Operator(
              "b", "Add", "a",
              R"({"class_name":"__tensor__","config":{"value":[[[[-0.485,-0.456,-0.406]]]],"dtype":"float32"}})") +
          "," +
          Operator("c", "TrueDivide", "b",
                   R"({"class_name":"__numpy__","config":{"value":[0.229,0.224,0.225],"dtype":"float32"}})"),
      "c");
  EXPECT_EQ(PresetName(torch.preprocessing), "pytorch");
  // x * 2 + 1, and what is no arithmetic with a constant.
  const Model other =
      KerasModel(Operator("a", "Multiply", "in", "2") + "," + Operator("b", "Add", "a", "1"), "b");
  ExpectChannels(other.preprocessing.scale, {2 / 255.0F, 2 / 255.0F, 2 / 255.0F});
  ExpectChannels(other.preprocessing.mean, {-127.5F, -127.5F, -127.5F});
  EXPECT_THAT(other.provenance.at("preprocessing"), HasSubstr("taken to be for pixels from 0 to 1"));
  // What changes nothing says nothing of the pixels' range.
  const Model same = KerasModel(Operator("a", "Multiply", "in", "1"), "a");
  ExpectChannels(same.preprocessing.scale, {1, 1, 1});
  ExpectChannels(same.preprocessing.mean, {0, 0, 0});
  EXPECT_THAT(Complaint([&] { KerasModel(Operator("a", "Multiply", "in", "\"x\""), "a"); }),
              HasSubstr("has the constant \"x\", expected one number"));
  EXPECT_THAT(Complaint([&] { KerasModel(Operator("a", "TrueDivide", "in", "0"), "a"); }),
              HasSubstr("expected a positive scale"));
  EXPECT_THAT(
      Complaint([&] {
        KerasModel(
            R"({"class_name":"TFOpLambda","config":{"name":"t","function":"math.tanh"},"inbound_nodes":[["in",0,0,{"y":1}]]})",
            "t");
      }),
      HasSubstr("calls math.tanh, which is not read"));
}

std::string Slice(const std::string& name, const std::string& indices) {
  return Operator(name, "GetItem", "in", indices);
}

constexpr const char* kAll = R"({"class_name":"__slice__","config":{"start":null,"stop":null,"step":null}})";
constexpr const char* kBackwards =
    R"({"class_name":"__slice__","config":{"start":null,"stop":null,"step":-1}})";
constexpr const char* kEllipsis = R"({"class_name":"__ellipsis__","config":{}})";

std::string List(std::initializer_list<std::string> items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "[" : ",") + item;
  return text + "]";
}

std::string StackOf(std::initializer_list<std::string> names, const std::string& axis = "-1") {
  std::string maps;
  for (const std::string& name : names)
    maps += (maps.empty() ? "" : ",") +
            (R"({"class_name":"__keras_tensor__","config":{"keras_history":[")" + name) + R"(",0,0]}})";
  return R"({"class_name":"Stack","config":{"name":"stack","axis":)" + axis +
         R"(},"inbound_nodes":[{"args":[[)" + maps + R"(]],"kwargs":{}}]})";
}

void ExpectCaffe(const Model& model) {
  EXPECT_EQ(PresetName(model.preprocessing), "caffe");
  EXPECT_THAT(model.provenance.at("preprocessing"), HasSubstr("the file's own first layers make BGR of RGB"));
}

// x[..., ::-1] - mean, as tutorials and keras.applications' preprocess_input of Caffe's networks write it.
TEST(PreprocessingLayers, ChannelsTheOtherWayRound) {
  const std::string mean = R"({"class_name":"__numpy__","config":{"value":[103.939,116.779,123.68]}})";
  const std::string subtract = "," + Operator("s", "Subtract", "bgr", mean);
  ExpectCaffe(KerasModel(Slice("bgr", List({kEllipsis, kBackwards})) + subtract, "s"));
  ExpectCaffe(KerasModel(Slice("bgr", List({kAll, kAll, kAll, kBackwards})) + subtract, "s"));
  ExpectCaffe(KerasModel(
      R"({"class_name":"SlicingOpLambda","config":{"name":"bgr","function":"__operators__.getitem"},"inbound_nodes":[["in",0,0,{"slice_spec":[{"class_name":"__ellipsis__"},{"start":null,"stop":null,"step":-1}]}]]},
         {"class_name":"TFOpLambda","config":{"name":"s","function":"nn.bias_add"},"inbound_nodes":[["bgr",0,0,{"bias":[-103.939,-116.779,-123.68],"data_format":"channels_last"}]]})",
      "s"));
  // The mean first, in the order of RGB.
  const std::string rgb = R"({"class_name":"__numpy__","config":{"value":[123.68,116.779,103.939]}})";
  const std::string turned = Operator("t", "GetItem", "s", List({kEllipsis, kBackwards}));
  ExpectCaffe(KerasModel(Operator("s", "Subtract", "in", rgb) + "," + turned, "t"));
  // Twice is not at all.
  const Model twice = KerasModel(Slice("a", List({kEllipsis, kBackwards})) + "," +
                                     Operator("b", "GetItem", "a", List({kEllipsis, kBackwards})) + "," +
                                     Operator("c", "TrueDivide", "b", "255.0"),
                                 "c");
  EXPECT_EQ(PresetName(twice.preprocessing), "unit");
}

// As Keras 3's own preprocess_input does it.
TEST(PreprocessingLayers, ChannelsOneByOne) {
  const auto slices = [](const std::string& a, const std::string& b, const std::string& c) {
    return Slice("a", List({kEllipsis, a})) + "," + Slice("b", List({kEllipsis, b})) + "," +
           Slice("c", List({kEllipsis, c})) + ",";
  };
  const std::string add =
      "," + Operator("s", "Add", "stack",
                     R"({"class_name":"__tensor__","config":{"value":[[[[-103.939,-116.779,-123.68]]]]}})");
  ExpectCaffe(KerasModel(slices("2", "1", "0") + StackOf({"a", "b", "c"}) + add, "s"));
  EXPECT_EQ(KerasModel(slices("0", "1", "2") + StackOf({"a", "b", "c"}) + add, "s").preprocessing.order,
            ChannelOrder::kRgb);
  const auto complaint = [](const std::string& layers, const std::string& output) {
    return Complaint([&] { KerasModel(layers, output); });
  };
  EXPECT_THAT(complaint(slices("2", "0", "1") + StackOf({"a", "b", "c"}), "stack"),
              HasSubstr("the layer stack puts maps together, expected the three channels of one"));
  EXPECT_THAT(complaint(slices("2", "1", "0") + StackOf({"a", "b"}), "stack"),
              HasSubstr("puts maps together"));
  EXPECT_THAT(complaint(slices("2", "1", "0") + StackOf({"a", "b", "c"}, "1"), "stack"),
              HasSubstr("puts maps together"));
  EXPECT_THAT(complaint(Slice("a", List({kEllipsis, "1"})), "a"),
              HasSubstr("reads one channel of a map alone, expected all"));
}

TEST(PreprocessingLayers, OtherSlicesAreRefused) {
  for (const std::string& indices :
       {List({kAll, kBackwards}), List({kEllipsis, "3"}), List({kEllipsis, "-1"}),
        List({kBackwards, kEllipsis}), List({kBackwards, kAll, kAll, kAll}), List({kEllipsis, kEllipsis}),
        List({kAll, kAll, kBackwards}),
        List({kEllipsis, R"({"class_name":"__slice__","config":{"start":1,"stop":null,"step":-1}})"}),
        std::string("1"), std::string("[]")}) {
    EXPECT_THAT(Complaint([&] { KerasModel(Slice("a", indices), "a"); }),
                HasSubstr("the layer a takes a part of a map, expected all channels"))
        << indices;
  }
}

TEST(PreprocessingLayers, NormalizationByItsWeightsOrItsConfiguration) {
  const auto layer = [](const std::string& numbers) {
    return R"({"class_name":"Normalization","config":{"name":"n","axis":[-1],)" + numbers +
           R"(},"inbound_nodes":[[["in",0,0,{}]]]})";
  };
  KerasWeights weights;
  weights["n/n"]["mean"] = VectorOf({120, 110, 100});
  weights["n/n"]["variance"] = VectorOf({3600, 2500, 1600});
  for (const Model& model :
       {KerasModel(layer(R"("mean":null,"variance":null)"), "n", weights),
        KerasModel(layer(R"("mean":[120.0,110.0,100.0],"variance":[[[[3600.0,2500.0,1600.0]]]])"), "n")}) {
    ExpectChannels(model.preprocessing.mean, {120, 110, 100});
    ExpectChannels(model.preprocessing.scale, {1 / 60.0F, 1 / 50.0F, 1 / 40.0F});
  }
  EXPECT_THAT(Complaint([&] { KerasModel(layer(R"("mean":[1,2],"variance":[1,2])"), "n"); }),
              HasSubstr("expected one number, or one for each of three channels"));
  EXPECT_THAT(Complaint([&] { KerasModel(layer(R"("mean":null)"), "n"); }),
              HasSubstr("the layer n is missing"));
}

TEST(PreprocessingLayers, RescalingByChannel) {
  const Model model = KerasModel(
      R"({"class_name":"Rescaling","config":{"name":"r","scale":[0.01,0.02,0.04],"offset":[-1.0,0.0,0.5]},"inbound_nodes":[[["in",0,0,{}]]]})",
      "r");
  ExpectChannels(model.preprocessing.scale, {0.01F, 0.02F, 0.04F});
  ExpectChannels(model.preprocessing.mean, {100, 0, -12.5F});
}

}  // namespace
}  // namespace mobilenet
