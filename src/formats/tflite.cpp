#include "formats/tflite.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/fail.h"
#include "formats/tflite_generated.h"
#include "formats/transposed.h"

namespace mobilenet {
namespace {

// Tensor types and padding of the TFLite format.
constexpr int kFloat32 = 0;
constexpr int kInt32 = 2;
constexpr int kSame = 0;

using Shape64 = std::vector<std::int64_t>;

class Reader {
 public:
  Reader(const tflite::Model& model, std::string_view file) : model_(model) {
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
  }

  Graph Read() {
    ReadInput();
    for (flatbuffers::uoffset_t i = 0; i < graph_->operators()->size(); ++i) {
      where_ = Concat("operator ", i);
      op_ = graph_->operators()->Get(i);
      Dispatch();
      WriterOf(OutputOf()) = network_.output;
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

  void ReadInput() {
    where_ = "the graph";
    if (graph_->inputs() != nullptr && graph_->inputs()->size() > 1)
      Bad("has ", graph_->inputs()->size(), " inputs, expected one");
    const int index = Index(graph_->inputs(), 0, "input");
    WriterOf(index) = kNetworkInput;
    const tflite::Tensor& input = TensorAt(index);
    if (input.type() != kFloat32) {
      Bad("takes tensors of type ", int{input.type()}, " (quantized), expected float32 (0)");
    }
    const auto shape = ShapeOf(input);
    if (shape.size() != 4 || shape[0] != 1) {
      Bad("takes images of shape ", ShapeText(shape), ", expected [1, height, width, channels]");
    }
    any_size_ = AnySize(input);
    if (!any_size_) network_.resolution = {static_cast<int>(shape[1]), static_cast<int>(shape[2])};
    network_.channels = static_cast<int>(shape[3]);
  }

  int CodeOf() const {
    const auto* codes = model_.operator_codes();
    if (op_->opcode_index() >= codes->size())
      Bad("has the operator code number ", op_->opcode_index(), " of ", codes->size());
    const tflite::OperatorCode& code = *codes->Get(op_->opcode_index());
    return std::max<int>(code.short_code(), code.code());
  }

  // The operators of the TFLite format that are read, and those whose names may help who meets them.
  void Dispatch() {
    struct Row {
      int code;
      const char* type;
      void (Reader::*add)();
    };
    static constexpr std::array kRows = {Row{0, "ADD", &Reader::AddSum},
                                         Row{1, "AVERAGE_POOL_2D", &Reader::AddPool},
                                         Row{3, "CONV_2D", &Reader::AddConvolution},
                                         Row{4, "DEPTHWISE_CONV_2D", &Reader::AddDepthwise},
                                         Row{9, "FULLY_CONNECTED", &Reader::AddFullyConnected},
                                         Row{14, "LOGISTIC", &Reader::AddSigmoid},
                                         Row{19, "RELU", &Reader::AddClip<Activation::kRelu>},
                                         Row{21, "RELU6", &Reader::AddClip<Activation::kRelu6>},
                                         Row{22, "RESHAPE", &Reader::AddReshape},
                                         Row{25, "SOFTMAX", &Reader::AddSoftmax},
                                         Row{34, "PAD", &Reader::AddZeros},
                                         Row{40, "MEAN", &Reader::AddMean},
                                         Row{43, "SQUEEZE", &Reader::AddReshape},
                                         Row{2, "CONCATENATION", nullptr},
                                         Row{6, "DEQUANTIZE: a quantized or float16 network", nullptr},
                                         Row{17, "MAX_POOL_2D", nullptr},
                                         Row{18, "MUL", nullptr},
                                         Row{32, "CUSTOM", nullptr},
                                         Row{39, "TRANSPOSE", nullptr},
                                         Row{41, "SUB", nullptr},
                                         Row{114, "QUANTIZE: a quantized network", nullptr},
                                         Row{117, "HARD_SWISH", nullptr}};
    const int code = CodeOf();
    const auto* row = std::ranges::find(kRows, code, &Row::code);
    type_ = row == kRows.end() ? Concat("TFLite's number ", code) : row->type;
    if (row == kRows.end() || row->add == nullptr) Bad("is none that is read");
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
    network_.Append(std::move(node));
  }

  // With the activation that the file holds as a part of the operator.
  void Append(op::Any operation, std::vector<int> inputs, int activation) {
    const bool read = activation == 0 || activation == 1 || activation == 3;
    if (!read) Bad("has the activation ", activation, ", expected none (0), ReLU (1) or ReLU6 (3)");
    Append(std::move(operation), std::move(inputs));
    if (activation != 0)
      Append(op::Clip{activation == 1 ? Activation::kRelu : Activation::kRelu6}, {network_.output});
  }

  // The bytes of a constant tensor, which must be of this type.
  std::span<const std::uint8_t> Constant(flatbuffers::uoffset_t input, int type, const char* expected) const {
    const tflite::Tensor& tensor = TensorAt(Index(op_->inputs(), input, "input"));
    if (tensor.type() != type)
      Bad("has weights of type ", int{tensor.type()}, " (quantized), expected ", expected, " (", type, ")");
    if (tensor.sparsity() != nullptr) Bad("has sparse weights, expected whole ones");
    if (tensor.buffer() >= model_.buffers()->size())
      Bad("names buffer ", tensor.buffer(), " of ", model_.buffers()->size());
    const auto* data = model_.buffers()->Get(tensor.buffer())->data();
    if (data == nullptr) return {};
    return {data->data(), data->size()};
  }

  // The float32 values of a constant tensor, of which the shape must have `rank` dimensions.
  std::pair<Shape64, std::vector<float>> Floats(flatbuffers::uoffset_t input, std::size_t rank) const {
    const auto bytes = Constant(input, kFloat32, "float32");
    auto shape = ShapeOf(TensorAt(Index(op_->inputs(), input, "input")));
    if (shape.size() != rank)
      Bad("has a weight of shape ", ShapeText(shape), ", expected ", rank, " dimensions");
    std::size_t count = 1;
    for (const std::int64_t n : shape) {
      if (count > bytes.size() / static_cast<std::size_t>(n))
        Bad("has a weight of shape ", ShapeText(shape), " in ", bytes.size(), " bytes");
      count *= static_cast<std::size_t>(n);
    }
    if (count * sizeof(float) != bytes.size()) {
      Bad("has a weight of ", bytes.size(), " bytes, expected ", count * sizeof(float), " for ",
          ShapeText(shape));
    }
    std::vector<float> values(count);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return {std::move(shape), std::move(values)};
  }

  // The int32 values of a constant tensor.
  std::vector<std::int32_t> Integers(flatbuffers::uoffset_t input, std::size_t count) const {
    const auto bytes = Constant(input, kInt32, "int32");
    if (bytes.size() != count * sizeof(std::int32_t))
      Bad("has a parameter of ", bytes.size(), " bytes, expected ", count * sizeof(std::int32_t));
    std::vector<std::int32_t> values(count);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  std::vector<float> BiasOf() const {
    if (op_->inputs()->size() < 3 || op_->inputs()->Get(2) < 0) return {};
    return Floats(2, 1).second;
  }

  template <typename Options>
  void SetWindow(const Options& options, op::Window& window) const {
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
  bool any_size_ = false;                 // whether the input may have any
  const tflite::Operator* op_ = nullptr;  // the one that is read, and what messages call it
  std::string where_;
  std::string type_;
};

}  // namespace

bool IsTflite(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, "TFL3", 4) == 0;
}

Graph ReadTflite(std::span<const std::uint8_t> bytes, std::string_view name) {
  constexpr flatbuffers::uoffset_t kMaxDepth = 64;
  constexpr flatbuffers::uoffset_t kMaxTables = 100'000;
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), kMaxDepth, kMaxTables);
  if (!tflite::VerifyModelBuffer(verifier))
    Fail(name, ": is a damaged TFLite file: its tables don't hold together");
  return Reader(*tflite::GetModel(bytes.data()), name).Read();
}

}  // namespace mobilenet
