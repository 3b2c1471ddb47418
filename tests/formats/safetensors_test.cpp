// Our own files: there and back, and every way in which one can be damaged.
#include "formats/safetensors.h"

#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "base/file.h"
#include "complaint.h"
#include "forbid.h"
#include "formats/model_file.h"
#include "gmock/gmock.h"
#include "mobilenet/error.h"
#include "random.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string FileOf(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

Safetensors Parse(const std::string& bytes) {
  auto owner = std::make_shared<const std::string>(bytes);
  return ParseSafetensors({reinterpret_cast<const std::uint8_t*>(owner->data()), owner->size()}, owner, "f");
}

std::string ComplaintOf(const std::string& header, const std::string& data = std::string(16, '\0')) {
  return Complaint([&] { std::ignore = Parse(FileOf(header, data)).Floats("a"); });
}

TEST(Safetensors, ReadsAlignedAndUnalignedTensors) {
  const float values[] = {1, 2, 3, 4};
  const std::string data(reinterpret_cast<const char*>(values), sizeof(values));
  for (const char* padding : {"", " ", "  ", "   "}) {
    const Safetensors file = Parse(
        FileOf(std::string(R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})") + padding, data));
    const Tensor tensor = file.Floats("a");
    EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 2}));
    EXPECT_THAT(tensor.values, testing::ElementsAre(1, 2, 3, 4));
  }
}

TEST(Safetensors, ComplaintsNameTheField) {
  EXPECT_THAT(ComplaintOf("[]"), HasSubstr("expected the length of a header and a brace"));
  EXPECT_THAT(ComplaintOf("{"), HasSubstr("not a JSON object"));
  EXPECT_THAT(ComplaintOf(R"({"a":1})"), HasSubstr("tensor a is 1"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F33","shape":[4],"data_offsets":[0,16]}})"),
              HasSubstr("unknown type F33"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":3,"shape":[4],"data_offsets":[0,16]}})"),
              HasSubstr("the dtype 3"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F32","shape":4,"data_offsets":[0,16]}})"),
              HasSubstr("the shape 4"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})"),
              HasSubstr("shape is -4"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F32","shape":[4.0],"data_offsets":[0,16]}})"),
              HasSubstr("shape is 4.0"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,17]}})"),
              HasSubstr("lies at 0 to 17"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[8,4]}})"),
              HasSubstr("lies at 8 to 4"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}})"),
              HasSubstr("16 bytes, expected 12"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]}})"),
              HasSubstr("larger than the file"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,16]}})"),
              HasSubstr("too large"));
  EXPECT_THAT(ComplaintOf(R"({"a":{"dtype":"I32","shape":[4],"data_offsets":[0,16]}})"),
              HasSubstr("type I32, expected F32"));
  EXPECT_THAT(ComplaintOf(R"({"b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})"),
              HasSubstr("a is missing"));
  EXPECT_THAT(ComplaintOf(R"({"__metadata__":{"k":1}})"), HasSubstr("__metadata__ k is 1"));
  EXPECT_THAT(Complaint([] { Parse("1234567"); }), HasSubstr("found a file that starts with \"1234567\""));
  EXPECT_THAT(Complaint([] { Parse(std::string(20, '\xFF')); }), HasSubstr("not a safetensors file"));
  EXPECT_THAT(Complaint([] { Parse(""); }), HasSubstr("found nothing"));
  std::string cut = FileOf(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", "");
  cut.resize(20);
  EXPECT_THAT(Complaint([&] { Parse(cut); }), HasSubstr("was cut off: its header takes"));
}

// From bytes, from a file that is read, and from one that is mapped: the same model, and only the last minds
// what becomes of the file.
TEST(ModelBytes, CanBeReadFromBytesAndWithoutAMapping) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "m";
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 2});
  const Model model = {network, RandomWeights(network, 1), {}, {"a", "b"}, {}};
  model.Save(file);
  std::vector<std::uint8_t> bytes = ReadFile(file);
  const Model parsed = Model::ParseSafetensors(bytes, "bytes");
  std::ranges::fill(bytes, 0);
  const Model read = Model::LoadSafetensors(file, {.mapped = false});
  std::filesystem::resize_file(file, 0);
  for (const Model* copy : {&parsed, &read}) {
    EXPECT_EQ(copy->labels, model.labels);
    for (const auto& [name, tensor] : model.weights)
      EXPECT_TRUE(std::ranges::equal(tensor.values, copy->weights.at(name).values)) << name;
  }
  EXPECT_THAT(Complaint([] { Model::ParseSafetensors({}, "bytes"); }),
              HasSubstr("bytes: is not a safetensors"));
  EXPECT_THAT(Complaint([&] { Model::LoadSafetensors(directory.path() / "none", {.mapped = false}); }),
              HasSubstr("none: can't be opened"));
}

