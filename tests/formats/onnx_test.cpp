// ONNX files as wholes: what is refused, weights beside them, damage, and what we write ourselves.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "as_onnx.h"
#include "base/fail.h"
#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "runtime/reference_run.h"
#include "shared_data.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Nodes = std::vector<onnx::Node>;

Model SmallModel() { return RandomModel(V1Options{.alpha = 0.1, .resolution = 32, .classes = 3}); }

// The file of a small network in which each node of a type is changed.
onnx::Model Changed(const std::string& type, const std::function<void(onnx::Node&)>& change) {
  onnx::Model file = OnnxFileOf(SmallModel());
  Replace(file, type, [&](onnx::Node node) {
    change(node);
    return Nodes{node};
  });
  return file;
}

std::string ComplaintAboutChanged(const std::string& type, const std::function<void(onnx::Node&)>& change) {
  return ComplaintAbout(Changed(type, change));
}

TEST(Onnx, OperatorsThatAreNotReadAreNamed) {
  for (const char* type : {"Elu", "LeakyRelu", "ConvTranspose", "Resize"}) {
    EXPECT_EQ(ComplaintAboutChanged("Clip", [&](onnx::Node& node) { node.set_op_type(type); }),
              Concat("f: the node conv1/relu6 is none that is read (", type, ")"));
  }
  for (const char* type : {"QLinearConv", "QuantizeLinear", "DequantizeLinear", "ConvInteger"}) {
    EXPECT_EQ(ComplaintAboutChanged("Conv", [&](onnx::Node& node) { node.set_op_type(type); }),
              Concat("f: the node conv1 is none that is read: the network is quantized (", type, ")"));
  }
  EXPECT_THAT(ComplaintAboutChanged("Conv", [](onnx::Node& node) { node.set_domain("com.microsoft"); }),
              HasSubstr("the node conv1 is an operator of com.microsoft, expected ONNX's own (Conv)"));
  EXPECT_THAT(ComplaintAboutChanged("Conv",
                                    [](onnx::Node& node) {
                                      node.set_op_type("If");
                                      node.clear_name();
                                    }),
              HasSubstr("f: node 0 is none that is read (If)"));
}

TEST(Onnx, ConvolutionsThatAreNotOursAreRefused) {
  const auto complaint = [](const std::function<void(onnx::Node&)>& change) {
    return ComplaintAboutChanged("Conv", change);
  };
  EXPECT_THAT(complaint([](auto& node) { SetInt(node, "group", 2); }),
              HasSubstr("the node conv1 has 2 groups"));
  EXPECT_THAT(complaint([](auto& node) {
                SetInts(node, "dilations", {2, 2});
              }),
              HasSubstr("has the dilation 2"));
  EXPECT_THAT(complaint([](auto& node) {
                SetInts(node, "strides", {2, 0});
              }),
              HasSubstr("has the strides [2, 0], expected two from 1"));
  EXPECT_THAT(complaint([](auto& node) {
                SetInts(node, "strides", {0, 0});
              }),
              HasSubstr("has the strides [0, 0]"));
  EXPECT_THAT(complaint([](auto& node) {
                SetInts(node, "pads", {0, -1, 0, 0});
              }),
              HasSubstr("has the pads [0, -1, 0, 0]"));
  EXPECT_THAT(complaint([](auto& node) {
                SetInts(node, "kernel_shape", {5, 5});
              }),
              HasSubstr("has the kernel_shape [5, 5], but a weight of [3, 3]"));
  EXPECT_THAT(complaint([](auto& node) { SetText(node, "auto_pad", "SAME"); }),
              HasSubstr("has the auto_pad SAME"));
  EXPECT_THAT(complaint([](auto& node) { node.set_input(1, "nothing"); }),
              HasSubstr("the node conv1 reads nothing, which nothing before it writes (Conv)"));
  EXPECT_THAT(complaint([](auto& node) { node.set_input(1, "input"); }),
              HasSubstr("reads a map as its input 1, expected a constant"));
  EXPECT_THAT(complaint([](auto& node) {
                node.mutable_input()->RemoveLast();
                node.mutable_input()->RemoveLast();
              }),
              HasSubstr("lacks its input 1"));
}

