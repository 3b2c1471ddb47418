// Writing ONNX. Ours are NHWC and HWIO, ONNX's NCHW and OIHW: weights change, maps are theirs.
#include "formats/onnx_writer.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "base/file.h"
#include "formats/model_file.h"
#include "formats/onnx.h"
#include "formats/onnx_file.h"
#include "formats/rgb_input.h"
#include "formats/torch_layout.h"
#include "mobilenet/version.h"
#include "runtime/fold.h"
#include "runtime/window.h"

namespace mobilenet {
namespace {

constexpr int kIrVersion = 8;
constexpr int kOperatorSet = 17;

class OnnxWriter {
 public:
  explicit OnnxWriter(const Model& model) : model_(model), graph_(*file_.mutable_graph()) {
    file_.set_ir_version(kIrVersion);
    file_.set_producer_name("mobilenet.cpp");
    file_.set_producer_version(MOBILENET_VERSION);
    file_.add_opset_import()->set_version(kOperatorSet);
    graph_.set_name(TitleOf(model.network));
  }

  onnx::Model Write(const OnnxOptions& options, const std::string& path) {
    const Shape& input = model_.network.input;
    Describe(Unique("input"), {input.channels, input.height, input.width}, *graph_.add_input());
    input_.image = "input";
    if (options.preprocessing) AddPreprocessing();
    for (const Layer& layer : model_.network.layers) maps_.push_back(Add(layer));
    AddOutput();
    for (const auto& [key, value] : DescriptionOf(model_, path)) {
      onnx::Entry& entry = *file_.add_metadata_props();
      entry.set_key(std::string(kDescriptionPrefix) + key);
      entry.set_value(value);
    }
    return std::move(file_);
  }

 private:
  // The names of a layer's map, with and without height and width; empty until one is wanted.
  struct Names {
    std::string image;
    std::string flat;
  };

  std::string Unique(std::string name) {
    while (!names_.insert(name).second) name += "_";
    return name;
  }

  onnx::Node& AddNode(const std::string& type, const std::string& name,
                      const std::vector<std::string>& inputs) {
    onnx::Node& node = *graph_.add_node();
    node.set_op_type(type);
    node.set_name(name);
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(Unique(name));
    return node;
  }

  static void SetIntegers(onnx::Node& node, const char* name, std::initializer_list<int> values) {
    constexpr int kIntegers = 7;
    onnx::Attribute& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(kIntegers);
    for (const int value : values) attribute.add_ints(value);
  }

  static void SetInteger(onnx::Node& node, const char* name, int value) {
    constexpr int kInteger = 2;
    onnx::Attribute& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(kInteger);
    attribute.set_i(value);
  }

  static void SetFloat(onnx::Node& node, const char* name, float value) {
    constexpr int kFloat = 1;
    onnx::Attribute& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(kFloat);
    attribute.set_f(value);
  }

  template <typename T>
  std::string AddConstant(const std::string& name, int type, const std::vector<std::int64_t>& shape,
                          const std::vector<T>& values) {
    onnx::Tensor& tensor = *graph_.add_initializer();
    tensor.set_name(Unique(name));
    tensor.set_data_type(type);
    for (const std::int64_t n : shape) tensor.add_dims(n);
    tensor.set_raw_data(values.data(), values.size() * sizeof(T));
    return tensor.name();
  }

  std::string AddFloats(const std::string& name, const std::vector<std::int64_t>& shape,
                        const std::vector<float>& values) {
    return AddConstant(name, onnx_type::kFloat32, shape, values);
  }

  static void Describe(const std::string& name, std::initializer_list<int> sizes, onnx::ValueInfo& value) {
    value.set_name(name);
    onnx::TensorType& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx_type::kFloat32);
    type.mutable_shape()->add_dim()->set_dim_param("batch");
    for (const int n : sizes) type.mutable_shape()->add_dim()->set_dim_value(n);
  }

  // (pixel - mean) * scale
  void AddPreprocessing() {
    const std::int64_t channels = model_.network.input.channels;
    const auto count = static_cast<std::ptrdiff_t>(channels);
    const Preprocessing& p = model_.preprocessing;
    const auto constant = [&](const char* name, const std::array<float, 3>& values) {
      return AddFloats(name, {channels, 1, 1}, {values.begin(), values.begin() + count});
    };
    const std::string centred =
        AddNode("Sub", "preprocessing/centred", {input_.image, constant("preprocessing/mean", p.mean)})
            .output(0);
    input_.image =
        AddNode("Mul", "preprocessing/scaled", {centred, constant("preprocessing/scale", p.scale)}).output(0);
  }

  Names& NamesOf(int layer) {
    return layer == kNetworkInput ? input_ : maps_[static_cast<std::size_t>(layer)];
  }

  // [batch, channels, height, width]
  std::string Image(int layer) {
    Names& names = NamesOf(layer);
    if (names.image.empty()) {
      const std::string axes = AddConstant<std::int64_t>("axes", onnx_type::kInt64, {2}, {2, 3});
      names.image = AddNode("Unsqueeze", names.flat + "/image", {names.flat, axes}).output(0);
    }
    return names.image;
  }

  // [batch, channels], of a map of one pixel
  std::string Flat(int layer) {
    Names& names = NamesOf(layer);
    if (names.flat.empty()) {
      onnx::Node& node = AddNode("Flatten", names.image + "/flat", {names.image});
      SetInteger(node, "axis", 1);
      names.flat = node.output(0);
    }
    return names.flat;
  }