TEST(Safetensors, BracketsWithoutEndAreRefusedNotFollowed) {
  const std::string deep(3'000'000, '[');
  EXPECT_THAT(ComplaintOf("{\"a\":" + deep + std::string(deep.size(), ']') + "}"),
              HasSubstr("not a JSON object"));
  EXPECT_THAT(ComplaintOf("{\"a\":" + deep), HasSubstr("not a JSON object"));
  // In texts brackets are letters.
  EXPECT_THAT(ComplaintOf("{\"" + deep + "\":1}"), HasSubstr("is 1, expected dtype"));
}

TEST(Safetensors, NumbersOf16BitsAreWidened) {
  // 1, -2, the smallest, the largest, 0.1, infinity
  const std::string halves("\x00\x3C\x00\xC0\x01\x00\xFF\x7B\x66\x2E\x00\x7C", 12);
  const Tensor half =
      Parse(FileOf(R"({"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}})", halves)).Floats("a");
  EXPECT_THAT(half.values, testing::ElementsAre(1, -2, 5.9604645e-8F, 65504, 0.099975586F,
                                                std::numeric_limits<float>::infinity()));
  const std::string brains("\x80\x3F\x00\xC0\xCD\x3D", 6);
  const Tensor brain =
      Parse(FileOf(R"({"a":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}})", brains)).Floats("a");
  EXPECT_THAT(brain.values, testing::ElementsAre(1, -2, 0.10009765625F));
}

class ModelFile : public testing::Test {
 protected:
  ModelFile() {
    model_.network = V1({.alpha = 0.03,
                         .resolution = 32,
                         .classes = 3,
                         .input_channels = 1,
                         .output_stride = 8,
                         .padding = PaddingStyle::kSymmetric,
                         .activation = Activation::kRelu,
                         .epsilon = 1e-5F});
    model_.weights = RandomWeights(model_.network, 1);
    model_.labels = {"Rose", "睡蓮", "quote \" and \\"};
    model_.preprocessing = PreprocessingPreset("pytorch");
    model_.preprocessing.filter = ResizeFilter::kBicubic;
    model_.provenance = {{"source", "here"}};
    model_.Save(path_);
  }

  // What loading says after `edit` changed the file's metadata.
  std::string ComplaintAfter(const std::function<void(std::map<std::string, std::string>&)>& edit) {
    Safetensors file = OpenSafetensors(path_);
    edit(file.metadata);
    WriteSafetensors(directory_.path() / "edited", file.metadata, model_.weights);
    return Complaint([&] { Model::LoadSafetensors(directory_.path() / "edited"); });
  }

  std::string ComplaintAfterField(const char* key, const char* field, const json& value) {
    return ComplaintAfter([&](auto& metadata) {
      json object = json::parse(metadata.at(key));
      object[field] = value;
      metadata[key] = object.dump();
    });
  }

  TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "model.safetensors";
  Model model_;
};

TEST_F(ModelFile, ThereAndBack) {
  const Model loaded = Model::LoadSafetensors(path_);
  EXPECT_EQ(loaded.network.recipe, model_.network.recipe);
  EXPECT_EQ(loaded.network.layers, model_.network.layers);
  EXPECT_EQ(loaded.labels, model_.labels);
  EXPECT_EQ(loaded.preprocessing, model_.preprocessing);
  EXPECT_EQ(loaded.provenance, model_.provenance);
  ASSERT_EQ(loaded.weights.size(), model_.weights.size());
  for (const auto& [name, tensor] : model_.weights) {
    EXPECT_EQ(loaded.weights.at(name).shape, tensor.shape);
    EXPECT_TRUE(std::ranges::equal(loaded.weights.at(name).values, tensor.values)) << name;
  }
}