TEST(Onnx, WhatWouldChangeTheAnswersIsRefused) {
  EXPECT_THAT(ComplaintAboutChanged("Gemm", [](auto& node) { SetInt(node, "transA", 1); }),
              HasSubstr("not transposed"));
  EXPECT_THAT(ComplaintAboutChanged("Flatten", [](auto& node) { SetInt(node, "axis", 2); }),
              HasSubstr("flattens from the axis 2 on"));
  onnx::Model file = OnnxFileOf(SmallModel());
  TensorNamed(file, "high").set_raw_data(std::string("\0\0\x80\x40", 4));
  EXPECT_THAT(ComplaintAbout(file), HasSubstr("clips at 0 and 4, expected 0, or 0 and 6 (Clip)"));

  const auto behind_the_first =
      [](const std::function<Nodes(const std::string&, const std::string&)>& nodes) {
        onnx::Model changed = OnnxFileOf(SmallModel());
        AddFloats(changed, "three", {}, {3});
        AddFloats(changed, "eight", {1, 8, 1, 1}, std::vector<float>(8, 1));
        AddFloats(changed, "wide", {1, 1, 1, 16}, std::vector<float>(16, 1));
        AddInts(changed, "some", {0, 8, 4, 64});
        bool first = true;
        Replace(changed, "Clip", [&](onnx::Node node) {
          if (!std::exchange(first, false)) return Nodes{node};
          return nodes(node.input(0), node.output(0));
        });
        return ComplaintAbout(changed);
      };
  EXPECT_THAT(
      behind_the_first([](const auto& in, const auto& out) {
        return Nodes{NodeOf("Add", {in, "three"}, "hard"), NodeOf("Mul", {in, "hard"}, out)};
      }),
      HasSubstr("hard rescales values within the network, expected that right after the input, or x + 3"));
  EXPECT_THAT(behind_the_first([](const auto& in, const auto& out) {
                return Nodes{NodeOf("Mul", {in, in}, out)};
              }),
              HasSubstr("multiplies a map of 16 x 16 x 8 with one of 16 x 16 x 8, expected one number for"));
  EXPECT_THAT(behind_the_first([](const auto& in, const auto& out) {
                return Nodes{NodeOf("Relu", {in}, "relu"), NodeOf("Mul", {"relu", "three"}, out)};
              }),
              HasSubstr("rescales values within the network, expected that right after the input, or x + 3"));
  EXPECT_THAT(behind_the_first([](const auto& in, const auto& out) {
                return Nodes{NodeOf("Add", {in, "wide"}, out)};
              }),
              HasSubstr("has a constant of shape [1, 1, 1, 16] for a map of [N, C 8, H 16, W 16]"));
  EXPECT_THAT(behind_the_first([](const auto& in, const auto& out) {
                return Nodes{NodeOf("Div", {"eight", in}, out)};
              }),
              HasSubstr("divides a constant by a map"));
  EXPECT_THAT(
      behind_the_first([](const auto& in, const auto& out) { return Nodes{NodeOf("Softmax", {in}, out)}; }),
      HasSubstr("is a softmax along the axis 3"));
  EXPECT_THAT(behind_the_first([](const auto& in, const auto& out) {
                return Nodes{NodeOf("Reshape", {in, "some"}, out)};
              }),
              HasSubstr("makes [0, 8, 4, 64] of a map of [N, C 8, H 16, W 16]"));
  EXPECT_THAT(behind_the_first([](const auto& in, const auto& out) {
                return Nodes{NodeOf("Concat", {in, in}, out)};
              }),
              HasSubstr("puts maps together, which is not read (Concat)"));
}