  Names Add(const Layer& layer) {
    switch (layer.kind) {
      case LayerKind::kConvolution:
      case LayerKind::kDepthwise:
      case LayerKind::kPointwise:
        return {.image = Activated(layer, AddConvolution(layer)), .flat = ""};
      case LayerKind::kFullyConnected:
        return {.image = "", .flat = Activated(layer, AddGemm(layer))};
      case LayerKind::kGlobalAveragePool:
        return {.image = AddNode("GlobalAveragePool", layer.name, {Image(layer.inputs[0])}).output(0),
                .flat = ""};
      case LayerKind::kMaxPool: {
        onnx::Node& node = AddNode("MaxPool", layer.name, {Image(layer.inputs[0])});
        SetIntegers(node, "kernel_shape", {layer.kernel, layer.kernel});
        SetIntegers(node, "strides", {layer.stride.down, layer.stride.across});
        return {.image = node.output(0), .flat = ""};
      }
      case LayerKind::kAdd:
        return AddSum(layer);
      case LayerKind::kScale:
        return {
            .image = AddNode("Mul", layer.name, {Image(layer.inputs[0]), Image(layer.inputs[1])}).output(0),
            .flat = ""};
    }
    return {};
  }

  Names AddSum(const Layer& layer) {
    const auto is_flat = [&](int from) { return NamesOf(from).image.empty(); };
    const bool flat = std::ranges::all_of(layer.inputs, is_flat);
    std::vector<std::string> inputs;
    for (const int from : layer.inputs) inputs.push_back(flat ? Flat(from) : Image(from));
    const std::string sum = Activated(layer, AddNode("Add", layer.name, inputs));
    return flat ? Names{.image = "", .flat = sum} : Names{.image = sum, .flat = ""};
  }

  // The names of a layer's weight and bias.
  struct Channels {
    std::string weight;
    std::string bias;
  };
  Channels AddWeights(const Layer& layer) {
    const FoldedLayer folded = Fold(layer, model_.weights);
    return {AddFloats(layer.name + ".weight", ChannelsFirstShape(layer), ChannelsFirst(layer, folded.weight)),
            AddFloats(layer.name + ".bias", {layer.output.channels}, folded.bias)};
  }

  onnx::Node& AddConvolution(const Layer& layer) {
    const std::int64_t groups = layer.kind == LayerKind::kDepthwise ? layer.input.channels : 1;
    const auto [weight, bias] = AddWeights(layer);
    onnx::Node& node = AddNode("Conv", layer.name, {Image(layer.inputs[0]), weight, bias});
    const Padding& p = layer.padding;
    SetIntegers(node, "kernel_shape", {layer.kernel, layer.kernel});
    SetIntegers(node, "strides", {layer.stride.down, layer.stride.across});
    SetIntegers(node, "pads", {p.top, p.left, p.bottom, p.right});
    SetIntegers(node, "dilations", {1, 1});
    SetInteger(node, "group", static_cast<int>(groups));
    return node;
  }

  onnx::Node& AddGemm(const Layer& layer) {
    const auto [weight, bias] = AddWeights(layer);
    onnx::Node& node = AddNode("Gemm", layer.name, {Flat(layer.inputs[0]), weight, bias});
    SetInteger(node, "transB", 1);
    return node;
  }

  // The map behind the layer's activation.
  std::string Activated(const Layer& layer, const onnx::Node& linear) {
    const std::string& map = linear.output(0);
    const std::string name = layer.name + "/" + std::string(NameOf(layer.activation));
    switch (layer.activation) {
      case Activation::kNone:
        return map;
      case Activation::kRelu:
        return AddNode("Relu", name, {map}).output(0);
      case Activation::kRelu6:
        if (low_.empty()) low_ = AddFloats("low", {}, {0});
        if (high_.empty()) high_ = AddFloats("high", {}, {6});
        return AddNode("Clip", name, {map, low_, high_}).output(0);
      case Activation::kHardSigmoid: {
        onnx::Node& node = AddNode("HardSigmoid", name, {map});
        SetFloat(node, "alpha", 1.0F / 6);
        return node.output(0);
      }
      case Activation::kHardSwish:
        return AddNode("HardSwish", name, {map}).output(0);
    }
    return map;
  }

  // The last node's output gets the name of the network's.
  void AddOutput() {
    const Shape& shape = model_.network.output();
    const int last = static_cast<int>(maps_.size()) - 1;
    const bool flat = shape.height == 1 && shape.width == 1;
    if (flat) Flat(last);
    const std::string name = Unique(flat ? "logits" : "features");
    graph_.mutable_node(graph_.node_size() - 1)->set_output(0, name);
    if (flat) return Describe(name, {shape.channels}, *graph_.add_output());
    Describe(name, {shape.channels, shape.height, shape.width}, *graph_.add_output());
  }

  const Model& model_;
  onnx::Model file_;
  onnx::Graph& graph_;
  std::set<std::string> names_;
  std::string low_, high_;  // of the activation that clips
  Names input_;
  std::vector<Names> maps_;  // of each layer
};

}  // namespace

onnx::Model OnnxOf(const Model& model, const OnnxOptions& options, const std::string& path) {
  CheckNetwork(model.network);
  CheckWeights(model.network, model.weights);
  const int channels = model.network.input.channels;
  if (options.preprocessing && channels != 1 && channels != 3)
    Fail(path, ": can't be written with preprocessing: the network takes images of ", channels,
         " channels, expected 3 or 1");
  return OnnxWriter(options.preprocessing ? TakingRgb(model, path, "write it without preprocessing") : model)
      .Write(options, path);
}

void SaveOnnx(const Model& model, const std::filesystem::path& path, const OnnxOptions& options) {
  OrOutOfMemory(path.native(), [&] {
    std::string bytes;
    if (!OnnxOf(model, options, path.string()).SerializeToString(&bytes))
      Fail(path.string(), ": can't be written: an ONNX file has at most 2^31 bytes");
    WriteFileWhole(path, bytes);
  });
}

}  // namespace mobilenet
