// The whole of a TensorFlow Lite file: its input, operators and output, and what our own files say besides.
#include "formats/tflite.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/fail.h"
#include "formats/model_file.h"
#include "formats/tflite_floats.h"
#include "formats/tflite_metadata.h"
#include "formats/tflite_names.h"
#include "formats/tflite_operators.h"
#include "formats/tflite_reader.h"
#include "formats/zip_texts.h"

namespace mobilenet {

TfliteReader::TfliteReader(const tflite::Model& model, std::size_t bytes, std::string_view file)
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

Graph TfliteReader::Read() {
  RefuseQuantized();
  ReadInput();
  for (Number i = 0; i < graph_->operators()->size(); ++i) {
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

// Maps of integers: another arithmetic than ours. Weights alone may be integers.
void TfliteReader::RefuseQuantized() {
  where_ = "the graph";
  for (const tflite::Operator* op : *graph_->operators()) {
    if (op->outputs() == nullptr || op->outputs()->size() == 0) continue;  // which is told later
    const int type = static_cast<unsigned char>(TensorAt(Index(op->outputs(), 0, "output")).type());
    if (type == kTfliteInt8 || type == kTfliteUint8 || type == kTfliteInt16)
      Fail(network_.file, ": is a quantized TFLite file (", NameOfTfliteType(type),
           "), which is not read: expected one whose maps are float32");
  }
}

void TfliteReader::ReadInput() {
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

const tflite::OperatorCode& TfliteReader::CodeOf() const {
  const auto* codes = model_.operator_codes();
  if (op_->opcode_index() >= codes->size())
    Bad("has the operator code number ", op_->opcode_index(), " of ", codes->size());
  return *codes->Get(op_->opcode_index());
}

// The operators of the TFLite format that are read.
void TfliteReader::Dispatch() {
  using namespace tflite_operator;
  struct Row {
    int code;
    void (TfliteReader::*add)();
  };
  static constexpr std::array kRows = {Row{kAdd, &TfliteReader::AddElements},
                                       Row{kSub, &TfliteReader::AddElements},
                                       Row{kMul, &TfliteReader::AddElements},
                                       Row{kDiv, &TfliteReader::AddElements},
                                       Row{kReduceMax, &TfliteReader::AddMaximum},
                                       Row{kExp, &TfliteReader::AddExponential},
                                       Row{kSum, &TfliteReader::AddSumOfExponentials},
                                       Row{kAveragePool, &TfliteReader::AddPool},
                                       Row{kMaxPool, &TfliteReader::AddMaxPool},
                                       Row{kConvolution, &TfliteReader::AddConvolution},
                                       Row{kDepthwise, &TfliteReader::AddDepthwise},
                                       Row{kDequantize, &TfliteReader::AddDequantize},
                                       Row{kFullyConnected, &TfliteReader::AddFullyConnected},
                                       Row{kLogistic, &TfliteReader::AddSigmoid},
                                       Row{kRelu, &TfliteReader::AddRelu},
                                       Row{kRelu6, &TfliteReader::AddRelu6},
                                       Row{kHardSwish, &TfliteReader::AddHardSwish},
                                       Row{kReshape, &TfliteReader::AddReshape},
                                       Row{kSoftmax, &TfliteReader::AddSoftmax},
                                       Row{kPad, &TfliteReader::AddZeros},
                                       Row{kMean, &TfliteReader::AddMean},
                                       Row{kSqueeze, &TfliteReader::AddReshape},
                                       Row{kStridedSlice, &TfliteReader::SkipNumbers},
                                       Row{kShape, &TfliteReader::SkipNumbers},
                                       Row{kPack, &TfliteReader::SkipNumbers}};
  const tflite::OperatorCode& stored = CodeOf();
  code_ = std::max<int>(stored.short_code(), stored.code());
  type_ = NameOfTfliteOperator(code_);
  if (stored.custom_code() != nullptr) type_ += " " + stored.custom_code()->str();
  const auto* row = std::ranges::find(kRows, code_, &Row::code);
  if (row == kRows.end()) Bad("is none that is read");
  if (op_->outputs() == nullptr || op_->outputs()->size() != 1)
    Bad("has ", op_->outputs() == nullptr ? 0 : op_->outputs()->size(), " outputs, expected one");
  if (IsWritten(OutputOf())) Bad("writes a tensor that was written before");
  (this->*row->add)();
}

// The node whose output is the operator's input of this number.
int TfliteReader::Input(Number number) {
  const int tensor = InputOf(number);
  if (parts_.contains(tensor)) Bad("reads a part of a softmax, expected the whole of one");
  if (WriterOf(tensor) == kNobody && rescaled_.contains(tensor)) AddRescale(tensor);
  const int writer = WriterOf(tensor);
  if (writer == kNobody) Bad("reads what no operator before it writes, as its input ", number);
  return writer;
}

void TfliteReader::Append(op::Any operation, std::vector<int> inputs) {
  Node node = {where_, type_, NameOfOutput(), std::move(inputs), std::move(operation)};
  const tflite::Tensor& output = TensorAt(OutputOf());
  if (!any_size_ && !AnySize(output)) node.shape = ShapeOf(output);
  WriterOf(OutputOf()) = network_.Append(std::move(node));
}

// With the activation that the file holds as a part of the operator.
void TfliteReader::Append(op::Any operation, std::vector<int> inputs, int activation) {
  const bool read = activation == 0 || activation == 1 || activation == 3;
  if (!read) Bad("has the activation ", activation, ", expected none (0), ReLU (1) or ReLU6 (3)");
  Append(std::move(operation), std::move(inputs));
  if (activation != 0)
    Append(op::Activate{activation == 1 ? Activation::kRelu : Activation::kRelu6}, {network_.output});
}

namespace {

// By what SaveTflite wrote about it, which needs no guess.
void Describe(const Safetensors& ours, Model& model) {
  for (const char* guessed : {"preprocessing", "labels"}) model.provenance.erase(guessed);
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
  Graph graph = TfliteReader(file, bytes.size(), name).Read();
  graph.texts = TextsInZip(bytes);
  CheckTexts(TfliteTexts(file), graph.texts, name);
  graph.padding = TflitePadding(ours);
  Model model = ToModel(graph);
  if (!ours.metadata.empty()) Describe(ours, model);
  return model;
}

}  // namespace mobilenet