TEST(Onnx, GraphsThatAreNotOursAreRefused) {
  const auto complaint = [](const std::function<void(onnx::Model&)>& change) {
    onnx::Model file = OnnxFileOf(SmallModel());
    change(file);
    return ComplaintAbout(file);
  };
  const auto graph = [&](const std::function<void(onnx::Graph&)>& change) {
    return complaint([&](onnx::Model& file) { change(*file.mutable_graph()); });
  };
  EXPECT_THAT(complaint([](auto& file) { file.mutable_opset_import(0)->set_version(6); }),
              HasSubstr("the graph is written in version 6 of ONNX's operators, expected 7 or later"));
  EXPECT_THAT(complaint([](auto& file) { file.clear_opset_import(); }),
              HasSubstr("doesn't say which version"));
  EXPECT_THAT(graph([](auto& g) { g.add_input()->set_name("second"); }),
              HasSubstr("has 2 inputs, expected one"));
  EXPECT_THAT(graph([](auto& g) { g.add_output()->set_name("second"); }),
              HasSubstr("has 2 outputs, expected one"));
  EXPECT_THAT(graph([](auto& g) { g.mutable_output(0)->set_name("nothing"); }),
              HasSubstr("is no map of its nodes"));
  const auto type = [&](const std::function<void(onnx::TensorType&)>& change) {
    return graph([&](auto& g) { change(*g.mutable_input(0)->mutable_type()->mutable_tensor_type()); });
  };
  EXPECT_THAT(type([](auto& t) { t.set_elem_type(3); }),
              HasSubstr("takes values of the type 3, expected float32 (1)"));
  EXPECT_THAT(type([](auto& t) { t.mutable_shape()->mutable_dim()->RemoveLast(); }),
              HasSubstr("takes an input of 3 axes, expected images, of 4"));
  EXPECT_THAT(type([](auto& t) { t.mutable_shape()->mutable_dim(1)->set_dim_value(4); }),
              HasSubstr("takes images of 4 channels, expected 3 or 1"));
  EXPECT_THAT(type([](auto& t) { t.mutable_shape()->mutable_dim(2)->set_dim_value(1LL << 40); }),
              HasSubstr("expected 1 to 65536 a side"));
  const auto tensor = [&](const std::function<void(onnx::Tensor&)>& change) {
    return complaint([&](auto& file) { change(TensorNamed(file, "conv1.weight")); });
  };
  EXPECT_THAT(
      tensor([](auto& t) { t.set_dims(0, 9); }),
      HasSubstr(
          "reads the tensor conv1.weight of 864 bytes, expected 972 for the shape [9, 3, 3, 3] (Conv)"));
  EXPECT_THAT(tensor([](auto& t) { t.set_dims(0, -1); }),
              HasSubstr("of shape [-1, 3, 3, 3], expected sizes from 0"));
  EXPECT_THAT(tensor([](auto& t) { t.set_dims(0, 1LL << 62); }), HasSubstr("below 2^31 values"));
  EXPECT_THAT(tensor([](auto& t) {
                for (int i = 0; i < 9; ++i) t.add_dims(1);
              }),
              HasSubstr("of 13 axes, expected at most 8"));
  EXPECT_THAT(tensor([](auto& t) { t.set_data_type(3); }),
              HasSubstr("of the type 3, expected float32 (1) or float16 (10)"));
}

