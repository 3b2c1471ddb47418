#include "formats/tflite.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/fail.h"
#include "formats/graph.h"
#include "formats/model_file.h"
#include "formats/tflite_floats.h"
#include "formats/tflite_generated.h"
#include "formats/tflite_metadata.h"
#include "formats/tflite_names.h"
#include "formats/tflite_operators.h"
#include "formats/transposed.h"

namespace mobilenet {
namespace {

// More tensor types of the TFLite format, and its padding.
constexpr int kInt16 = 7;
constexpr int kSame = 0;

using Shape64 = std::vector<std::int64_t>;

class Reader {
 public:
  // Of a file of so many bytes.
  Reader(const tflite::Model& model, std::size_t bytes, std::string_view file)
      : model_(model), values_left_(bytes) {
    network_.file = file;
    network_.format = "TensorFlow Lite";
    if (model.subgraphs() == nullptr || model.subgraphs()->size() != 1) {
      Fail(file, ": expected one subgraph, found ",
           model.subgraphs() == nullptr ? 0 : model.subgraphs()->size());
    }
    graph_ = model.subgraphs()->Get(0);
    if (graph_->tensors() == nullptr || graph_->operators() == nullptr || model.operator_codes() == nullptr ||
        model.buffers() == nullptr) {
      Fail(file, ": lacks its tensors, operators, operator codes or buffers");
    }
    writers_.resize(graph_->tensors()->size(), kNobody);
    constants_.resize(graph_->tensors()->size(), kNobody);
  }

  Graph Read() {
    RefuseQuantized();
    ReadInput();
    for (flatbuffers::uoffset_t i = 0; i < graph_->operators()->size(); ++i) {
      where_ = Concat("operator ", i);
      op_ = graph_->operators()->Get(i);
      Dispatch();
    }
    where_ = "the graph";
    type_ = "";
    if (graph_->outputs() == nullptr || graph_->outputs()->size() != 1)
      Bad("has ", graph_->outputs() == nullptr ? 0 : graph_->outputs()->size(), " outputs, expected one");
    network_.output = WriterOf(Index(graph_->outputs(), 0, "output"));
    if (network_.output < kNetworkInput) Bad("has an output that no operator writes");
    return std::move(network_);
  }

 private:
  static constexpr int kNobody = kNetworkInput - 1;

  template <typename... Parts>
  [[noreturn]] void Bad(const Parts&... parts) const {
    BadNode(network_, {where_, type_, "", {}, {}}, Concat(parts...));
  }

  // The i-th entry of a list of tensor indices, checked.
  int Index(const flatbuffers::Vector<std::int32_t>* list, flatbuffers::uoffset_t i, const char* what) const {
    if (list == nullptr || list->size() <= i) Bad("lacks its ", what, " ", i);
    const int index = list->Get(i);
    if (index < 0 || static_cast<std::size_t>(index) >= graph_->tensors()->size()) {
      Bad("names tensor ", index, " as its ", what, ", expected 0 to ", graph_->tensors()->size() - 1);
    }
    return index;
  }

  const tflite::Tensor& TensorAt(int index) const {
    return *graph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }

  int OutputOf() const { return Index(op_->outputs(), 0, "output"); }

  // The node whose output the tensor is.
  int& WriterOf(int tensor) { return writers_[static_cast<std::size_t>(tensor)]; }

  Shape64 ShapeOf(const tflite::Tensor& tensor) const {
    Shape64 shape;
    if (tensor.shape() != nullptr) shape.assign(tensor.shape()->begin(), tensor.shape()->end());
    for (const std::int64_t n : shape) {
      if (n < 1) Bad("has a tensor of shape ", ShapeText(shape), ", expected sizes from 1");
    }
    return shape;
  }

  // Where sizes may be any, the file's shapes hold 1 in their place. The batch is one image here in any case.
  static bool AnySize(const tflite::Tensor& tensor) {
    const auto* signature = tensor.shape_signature();
    return signature != nullptr && signature->size() > 0 &&
           std::any_of(signature->begin() + 1, signature->end(), [](int n) { return n < 0; });
  }