TEST_F(ModelFile, KeepsWhatTheAnswersMean) {
  model_.answers = Answers::kSigmoid;
  model_.Save(path_);
  EXPECT_EQ(Model::LoadSafetensors(path_).answers, Answers::kSigmoid);
  EXPECT_THAT(ComplaintAfter([](auto& m) { m["answers"] = "\"cosine\""; }),
              HasSubstr("answers is \"cosine\", expected \"softmax\" or \"sigmoid\""));
  EXPECT_THAT(ComplaintAfter([](auto& m) { m["answers"] = "7"; }), HasSubstr("answers is 7"));
  EXPECT_THAT(ComplaintAfter([](auto& m) { m["answers"] = "{"; }), HasSubstr("expected \"softmax\""));
}

TEST_F(ModelFile, FilesThatDoNotSayMeanASoftmax) {
  EXPECT_EQ(Model::LoadSafetensors(path_).answers, Answers::kSoftmax);
  EXPECT_FALSE(OpenSafetensors(path_, false).metadata.contains("answers"));
}

TEST_F(ModelFile, OneSigmoidHasTwoLabels) {
  model_.network = V1({.alpha = 0.25, .resolution = 32, .classes = 1});
  model_.weights = RandomWeights(model_.network, 1);
  model_.labels = {"no", "yes"};
  EXPECT_THAT(Complaint([&] { model_.Save(path_); }), HasSubstr("2 labels, expected 1"));
  model_.answers = Answers::kSigmoid;
  model_.Save(path_);
  EXPECT_EQ(Model::LoadSafetensors(path_).labels, model_.labels);
  EXPECT_EQ(Model::LoadSafetensors(path_).classes(), 2);
}

TEST_F(ModelFile, KeepsKerassPaddingAndNetworksWithoutAClassifier) {
  model_.network = V1({.alpha = 0.25, .resolution = 50, .classes = 0, .padding = PaddingStyle::kKeras});
  model_.weights = RandomWeights(model_.network, 1);
  EXPECT_THAT(Complaint([&] { model_.Save(path_); }), HasSubstr("3 labels, expected 0"));
  model_.labels.clear();
  model_.Save(path_);
  const Model loaded = Model::LoadSafetensors(path_);
  EXPECT_EQ(loaded.network.recipe, model_.network.recipe);
  EXPECT_EQ(loaded.network.layers, model_.network.layers);
  EXPECT_EQ(loaded.classes(), 0);
}

TEST_F(ModelFile, TextThatIsNotUtf8) {
  model_.provenance = {{"command", "train caf\xe9"}};
  model_.Save(path_);
  EXPECT_EQ(Model::LoadSafetensors(path_).provenance.at("command"), "train caf\xEF\xBF\xBD");
  model_.labels[1] = "caf\xe9";
  EXPECT_THAT(Complaint([&] { model_.Save(path_); }), HasSubstr("the label \"caf\xe9\" is not UTF-8"));
}

TEST_F(ModelFile, SixteenBitsTakeHalfTheSpaceAndComeBackRounded) {
  const auto path = directory_.path() / "half";
  for (const Precision precision : {Precision::kBfloat16, Precision::kFloat16}) {
    const bool bf16 = precision == Precision::kBfloat16;
    model_.Save(path, precision);
    const Safetensors file = OpenSafetensors(path);
    const Model loaded = ReadModel(file);
    for (const auto& [name, tensor] : model_.weights) {
      SCOPED_TRACE(name);
      const bool mixes = name.ends_with(".weight") && name.find("depthwise") == std::string::npos;
      EXPECT_EQ(file.entries.at(name).type, !mixes ? "F32" : bf16 ? "BF16" : "F16");
      std::vector<float> expected(tensor.values.begin(), tensor.values.end());
      if (mixes) expected = bf16 ? RoundedToBf16(std::move(expected)) : RoundedToF16(std::move(expected));
      EXPECT_EQ(loaded.weights.at(name).shape, tensor.shape);
      EXPECT_TRUE(std::ranges::equal(loaded.weights.at(name).values, expected));
    }
  }
  EXPECT_THAT(Complaint([&] { model_.Save(path, Precision::kInt8); }),
              HasSubstr("expected float32, bfloat16 or float16"));
  const auto with = [&](float value) {
    Tensor& tensor = model_.weights["conv1.weight"];
    tensor = Tensor::Of(tensor.shape, std::vector<float>(tensor.values.size(), value));
  };
  with(std::numeric_limits<float>::max());
  EXPECT_THAT(Complaint([&] { model_.Save(path, Precision::kBfloat16); }), HasSubstr("conv1.weight"));
  with(-65505);
  EXPECT_THAT(Complaint([&] { model_.Save(path, Precision::kFloat16); }),
              HasSubstr("conv1.weight holds -65505, too large for float16"));
  model_.Save(path, Precision::kBfloat16);
}