TEST(Onnx, WhatTakesMuchMoreMemoryThanTheFileIsRefused) {
  onnx::Model file = OnnxFileOf(SmallModel());
  for (int i = 0; i < 100'000; ++i) file.mutable_graph()->add_node();
  EXPECT_THAT(ComplaintAbout(file),
              HasSubstr("is an ONNX file of more than 100000 nodes, tensors and their fields"));
  // One weight that a thousand layers read.
  file = OnnxFileOf(SmallModel());
  const std::string weight(std::size_t{4} * 512 * 512, '\0');
  onnx::Tensor& shared = *file.mutable_graph()->add_initializer();
  shared.set_name("shared");
  shared.set_data_type(1);
  shared.add_dims(512);
  shared.add_dims(512);
  shared.set_raw_data(weight);
  Replace(file, "Gemm", [](onnx::Node node) {
    Nodes nodes;
    for (int i = 0; i < 1000; ++i) {
      nodes.push_back(NodeOf("MatMul", {node.input(0), "shared"}, node.output(0) + std::to_string(i)));
      node.set_input(0, nodes.back().output(0));
    }
    nodes.push_back(node);
    return nodes;
  });
  EXPECT_THAT(ComplaintAbout(file), HasSubstr("reads weights that other nodes read, too"));
}

// With the weights of the first convolution in another file.
onnx::Model WithExternalWeights(const std::string& location, std::int64_t offset,
                                const std::filesystem::path& folder) {
  onnx::Model file = OnnxFileOf(SmallModel());
  onnx::Tensor& tensor = TensorNamed(file, "conv1.weight");
  std::ofstream(folder / "weights.data", std::ios::binary) << "0123456789ab" << tensor.raw_data();
  const auto add = [&](const char* key, const std::string& value) {
    tensor.add_external_data()->set_key(key);
    tensor.mutable_external_data(tensor.external_data_size() - 1)->set_value(value);
  };
  add("location", location);
  add("offset", std::to_string(offset));
  add("length", std::to_string(tensor.raw_data().size()));
  tensor.clear_raw_data();
  tensor.set_data_location(1);
  return file;
}

TEST(Onnx, WeightsMayLieBesideTheFileAndNowhereElse) {
  const TemporaryDirectory directory;
  const std::filesystem::path folder = directory.path() / "model";
  std::filesystem::create_directory(folder);
  std::filesystem::create_directory(folder / "inner");
  std::filesystem::create_symlink("../weights.data", folder / "inner" / "link");
  std::filesystem::create_symlink("/etc/passwd", folder / "away");
  std::ofstream(directory.path() / "outside") << std::string(2000, 'x');
  const auto load = [&](const std::string& location, std::int64_t offset = 12) {
    std::ofstream(folder / "m.onnx", std::ios::binary)
        << WithExternalWeights(location, offset, folder).SerializeAsString();
    return Model::Load(folder / "m.onnx");
  };
  const std::vector<float> expected = LogitsOf(Read(OnnxFileOf(SmallModel())));
  EXPECT_EQ(LogitsOf(load("weights.data")), expected);
  EXPECT_EQ(LogitsOf(load("./inner/link")), expected);
  const auto complaint = [&](const std::string& location, std::int64_t offset = 12) {
    return Complaint([&] { load(location, offset); });
  };
  for (const char* location : {"../outside", "away", "inner/../../outside", ".."})
    EXPECT_THAT(complaint(location), HasSubstr("which is not in the folder of the file")) << location;
  EXPECT_THAT(complaint("/etc/passwd"), HasSubstr("expected the name of a file beside it"));
  EXPECT_THAT(complaint(""), HasSubstr("has its weights in \"\""));
  EXPECT_THAT(complaint("missing.data"),
              HasSubstr("has its weights in missing.data, which is missing beside it"));
  EXPECT_THAT(complaint("inner"), HasSubstr("has its weights in inner, which is missing beside it"));
  EXPECT_THAT(complaint("weights.data", 13),
              HasSubstr("864 bytes from byte 13 of weights.data, which has 876"));
  EXPECT_THAT(complaint("weights.data", 1'000'000),
              HasSubstr("from byte 1000000 of weights.data, which has 876"));
  EXPECT_THAT(complaint("weights.data", -1), HasSubstr("from byte -1"));
  EXPECT_THAT(ComplaintAbout(WithExternalWeights("weights.data", 12, folder)),
              HasSubstr("has its weights in another file, weights.data, which these bytes come without"));
}

TEST(Onnx, DamageIsToldAndNeverCrashes) {
  const std::string bytes = OnnxFileOf(SmallModel()).SerializeAsString();
  const auto parse = [](const std::string& text) {
    return Complaint([&] {
      Model::Parse({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "f");
    });
  };
  for (std::size_t size = 4; size < bytes.size(); size += size < 200 ? 1 : 997)
    EXPECT_THAT(parse(bytes.substr(0, size)), HasSubstr("f: ")) << size;
  EXPECT_THAT(parse(bytes.substr(0, bytes.size() / 2)), HasSubstr("is a damaged ONNX file"));
  for (std::size_t at = 3; at < bytes.size(); at += at < 2000 ? 1 : 499) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    parse(flipped);
  }
}

// By PyTorch's exporters, the new one with its weights beside the file, tf2onnx and Keras: the answers of
// ONNX Runtime.
TEST(Onnx, FilesOfExportersGiveTheRuntimesAnswers) {
  const std::filesystem::path folder =
      std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "onnx";
  for (const char* answers : {"torch.json", "keras.json"}) {
    const auto all = nlohmann::json::parse(std::ifstream(folder / answers));
    for (const auto& [file, values] : all.items()) {
      const Model model = Model::Load(folder / file);
      std::vector<float> found = LogitsOf(model);
      const auto expected = values.get<std::vector<float>>();
      if (std::string_view(answers) == "keras.json") Softmax(found);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4F) << file;
    }
  }
}