  // Maps of integers: another arithmetic than ours. Weights alone may be integers.
  void RefuseQuantized() {
    where_ = "the graph";
    for (const tflite::Operator* op : *graph_->operators()) {
      if (op->outputs() == nullptr || op->outputs()->size() == 0) continue;  // which is told later
      const int type = static_cast<unsigned char>(TensorAt(Index(op->outputs(), 0, "output")).type());
      if (type == kTfliteInt8 || type == kTfliteUint8 || type == kInt16)
        Fail(network_.file, ": is a quantized TFLite file (", NameOfTfliteType(type),
             "), which is not read: expected one whose maps are float32");
    }
  }

  void ReadInput() {
    if (graph_->inputs() != nullptr && graph_->inputs()->size() > 1)
      Bad("has ", graph_->inputs()->size(), " inputs, expected one");
    const int index = Index(graph_->inputs(), 0, "input");
    WriterOf(index) = kNetworkInput;
    const tflite::Tensor& input = TensorAt(index);
    if (input.type() != kTfliteFloat32)
      Bad("takes images of ", NameOfTfliteType(input.type()), ", expected float32");
    const auto shape = ShapeOf(input);
    if (shape.size() != 4 || shape[0] != 1) {
      Bad("takes images of shape ", ShapeText(shape), ", expected [1, height, width, channels]");
    }
    any_size_ = AnySize(input);
    if (!any_size_) network_.resolution = {static_cast<int>(shape[1]), static_cast<int>(shape[2])};
    network_.channels = static_cast<int>(shape[3]);
  }

  const tflite::OperatorCode& CodeOf() const {
    const auto* codes = model_.operator_codes();
    if (op_->opcode_index() >= codes->size())
      Bad("has the operator code number ", op_->opcode_index(), " of ", codes->size());
    return *codes->Get(op_->opcode_index());
  }

  // What an operator that is not read is a sign of.
  static const char* SignOf(int code) {
    if (code == tflite_operator::kHardSwish) return ": MobileNet V3's activation";
    if (code == tflite_operator::kMul)
      return ": squeeze-and-excitation perhaps, as MobileNet V3 and EfficientNet have it";
    return "";
  }

  // The operators of the TFLite format that are read.
  void Dispatch() {
    using namespace tflite_operator;
    struct Row {
      int code;
      void (Reader::*add)();
    };
    static constexpr std::array kRows = {Row{kAdd, &Reader::AddSum},
                                         Row{kAveragePool, &Reader::AddPool},
                                         Row{kConvolution, &Reader::AddConvolution},
                                         Row{kDepthwise, &Reader::AddDepthwise},
                                         Row{kDequantize, &Reader::AddDequantize},
                                         Row{kFullyConnected, &Reader::AddFullyConnected},
                                         Row{kLogistic, &Reader::AddSigmoid},
                                         Row{kRelu, &Reader::AddClip<Activation::kRelu>},
                                         Row{kRelu6, &Reader::AddClip<Activation::kRelu6>},
                                         Row{kReshape, &Reader::AddReshape},
                                         Row{kSoftmax, &Reader::AddSoftmax},
                                         Row{kPad, &Reader::AddZeros},
                                         Row{kMean, &Reader::AddMean},
                                         Row{kSqueeze, &Reader::AddReshape},
                                         Row{kStridedSlice, &Reader::SkipNumbers},
                                         Row{kShape, &Reader::SkipNumbers},
                                         Row{kPack, &Reader::SkipNumbers}};
    const tflite::OperatorCode& stored = CodeOf();
    const int code = std::max<int>(stored.short_code(), stored.code());
    type_ = NameOfTfliteOperator(code);
    if (stored.custom_code() != nullptr) type_ += " " + stored.custom_code()->str();
    const auto* row = std::ranges::find(kRows, code, &Row::code);
    if (row == kRows.end()) Bad("is none that is read", SignOf(code));
    if (op_->outputs() == nullptr || op_->outputs()->size() != 1)
      Bad("has ", op_->outputs() == nullptr ? 0 : op_->outputs()->size(), " outputs, expected one");
    if (WriterOf(OutputOf()) != kNobody) Bad("writes a tensor that was written before");
    (this->*row->add)();
  }