TEST_F(ModelFile, DataBeginsOnACacheLineHoweverLongTheHeaderIs) {
  const auto data = Tensor::Of({1}, std::vector<float>{1});
  for (std::size_t more = 0; more < 64; ++more) {
    WriteSafetensors(path_, {{"text", std::string(more, 'x')}}, {{"a", data}});
    const auto bytes = ReadFile(path_);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    EXPECT_EQ((8 + length) % 64, 0U);
    EXPECT_EQ(OpenSafetensors(path_).metadata.at("text").size(), more);
  }
}

TEST_F(ModelFile, MetadataComesFirstWhateverTensorsAreCalled) {
  const auto data = Tensor::Of({1}, std::vector<float>{1});
  WriteSafetensors(path_, {{"text", "x"}}, {{"/a", data}, {"A", data}, {"0", data}});
  const auto bytes = ReadFile(path_);
  const std::string header(bytes.begin() + 8, bytes.end());
  EXPECT_THAT(header, testing::StartsWith("{\"__metadata__\":{\"text\":\"x\"},"));
  EXPECT_EQ(OpenSafetensors(path_).entries.size(), 3U);
}

TEST_F(ModelFile, MetadataIsChecked) {
  EXPECT_THAT(ComplaintAfter([](auto& m) { m.erase("format_version"); }), HasSubstr("no format_version"));
  EXPECT_THAT(ComplaintAfter([](auto& m) { m["format_version"] = "3"; }),
              HasSubstr("format_version 3, expected 1 or 2"));
  EXPECT_THAT(ComplaintAfter([](auto& m) { m.erase("network"); }), HasSubstr("metadata network is missing"));
  EXPECT_THAT(ComplaintAfter([](auto& m) { m["network"] = "{"; }), HasSubstr("network is not a JSON object"));
  EXPECT_THAT(ComplaintAfter([](auto& m) { m["labels"] = "[\"a\"]"; }), HasSubstr("1 labels, expected 3"));
  EXPECT_THAT(ComplaintAfter([](auto& m) { m["labels"] = "[1,2,3]"; }), HasSubstr("labels holds 1"));
  EXPECT_THAT(ComplaintAfter([](auto& m) { m["provenance"] = "7"; }), HasSubstr("provenance is not"));
  EXPECT_THAT(ComplaintAfterField("network", "input", 7), HasSubstr("input = 7, expected [height, width"));
  EXPECT_THAT(ComplaintAfterField("network", "layers", 7), HasSubstr("layers = 7, expected a list"));
  EXPECT_THAT(ComplaintAfterField("network", "layers", json::array()), HasSubstr("no layers"));
  EXPECT_THAT(ComplaintAfterField("network", "surprise", 1), HasSubstr("unknown field surprise"));
  EXPECT_THAT(ComplaintAfterField("preprocessing", "crop", 0), HasSubstr("preprocessing: crop of 0"));
  EXPECT_THAT(ComplaintAfterField("preprocessing", "mean", {1, 2}), HasSubstr("three finite numbers"));
  EXPECT_THAT(ComplaintAfterField("preprocessing", "mean", {1, 2, 1e300}), HasSubstr("three finite numbers"));
  EXPECT_THAT(ComplaintAfter([](auto&) {}), "no error");
}

TEST_F(ModelFile, EveryFieldOfLayersIsChecked) {
  const auto after = [&](const char* field, const json& value) {
    return ComplaintAfter([&](auto& metadata) {
      json network = json::parse(metadata.at("network"));
      network["layers"][1][field] = value;
      metadata["network"] = network.dump();
    });
  };
  EXPECT_THAT(after("kind", "x"), HasSubstr("network, layer 1 has kind = \"x\", expected convolution or"));
  EXPECT_THAT(after("activation", "gelu"), HasSubstr("expected none or relu or relu6"));
  EXPECT_THAT(after("kernel", "3"), HasSubstr("kernel = \"3\", expected a whole number"));
  EXPECT_THAT(after("kernel", 1e300), HasSubstr("expected a whole number"));
  EXPECT_THAT(after("kernel", 5), HasSubstr("layer block1.depthwise makes a map of"));
  EXPECT_THAT(after("batch_norm", 1), HasSubstr("expected true or false"));
  EXPECT_THAT(after("epsilon", "x"), HasSubstr("expected a number"));
  EXPECT_THAT(after("inputs", {1}), HasSubstr("reads layer 1, expected one of those before it"));
  EXPECT_THAT(after("inputs", 1), HasSubstr("expected a list of whole numbers"));
  EXPECT_THAT(after("padding", {1, 1}), HasSubstr("expected [top, bottom, left, right]"));
  EXPECT_THAT(after("output", {16, 16}), HasSubstr("expected [height, width, channels]"));
  EXPECT_THAT(after("name", 7), HasSubstr("expected text"));
  EXPECT_THAT(after("surprise", 1), HasSubstr("layer 1 has the unknown field surprise"));
  EXPECT_THAT(after("activation", "none"), HasSubstr("the recipe makes other layers"));
}