// PaddlePaddle's: two strides, a steeper hard-sigmoid, hard-swish by its parts, a max pool before the
// average.
TEST(Onnx, APaddleNetworkHasTheRuntimesAnswers) {
  MOBILENET_REQUIRE_DATA();
  Model model = Model::Load(SharedData() / "models" / "ppocr_cls_v3small.onnx");
  model.network = WithResolution(model.network, {48, 192});
  EXPECT_EQ(model.classes(), 2);
  EXPECT_EQ(std::ranges::count(model.network.layers, LayerKind::kMaxPool, &Layer::kind), 1);
  std::vector<float> input(static_cast<std::size_t>(model.network.input.size()));
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<float>(static_cast<std::uint32_t>(i * 2654435761U) >> 24) / 127.5F - 1;
  std::vector<float> answers(2);
  ASSERT_TRUE(Runner(Plan(model.network, model.weights)).Run(input, answers));
  Softmax(answers);
  EXPECT_THAT(answers,
              testing::Pointwise(testing::FloatNear(1e-4F), (std::vector<float>{0.309066F, 0.690934F})));
}

// Each is read back as the same network, but for batch norms, and gives the same answers.
TEST(Onnx, WhatIsWrittenIsReadBack) {
  for (const Recipe& recipe :
       {Recipe(V1Options{
            .alpha = 0.1, .resolution = {33, 64}, .classes = 3, .padding = PaddingStyle::kSymmetric}),
        Recipe(V1Options{.alpha = 0.1,
        .resolution = 48,
        .classes = 1,
        .input_channels = 1,
        .separable = false,
        .activation = Activation::kRelu}),
        Recipe(V2Options{.alpha = 0.1, .resolution = {50, 32}, .classes = 3}),
        Recipe(
            V2Options{.alpha = 0.1, .resolution = 32, .classes = 3, .padding = PaddingStyle::kSymmetric})}) {
    const Model model = RandomModel(recipe);
    ExpectReadAs(OnnxFileOf(model), model);
    Recipe folded = recipe;
    std::visit([](auto& options) { options.batch_norm = false; }, folded);
    Network expected = Build(folded);
    for (Layer& layer : expected.layers) layer.epsilon = Layer().epsilon;
    const Model read = Read(OnnxFileOf(model));
    EXPECT_EQ(read.network.recipe->index(), recipe.index());
    EXPECT_EQ(read.network.input, expected.input);
    ASSERT_EQ(read.network.layers.size(), expected.layers.size());
    for (std::size_t i = 0; i < expected.layers.size(); ++i)
      EXPECT_EQ(read.network.layers[i].name, expected.layers[i].name);
  }
}