  // A converter names a tensor after all that became one operator, with ; in between.
  std::string NameOfOutput() const {
    const auto* name = TensorAt(OutputOf()).name();
    const std::string text = name == nullptr ? "" : name->str();
    return text.substr(0, text.find(';'));
  }

  // The node whose output is the operator's input of this number.
  int Input(flatbuffers::uoffset_t number) {
    const int writer = WriterOf(Index(op_->inputs(), number, "input"));
    if (writer == kNobody) Bad("reads what no operator before it writes, as its input ", number);
    return writer;
  }

  void Append(op::Any operation, std::vector<int> inputs) {
    Node node = {where_, type_, NameOfOutput(), std::move(inputs), std::move(operation)};
    const tflite::Tensor& output = TensorAt(OutputOf());
    if (!any_size_ && !AnySize(output)) node.shape = ShapeOf(output);
    WriterOf(OutputOf()) = network_.Append(std::move(node));
  }

  // With the activation that the file holds as a part of the operator.
  void Append(op::Any operation, std::vector<int> inputs, int activation) {
    const bool read = activation == 0 || activation == 1 || activation == 3;
    if (!read) Bad("has the activation ", activation, ", expected none (0), ReLU (1) or ReLU6 (3)");
    Append(std::move(operation), std::move(inputs));
    if (activation != 0)
      Append(op::Clip{activation == 1 ? Activation::kRelu : Activation::kRelu6}, {network_.output});
  }

  // The bytes of a constant tensor.
  std::span<const std::uint8_t> BytesOf(const tflite::Tensor& tensor) const {
    if (tensor.sparsity() != nullptr) Bad("has sparse weights, expected whole ones");
    if (tensor.buffer() >= model_.buffers()->size())
      Bad("names buffer ", tensor.buffer(), " of ", model_.buffers()->size());
    const auto* data = model_.buffers()->Get(tensor.buffer())->data();
    if (data == nullptr) return {};
    return {data->data(), data->size()};
  }

  // How many values a tensor has, which its bytes must be enough for.
  std::size_t CountOf(const Shape64& shape, std::size_t bytes, std::size_t bytes_each) const {
    std::size_t count = 1;
    for (const std::int64_t n : shape) {
      if (count > bytes / static_cast<std::size_t>(n))
        Bad("has a weight of shape ", ShapeText(shape), " in ", bytes, " bytes");
      count *= static_cast<std::size_t>(n);
    }
    if (count * bytes_each != bytes)
      Bad("has a weight of ", bytes, " bytes, expected ", count * bytes_each, " for ", ShapeText(shape));
    return count;
  }

  // The values of a constant tensor, of which the shape must have `rank` dimensions.
  std::pair<Shape64, std::vector<float>> Floats(flatbuffers::uoffset_t input, std::size_t rank) {
    const int index = Index(op_->inputs(), input, "input");
    const int source = constants_[static_cast<std::size_t>(index)];
    const tflite::Tensor& tensor = TensorAt(source == kNobody ? index : source);
    const std::size_t bytes_each = BytesOfTfliteValue(tensor.type());
    if (bytes_each == 0)
      Bad("has weights of ", NameOfTfliteType(tensor.type()), ", expected float32, float16 or int8");
    auto shape = ShapeOf(tensor);
    if (shape.size() != rank)
      Bad("has a weight of shape ", ShapeText(shape), ", expected ", rank, " dimensions");
    const auto bytes = BytesOf(tensor);
    const std::size_t count = CountOf(shape, bytes.size(), bytes_each);
    if (count > values_left_) Bad("is one of too many that have the same weights");
    values_left_ -= count;
    auto values = FloatsOfTflite(tensor, shape, bytes);
    if (!values)
      Bad("has weights of ", NameOfTfliteType(tensor.type()), " whose scales don't fit ", ShapeText(shape));
    NoteWeights(tensor.type());
    return {std::move(shape), *std::move(values)};
  }