TEST_F(ModelFile, TheRecipeIsChecked) {
  const auto after = [&](const char* field, const json& value) {
    return ComplaintAfter([&](auto& metadata) {
      json network = json::parse(metadata.at("network"));
      network["recipe"][field] = value;
      metadata["network"] = network.dump();
    });
  };
  EXPECT_THAT(after("version", "v9"), HasSubstr("network, recipe has version = \"v9\", expected v1 or v2"));
  EXPECT_THAT(after("alpha", 7), HasSubstr("alpha is 7"));
  EXPECT_THAT(after("alpha", "1"), HasSubstr("alpha = \"1\", expected a number"));
  EXPECT_THAT(after("alpha", 0.5), HasSubstr("the recipe makes other layers"));
  EXPECT_THAT(after("resolution", {32}), HasSubstr("expected a whole number or [height, width]"));
  EXPECT_THAT(after("padding", "x"), HasSubstr("expected same or symmetric"));
  EXPECT_THAT(after("separable", 1), HasSubstr("expected true or false"));
  EXPECT_THAT(after("surprise", 1), HasSubstr("unknown field surprise"));
}

// Written before files had layers.
TEST_F(ModelFile, FormatOneIsStillRead) {
  const std::string network = json({{"version", "v1"},
                                    {"alpha", 0.03},
                                    {"resolution", 32},
                                    {"classes", 3},
                                    {"input_channels", 1},
                                    {"output_stride", 8},
                                    {"separable", true},
                                    {"shallow", false},
                                    {"padding", "symmetric"},
                                    {"activation", "relu"},
                                    {"batch_norm", true},
                                    {"epsilon", 1e-5}})
                                  .dump();
  const auto first = [&](const std::string& text) {
    return ComplaintAfter([&](auto& metadata) {
      metadata["format_version"] = "1";
      metadata["network"] = text;
    });
  };
  EXPECT_EQ(first(network), "no error");
  const Model loaded = Model::LoadSafetensors(directory_.path() / "edited");
  EXPECT_EQ(loaded.network.layers, model_.network.layers);
  EXPECT_EQ(loaded.network.recipe, model_.network.recipe);
  json other = json::parse(network);
  other["version"] = "v2";
  for (const char* field : {"separable", "shallow"}) other.erase(field);
  EXPECT_THAT(first(other.dump()), HasSubstr("is of version v2, expected v1 in a file of format 1"));
}

// What was made by hand comes back as it was made, without the name of what it no longer is.
TEST_F(ModelFile, ANetworkMadeByHandComesBackAsItIs) {
  Network& network = model_.network;
  network.layers[2].activation = Activation::kNone;
  network.layers[3].padding = {0, 2, 2, 0};
  network.layers.pop_back();  // no classifier
  Layer sum = network.layers.back();
  sum.name = "twice the average";
  sum.kind = LayerKind::kAdd;
  sum.inputs = {static_cast<int>(network.layers.size()) - 1, static_cast<int>(network.layers.size()) - 1};
  sum.input = sum.output;
  network.layers.push_back(sum);
  model_.weights = RandomWeights(network, 2);
  model_.labels.clear();
  model_.Save(path_);
  const Model loaded = Model::LoadSafetensors(path_);
  EXPECT_EQ(loaded.network.layers, network.layers);
  EXPECT_EQ(loaded.network.input, network.input);
  EXPECT_FALSE(loaded.network.recipe.has_value());
  EXPECT_EQ(VersionOf(loaded.network), "custom");
}