// A hidden layer, its skip, windows padded on two sides alone, a name like one of ours.
TEST(Onnx, CustomNetworksAreReadBackWithTheirNames) {
  Model model = SmallModel();
  std::vector<Layer>& layers = model.network.layers;
  layers[0].name = "input";
  layers[1].name = "stem/logits";
  const int channels = layers.back().input.channels;
  Layer hidden = layers.back();
  hidden.name = "hidden";
  hidden.output.channels = channels;
  hidden.activation = Activation::kRelu;
  Layer sum;
  sum.kind = LayerKind::kAdd;
  sum.name = "sum";
  sum.input = sum.output = hidden.output;
  Layer classifier = layers.back();
  const int pool = static_cast<int>(layers.size()) - 2;
  sum.inputs = {pool + 1, pool};
  classifier.inputs = {pool + 2};
  layers.pop_back();
  layers.insert(layers.end(), {hidden, sum, classifier});
  model.network.recipe = std::nullopt;
  model.weights = RandomWeights(model.network, 5);
  const Model read = Read(OnnxFileOf(model));
  ExpectReadAs(OnnxFileOf(model), model);
  EXPECT_EQ(VersionOf(read.network), "custom");
  for (std::size_t i = 0; i < layers.size(); ++i) EXPECT_EQ(read.network.layers[i].name, layers[i].name);
}

TEST(Onnx, LabelsPreprocessingAndProvenanceComeAlong) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.onnx";
  Model model = SmallModel();
  model.labels = {"cat", "dog", "ü"};
  model.preprocessing = PreprocessingPreset("caffe");
  model.provenance = {{"source", "trained"}, {"preprocessing", "set by hand"}};
  SaveOnnx(model, path);
  const Model read = Model::Load(path);
  EXPECT_EQ(read.labels, model.labels);
  EXPECT_EQ(read.preprocessing, model.preprocessing);
  EXPECT_EQ(read.provenance.at("source"), "trained");
  EXPECT_EQ(read.provenance.at("preprocessing"), "set by hand");
  EXPECT_EQ(read.provenance.at("imported from"), "ONNX");
  // From RGB pixels on: the same logits for the channels in the other order.
  SaveOnnx(model, path, {.preprocessing = true});
  const Model rgb = Model::Load(path);
  EXPECT_EQ(rgb.preprocessing.order, ChannelOrder::kRgb);
  EXPECT_EQ(rgb.preprocessing.crop, model.preprocessing.crop);
  EXPECT_EQ(rgb.preprocessing.mean[0], model.preprocessing.mean[2]);
  const auto photo = std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "stripes.png";
  const auto expected = Classifier(model).File(photo, {.top = 3});
  const auto found = Classifier(rgb).File(photo, {.top = 3});
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i].probability, expected[i].probability, 1e-5F);
}

TEST(Onnx, WhatCouldNotBeReadAgainIsNotWritten) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.onnx";
  Model model = SmallModel();
  model.labels = {"cat"};
  EXPECT_THAT(Complaint([&] { SaveOnnx(model, path); }),
              HasSubstr("can't be written: the model has 1 labels, expected 3"));
  EXPECT_FALSE(std::filesystem::exists(path));
  model.labels = {};
  model.weights.erase("conv1.weight");
  EXPECT_THAT(Complaint([&] { SaveOnnx(model, path); }), HasSubstr("conv1.weight"));
}

TEST(Onnx, PreprocessingIsThatOfPictures) {
  Layer layer;
  layer.name = "mix";
  layer.kind = LayerKind::kPointwise;
  layer.inputs = {kNetworkInput};
  layer.input = {4, 4, 5};
  layer.output = {4, 4, 2};
  Model model;
  model.network = {layer.input, {layer}};
  model.weights["mix.weight"] = Tensor::Of({5, 2}, std::vector<float>(10, 1));
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.onnx";
  EXPECT_THAT(Complaint([&] { SaveOnnx(model, path, {.preprocessing = true}); }),
              HasSubstr("takes images of 5 channels, expected 3 or 1"));
  EXPECT_NO_THROW(SaveOnnx(model, path));
}

}  // namespace
}  // namespace mobilenet