  void NoteWeights(int type) {
    if (type == kTfliteFloat32) return;
    const bool half = type == kTfliteFloat16;
    network_.provenance["weights"] =
        half
            ? "float16 in the file"
            : NameOfTfliteType(type) +
                  " in the file (dynamic range): TensorFlow Lite rounds what they multiply, too, and answers "
                  "a little differently";
  }

  // A constant of fewer bits, for the operators that read it.
  void AddDequantize() {
    const int source = Index(op_->inputs(), 0, "input");
    if (WriterOf(source) != kNobody) Bad("widens a map, expected constants");
    constants_[static_cast<std::size_t>(OutputOf())] = source;
  }

  // The int32 values of a constant tensor.
  std::vector<std::int32_t> Integers(flatbuffers::uoffset_t input, std::size_t count) const {
    const tflite::Tensor& tensor = TensorAt(Index(op_->inputs(), input, "input"));
    if (tensor.type() != kTfliteInt32)
      Bad("has a parameter of ", NameOfTfliteType(tensor.type()), ", expected int32");
    const auto bytes = BytesOf(tensor);
    if (bytes.size() != count * sizeof(std::int32_t))
      Bad("has a parameter of ", bytes.size(), " bytes, expected ", count * sizeof(std::int32_t));
    std::vector<std::int32_t> values(count);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  std::vector<float> BiasOf() {
    if (op_->inputs()->size() < 3 || op_->inputs()->Get(2) < 0) return {};
    return Floats(2, 1).second;
  }

  template <typename Options>
  void SetWindow(const Options& options, op::Window& window) {
    if (options.stride_w() != options.stride_h() || options.stride_w() < 1) {
      Bad("has the strides ", options.stride_h(), " and ", options.stride_w(),
          ", expected equal ones from 1");
    }
    if (options.dilation_w() != 1 || options.dilation_h() != 1) Bad("is dilated, expected a dilation of 1");
    window.bias = BiasOf();
    window.stride = options.stride_w();
    if (options.padding() != kSame) window.padding = Padding();
  }

  // [out, k, k, in] in the file.
  void AddConvolution() {
    const auto* options = op_->options_as_Conv2DOptions();
    if (options == nullptr) Bad("lacks its convolution options");
    const auto [shape, values] = Floats(1, 4);
    op::Convolution convolution;
    convolution.weight = Tensor::Of({shape[1], shape[2], shape[3], shape[0]}, Transposed(values, shape[0]));
    SetWindow(*options, convolution);
    Append(std::move(convolution), {Input(0)}, options->fused_activation());
  }

  // [1, k, k, channels] in the file.
  void AddDepthwise() {
    const auto* options = op_->options_as_DepthwiseConv2DOptions();
    if (options == nullptr) Bad("lacks its depthwise options");
    auto [shape, values] = Floats(1, 4);
    if (shape[0] != 1 || options->depth_multiplier() > 1) Bad("has a depth multiplier, expected 1");
    op::Depthwise depthwise;
    depthwise.weight = Tensor::Of({shape[1], shape[2], shape[3]}, std::move(values));
    SetWindow(*options, depthwise);
    Append(std::move(depthwise), {Input(0)}, options->fused_activation());
  }

  // [out, in] in the file.
  void AddFullyConnected() {
    const auto [shape, values] = Floats(1, 2);
    op::Dense dense = {Tensor::Of({shape[1], shape[0]}, Transposed(values, shape[0])), BiasOf()};
    const auto* options = op_->options_as_FullyConnectedOptions();
    Append(std::move(dense), {Input(0)}, options == nullptr ? 0 : options->fused_activation());
  }

  void AddSum() {
    const auto* options = op_->options_as_AddOptions();
    Append(op::Add(), {Input(0), Input(1)}, options == nullptr ? 0 : options->fused_activation());
  }

  template <Activation kActivation>
  void AddClip() {
    Append(op::Clip{kActivation}, {Input(0)});
  }

  // [[0, 0], [top, bottom], [left, right], [0, 0]]
  void AddZeros() {
    const auto p = Integers(1, 8);
    if (p[0] != 0 || p[1] != 0 || p[6] != 0 || p[7] != 0)
      Bad("pads images or channels, expected rows and columns alone");
    Append(op::Zeros{{p[2], p[3], p[4], p[5]}}, {Input(0)});
  }

  void AddMean() {
    auto axes = Integers(1, 2);
    for (std::int32_t& axis : axes) axis += axis < 0 ? 4 : 0;  // counted from the end
    std::ranges::sort(axes);
    if (axes[0] != 1 || axes[1] != 2)
      Bad("averages over the axes ", axes[0], " and ", axes[1], ", expected 1 and 2");
    Append(op::Average(), {Input(0)});
  }

  void AddPool() {
    const auto* options = op_->options_as_Pool2DOptions();
    if (options == nullptr || options->filter_height() < 1 || options->filter_width() < 1 ||
        options->stride_h() < 1 || options->stride_w() < 1)
      Bad("lacks its window or its strides");
    Append(op::Average{options->filter_height(), options->filter_width(), options->stride_h(),
                       options->stride_w(), options->padding() == kSame},
           {Input(0)}, options->fused_activation());
  }

  // SQUEEZE, too: what comes out is what counts.
  void AddReshape() {
    const tflite::Tensor& output = TensorAt(OutputOf());
    Append(op::Reshape{AnySize(output) ? Shape64{-1} : ShapeOf(output)}, {Input(0)});
  }

  // What works out the shape for a RESHAPE, whose output tells it.
  void SkipNumbers() {
    const int type = static_cast<unsigned char>(TensorAt(OutputOf()).type());
    if (type != kTfliteInt32)
      Bad("makes a map of ", NameOfTfliteType(type), ", expected numbers for a RESHAPE");
  }

  void AddSoftmax() {
    const auto* options = op_->options_as_SoftmaxOptions();
    if (options != nullptr && options->beta() != 1) Bad("has the beta ", options->beta(), ", expected 1");
    Append(op::Softmax(), {Input(0)});
  }

  void AddSigmoid() { Append(op::Sigmoid(), {Input(0)}); }

  const tflite::Model& model_;
  const tflite::SubGraph* graph_ = nullptr;
  Graph network_;
  std::vector<int> writers_;              // of each tensor: a node, the input, or nobody
  std::vector<int> constants_;            // of each tensor that is one widened: that; else nobody
  std::size_t values_left_;               // weights that may still come, however often each is read
  bool any_size_ = false;                 // whether the input may have any
  const tflite::Operator* op_ = nullptr;  // the one that is read, and what messages call it
  std::string where_;
  std::string type_;
};

// By what SaveTflite wrote about it, which needs no guess.
void Describe(const Safetensors& ours, Model& model) {
  for (const char* guessed : {"preprocessing", "labels", "resolution", "average"})
    model.provenance.erase(guessed);
  ReadDescription(ours, model);
}

}  // namespace

Model ReadTflite(std::span<const std::uint8_t> bytes, std::string_view name) {
  constexpr flatbuffers::uoffset_t kMaxDepth = 64;
  constexpr flatbuffers::uoffset_t kMaxTables = 100'000;
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), kMaxDepth, kMaxTables);
  if (!tflite::VerifyModelBuffer(verifier))
    Fail(name, ": is a damaged TFLite file: its tables don't hold together");
  const tflite::Model& file = *tflite::GetModel(bytes.data());
  const Safetensors ours = TfliteDescription(file, name);
  Graph graph = Reader(file, bytes.size(), name).Read();
  graph.texts = TextsInZip(bytes);
  graph.padding = TflitePadding(ours);
  Model model = ToModel(graph);
  if (!ours.metadata.empty()) Describe(ours, model);
  return model;
}

}  // namespace mobilenet
