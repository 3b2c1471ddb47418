// The whole of an ONNX file: its operator set, input, nodes and output, and what our own files say besides.
#include "formats/onnx.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "formats/model_file.h"
#include "formats/onnx_reader.h"

namespace mobilenet {

OnnxReader::OnnxReader(const onnx::Model& model, std::string_view file, std::size_t size,
                       const std::filesystem::path* folder)
    : model_(model), tensors_(size, folder) {
  graph_.file = file;
  graph_.format = "ONNX";
  where_ = "the graph";
}

Graph OnnxReader::Read() {
  CheckOperatorSets();
  ReadInput();
  const std::vector<bool> used = NodesInUse();
  for (int i = 0; i < model_.graph().node_size(); ++i) {
    if (used[static_cast<std::size_t>(i)]) ReadNode(model_.graph().node(i), i);
  }
  ReadOutput();
  if (!model_.producer_name().empty())
    graph_.provenance["exported by"] =
        model_.producer_name() + (model_.producer_version().empty() ? "" : " ") + model_.producer_version();
  return std::move(graph_);
}

void OnnxReader::CheckOperatorSets() {
  constexpr std::int64_t kFirst = 7;  // from which on Add and its like broadcast as they do today
  constexpr std::int64_t kLast = 1000;
  for (const onnx::OperatorSet& set : model_.opset_import()) {
    if (!set.domain().empty() && set.domain() != "ai.onnx") continue;
    if (set.version() < kFirst || set.version() > kLast)
      Bad("is written in version ", set.version(), " of ONNX's operators, expected ", kFirst, " or later");
    operator_set_ = static_cast<int>(set.version());
  }
  if (operator_set_ == 0) Bad("doesn't say which version of ONNX's operators it is written in");
}

// Which of the axes has one or three values, as channels do; NCHW where that doesn't tell.
std::vector<OnnxReader::Axis> OnnxReader::InputAxes(const std::vector<std::int64_t>& shape) {
  const auto may_be_channels = [](std::int64_t n) { return n == 1 || n == 3; };
  if (!may_be_channels(shape[1]) && may_be_channels(shape[3]))
    return {Axis::kBatch, Axis::kHeight, Axis::kWidth, Axis::kChannels};
  return {Axis::kBatch, Axis::kChannels, Axis::kHeight, Axis::kWidth};
}

// Old files name their weights among the inputs.
void OnnxReader::ReadInput() {
  std::set<std::string_view> weights;
  for (const onnx::Tensor& tensor : model_.graph().initializer()) {
    weights.insert(tensor.name());
    values_[tensor.name()] = OrBad([&] { return OnnxTensors::Whole(tensor); });
  }
  std::vector<const onnx::ValueInfo*> inputs;
  for (const onnx::ValueInfo& input : model_.graph().input()) {
    if (!weights.contains(input.name())) inputs.push_back(&input);
  }
  if (inputs.size() != 1) Bad("has ", inputs.size(), " inputs, expected one");
  const onnx::TensorType& type = inputs[0]->type().tensor_type();
  const int element = type.elem_type();
  if (element != onnx_type::kFloat32 && element != onnx_type::kFloat16 && element != onnx_type::kUint8)
    Bad("takes values of the type ", element, ", expected float32 (1)");
  std::vector<std::int64_t> shape;
  for (const onnx::Dimension& dimension : type.shape().dim())
    shape.push_back(dimension.dim_value() > 0 ? dimension.dim_value() : kAnything);
  if (shape.size() != 4) Bad("takes an input of ", shape.size(), " axes, expected images, of 4");

  Map map;
  map.axes = InputAxes(shape);
  const auto size = [&](Axis axis) {
    return shape[static_cast<std::size_t>(std::ranges::find(map.axes, axis) - map.axes.begin())];
  };
  const auto side = [](std::int64_t n) { return static_cast<int>(std::min<std::int64_t>(n, 1 << 20)); };
  const std::int64_t height = size(Axis::kHeight);
  const std::int64_t width = size(Axis::kWidth);
  if (height != kAnything && width != kAnything) graph_.resolution = {side(height), side(width)};
  const Resolution sides = graph_.resolution.value_or(Resolution());
  const std::int64_t channels = size(Axis::kChannels);
  graph_.channels = channels == kAnything ? 0 : side(channels);
  map.shape = {sides.height, sides.width, graph_.channels};
  batch_ = shape[0];
  values_[inputs[0]->name()] = map;
}

// Those that lead to the output. Counts who reads what.
std::vector<bool> OnnxReader::NodesInUse() {
  const onnx::Graph& graph = model_.graph();
  if (graph.output_size() != 1) Bad("has ", graph.output_size(), " outputs, expected one");
  ++readers_[graph.output(0).name()];
  std::vector<bool> used(static_cast<std::size_t>(graph.node_size()));
  for (int i = graph.node_size(); i-- > 0;) {
    const onnx::Node& node = graph.node(i);
    const bool wanted = std::ranges::any_of(
        node.output(), [&](const std::string& name) { return !name.empty() && readers_.contains(name); });
    if (!wanted) continue;
    used[static_cast<std::size_t>(i)] = true;
    for (const std::string& name : node.input()) {
      if (!name.empty()) ++readers_[name];
    }
  }
  return used;
}

namespace {

bool IsOfQuantized(std::string_view type) {
  return type.starts_with("QLinear") || type.ends_with("QuantizeLinear") ||
         type.ends_with("DequantizeLinear") || type.ends_with("Integer");
}

}  // namespace

void OnnxReader::ReadNode(const onnx::Node& node, int number) {
  node_ = &node;
  type_ = node.op_type();
  where_ = node.name().empty() ? Concat("node ", number) : Concat("the node ", node.name());
  if (!node.domain().empty() && node.domain() != "ai.onnx")
    Bad("is an operator of ", node.domain(), ", expected ONNX's own");
  const Row* row = RowOf(node.op_type());
  if (row == nullptr) Bad("is none that is read", IsOfQuantized(type_) ? ": the network is quantized" : "");
  if (node.output_size() < 1 || values_.contains(node.output(0)))
    Bad("writes nothing, or what was written before");
  (this->*row->add)();
}

void OnnxReader::ReadOutput() {
  where_ = "the graph";
  type_ = "";
  const auto found = values_.find(model_.graph().output(0).name());
  const Map* map = found == values_.end() ? nullptr : std::get_if<Map>(&found->second);
  if (map == nullptr) Bad("has an output that is no map of its nodes");
  if (map->capped) Bad("ends in a map that is cut at 6 above, expected 0 below, too");
  const int output = Reads(*map);
  ApplyAffines();
  graph_.output = output;
}

const OnnxReader::Row* OnnxReader::RowOf(std::string_view type) {
  static constexpr std::array kRows = {Row{"Add", &OnnxReader::AddElements},
                                       Row{"AveragePool", &OnnxReader::AddAverage},
                                       Row{"BatchNormalization", &OnnxReader::AddNorm},
                                       Row{"Cast", &OnnxReader::AddCast},
                                       Row{"Clip", &OnnxReader::AddClip},
                                       Row{"Concat", &OnnxReader::AddConcat},
                                       Row{"Constant", &OnnxReader::AddConstant},
                                       Row{"Conv", &OnnxReader::AddConvolution},
                                       Row{"Div", &OnnxReader::AddElements},
                                       Row{"Dropout", &OnnxReader::AddDropout},
                                       Row{"Flatten", &OnnxReader::AddFlatten},
                                       Row{"Gather", &OnnxReader::AddGather},
                                       Row{"Gemm", &OnnxReader::AddGemm},
                                       Row{"GlobalAveragePool", &OnnxReader::AddGlobalAverage},
                                       Row{"HardSigmoid", &OnnxReader::AddHardSigmoid},
                                       Row{"HardSwish", &OnnxReader::AddHardSwish},
                                       Row{"Identity", &OnnxReader::PassOn},
                                       Row{"LogSoftmax", &OnnxReader::AddSoftmax},
                                       Row{"MatMul", &OnnxReader::AddMatMul},
                                       Row{"Max", &OnnxReader::AddMaximum},
                                       Row{"MaxPool", &OnnxReader::AddMaxPool},
                                       Row{"Min", &OnnxReader::AddMinimum},
                                       Row{"Mul", &OnnxReader::AddElements},
                                       Row{"Pad", &OnnxReader::AddZeros},
                                       Row{"ReduceMean", &OnnxReader::AddMean},
                                       Row{"Relu", &OnnxReader::AddRelu},
                                       Row{"Reshape", &OnnxReader::AddReshape},
                                       Row{"Shape", &OnnxReader::AddShape},
                                       Row{"Sigmoid", &OnnxReader::AddSigmoid},
                                       Row{"Slice", &OnnxReader::AddSlice},
                                       Row{"Softmax", &OnnxReader::AddSoftmax},
                                       Row{"Squeeze", &OnnxReader::AddSqueeze},
                                       Row{"Sub", &OnnxReader::AddElements},
                                       Row{"Sum", &OnnxReader::AddElements},
                                       Row{"Transpose", &OnnxReader::AddTranspose},
                                       Row{"Unsqueeze", &OnnxReader::AddUnsqueeze}};
  const auto* row = std::ranges::find(kRows, type, [](const Row& r) { return std::string_view(r.type); });
  return row == kRows.end() ? nullptr : row;
}

namespace {

// What SaveOnnx wrote about the model.
void ReadOurs(const onnx::Model& file, std::string_view name, Model& model) {
  Safetensors ours;
  ours.name = name;
  for (const onnx::Entry& entry : file.metadata_props()) {
    if (entry.key().starts_with(kDescriptionPrefix))
      ours.metadata[entry.key().substr(kDescriptionPrefix.size())] = entry.value();
  }
  if (ours.metadata.empty()) return;
  model.provenance.erase("preprocessing");  // which needs no guess
  ReadDescription(ours, model);
}

}  // namespace

Model ReadOnnx(std::span<const std::uint8_t> bytes, std::string_view name,
               const std::filesystem::path* folder) {
  const onnx::Model file = ParseOnnx(bytes, name);
  ReleaseMapped(bytes);  // all of it has been copied
  Model model = ToModel(OnnxReader(file, name, bytes.size(), folder).Read());
  ReadOurs(file, name, model);
  return model;
}

}  // namespace mobilenet