TEST_F(ModelFile, CutOffAnywhereIsAnError) {
  const auto bytes = std::make_shared<const std::vector<std::uint8_t>>(ReadFile(path_));
  std::uint64_t header = 0;
  std::memcpy(&header, bytes->data(), 8);
  for (std::size_t size = bytes->size(); size-- > 0;) {
    if (size > header + 8 && size % 97 != 0) continue;
    Forbid(bytes->data() + size, bytes->size() - size);
    EXPECT_THROW(ReadModel(ParseSafetensors({bytes->data(), size}, bytes, "f")), Error) << size;
  }
  Allow(bytes->data(), bytes->size());
}

// Flips the bytes [begin, end) of a file one by one, reads it, and returns how often that was an error.
int ErrorsOfFlips(const std::filesystem::path& path, std::size_t begin, std::size_t end) {
  const auto bytes = ReadFile(path);
  std::string text(bytes.begin(), bytes.end());
  int errors = 0;
  for (std::size_t i = begin; i < end; ++i) {
    text[i] = static_cast<char>(text[i] ^ 0x10);
    try {
      ReadModel(Parse(text));
    } catch (const Error&) {
      ++errors;
    }
    text[i] = static_cast<char>(text[i] ^ 0x10);
  }
  return errors;
}

// Few layers: the time goes with the square of the header's length.
TEST_F(ModelFile, AnyHeaderByteFlippedIsAnErrorOrAModel) {
  Network& network = model_.network;
  network.layers.resize(3);
  network.recipe.reset();
  model_.weights = RandomWeights(network, 1);
  model_.labels.clear();
  model_.Save(path_);
  std::uint64_t header = 0;
  std::memcpy(&header, ReadFile(path_).data(), 8);
  EXPECT_GT(ErrorsOfFlips(path_, 0, header + 8), static_cast<int>(header / 2));
}

TEST_F(ModelFile, AnyByteOfTheRecipeFlippedIsAnErrorOrAModel) {
  const auto bytes = ReadFile(path_);
  const std::string text(bytes.begin(), bytes.end());
  const std::size_t begin = text.find("recipe");
  const std::size_t end = text.find('}', begin);
  ASSERT_LT(end, text.size());
  EXPECT_GT(ErrorsOfFlips(path_, begin, end), static_cast<int>(end - begin) / 2);
}

TEST_F(ModelFile, RefusesToSaveWhatCouldNotBeLoaded) {
  Model bad = model_;
  bad.weights.erase("conv1.weight");
  EXPECT_THROW(bad.Save(directory_.path() / "bad"), Error);
  bad = model_;
  bad.labels[0] = "\xFF";
  EXPECT_THROW(bad.Save(directory_.path() / "bad"), Error);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "bad"));
}

TEST_F(ModelFile, SaveRefusesWhatLoadWould) {
  const auto complaint = [&](auto edit) {
    Model bad = model_;
    edit(bad);
    return Complaint([&] { bad.Save(directory_.path() / "bad"); });
  };
  EXPECT_THAT(complaint([](Model& m) { m.labels.pop_back(); }), HasSubstr("2 labels, expected 3"));
  EXPECT_THAT(complaint([](Model& m) { m.preprocessing.crop = 0; }),
              HasSubstr("can't be written: preprocessing: crop of 0"));
  EXPECT_THAT(complaint([](Model& m) { m.preprocessing.scale[1] = std::numeric_limits<float>::infinity(); }),
              HasSubstr("the scale of channel 1 is inf"));
  EXPECT_THAT(complaint([](Model& m) { m = {}; }), HasSubstr("no layers"));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "bad"));
}

TEST_F(ModelFile, LabelsFromAFile) {
  const auto path = directory_.path() / "labels";
  std::ofstream(path) << "background\na\r\nb, c\n";
  EXPECT_EQ(LoadLabels(path, 2), (std::vector<std::string>{"a", "b, c"}));
  EXPECT_EQ(LoadLabels(path, 3).front(), "background");
  EXPECT_THROW(LoadLabels(path, 5), Error);
  std::ofstream(path) << "\xEF\xBB\xBF"
                      << "Background\na\n\nb\n\n\n";
  EXPECT_EQ(LoadLabels(path, 3), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_THROW(LoadLabels(directory_.path(), 5), Error);
  EXPECT_THROW(LoadLabels(directory_.path() / "missing", 5), Error);
}

}  // namespace
}  // namespace mobilenet
