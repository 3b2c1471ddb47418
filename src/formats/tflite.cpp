#include "formats/tflite.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/fail.h"
#include "formats/tflite_generated.h"

namespace mobilenet {
namespace {

// Operator codes, tensor types and activations of the TFLite format.
enum Code : int {
  kAveragePool = 1,
  kConvolution = 3,
  kDepthwiseConvolution = 4,
  kFullyConnected = 9,
  kReshape = 22,
  kSoftmax = 25,
  kPad = 34,
  kMean = 40,
  kSqueeze = 43,
};
constexpr int kFloat32 = 0;
constexpr int kInt32 = 2;
constexpr int kSame = 0;

class Reader {
 public:
  Reader(const tflite::Model& model, std::string_view file) : model_(model), chain_(file) {
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
  }

  ImportedNetwork Read() {
    ReadInput();
    for (std::size_t i = 0; i < graph_->operators()->size(); ++i) {
      where_ = Concat("operator ", i);
      const tflite::Operator& op = *graph_->operators()->Get(static_cast<flatbuffers::uoffset_t>(i));
      FollowChain(op);
      Add(op, CodeOf(op));
      current_ = Index(op.outputs(), 0, "output");
    }
    if (graph_->outputs() == nullptr || graph_->outputs()->size() != 1 ||
        graph_->outputs()->Get(0) != current_) {
      Fail(network_.file, ": its output is not that of its last operator");
    }
    chain_.End();
    return std::move(network_);
  }

 private:
  template <typename... Parts>
  [[noreturn]] void Bad(const Parts&... parts) const {
    Fail(network_.file, ": ", where_, " ", parts...);
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

  std::vector<std::int64_t> ShapeOf(const tflite::Tensor& tensor) const {
    std::vector<std::int64_t> shape;
    if (tensor.shape() != nullptr) shape.assign(tensor.shape()->begin(), tensor.shape()->end());
    for (const std::int64_t n : shape) {
      if (n < 1) Bad("has a tensor of shape ", ShapeText(shape), ", expected sizes from 1");
    }
    return shape;
  }

  void ReadInput() {
    where_ = "the graph";
    current_ = Index(graph_->inputs(), 0, "input");
    const tflite::Tensor& input = TensorAt(current_);
    if (input.type() != kFloat32) {
      Bad("takes tensors of type ", int{input.type()}, " (quantized), expected float32 (0)");
    }
    const auto shape = ShapeOf(input);
    if (shape.size() != 4 || shape[0] != 1 || shape[1] != shape[2]) {
      Bad("takes images of shape ", ShapeText(shape), ", expected [1, side, side, channels]");
    }
    network_.resolution = static_cast<int>(shape[1]);
    chain_.SetInput(network_.resolution->height);
  }

  // Each operator reads what the one before it wrote: a MobileNet V1 is a chain.
  void FollowChain(const tflite::Operator& op) {
    const int input = Index(op.inputs(), 0, "input");
    if (input != current_) Bad("does not read what the operator before it wrote: no MobileNet V1 branches");
  }

  int CodeOf(const tflite::Operator& op) const {
    const auto* codes = model_.operator_codes();
    if (op.opcode_index() >= codes->size())
      Bad("has the operator code number ", op.opcode_index(), " of ", codes->size());
    const tflite::OperatorCode& code = *codes->Get(op.opcode_index());
    return std::max<int>(code.short_code(), code.code());
  }

  void Add(const tflite::Operator& op, int code) {
    switch (code) {
      case kConvolution:
        return AddConvolution(op);
      case kDepthwiseConvolution:
        return AddDepthwise(op);
      case kFullyConnected:
        return AddFullyConnected(op);
      case kAveragePool:
        return CheckPool(op);
      case kMean:
        return CheckMean(op);
      case kPad:
        return AddZeros(op);
      case kReshape:
      case kSqueeze:
        return CheckReshape(op);
      case kSoftmax:
        return chain_.Softmax(where_);
      default:
        Bad("is TFLite's number ", code, ", which no float32 MobileNet V1 has");
    }
  }

  // The float32 values of a constant tensor, of which the shape must have `rank` dimensions.
  std::pair<std::vector<std::int64_t>, std::vector<float>> Constant(const tflite::Operator& op,
                                                                    unsigned input, std::size_t rank) const {
    const tflite::Tensor& tensor = TensorAt(Index(op.inputs(), input, "input"));
    if (tensor.type() != kFloat32)
      Bad("has weights of type ", int{tensor.type()}, " (quantized), expected float32 (0)");
    auto shape = ShapeOf(tensor);
    if (shape.size() != rank)
      Bad("has a weight of shape ", ShapeText(shape), ", expected ", rank, " dimensions");
    if (tensor.buffer() >= model_.buffers()->size())
      Bad("names buffer ", tensor.buffer(), " of ", model_.buffers()->size());
    const auto* data = model_.buffers()->Get(tensor.buffer())->data();
    const std::size_t bytes = data == nullptr ? 0 : data->size();
    std::size_t count = 1;
    for (const std::int64_t n : shape) {
      if (count > bytes / static_cast<std::size_t>(n))
        Bad("has a weight of shape ", ShapeText(shape), " in ", bytes, " bytes");
      count *= static_cast<std::size_t>(n);
    }
    if (count * sizeof(float) != bytes) {
      Bad("has a weight of ", bytes, " bytes, expected ", count * sizeof(float), " for ", ShapeText(shape));
    }
    std::vector<float> values(count);
    std::memcpy(values.data(), data->data(), bytes);
    return {std::move(shape), std::move(values)};
  }

  std::vector<float> BiasOf(const tflite::Operator& op) const {
    if (op.inputs()->size() < 3 || op.inputs()->Get(2) < 0) return {};
    return Constant(op, 2, 1).second;
  }

  Activation ActivationOf(int fused) const {
    switch (fused) {
      case 0:
        return Activation::kNone;
      case 1:
        return Activation::kRelu;
      case 3:
        return Activation::kRelu6;
      default:
        Bad("has the activation ", fused, ", expected none (0), ReLU (1) or ReLU6 (3)");
    }
  }

  template <typename Options>
  void SetWindow(const Options& options, ImportedLayer& layer) {
    if (options.stride_w() != options.stride_h() || options.stride_w() < 1) {
      Bad("has the strides ", options.stride_h(), " and ", options.stride_w(),
          ", expected equal ones from 1");
    }
    if (options.dilation_w() != 1 || options.dilation_h() != 1) Bad("is dilated, expected a dilation of 1");
    if (layer.kind == LayerKind::kPointwise) {
      chain_.Pointwise(where_);
    } else {
      layer.padding = chain_.Convolution(where_, static_cast<int>(layer.weight.shape[0]), options.stride_w(),
                                         options.padding() == kSame);
    }
    layer.stride = options.stride_w();
    layer.activation = ActivationOf(options.fused_activation());
  }

  // [out, k, k, in] in the file.
  void AddConvolution(const tflite::Operator& op) {
    const auto* options = op.options_as_Conv2DOptions();
    if (options == nullptr) Bad("lacks its convolution options");
    const auto [shape, values] = Constant(op, 1, 4);
    const std::int64_t out = shape[0];
    const std::int64_t rest = static_cast<std::int64_t>(values.size()) / out;
    ImportedLayer layer;
    layer.name = where_;
    const bool pointwise = shape[1] == 1 && shape[2] == 1;
    layer.kind = pointwise ? LayerKind::kPointwise : LayerKind::kConvolution;
    layer.weight =
        Tensor::Of(pointwise ? std::vector{shape[3], out} : std::vector{shape[1], shape[2], shape[3], out},
                   Transposed(values, out, rest));
    layer.bias = BiasOf(op);
    SetWindow(*options, layer);
    network_.layers.push_back(std::move(layer));
  }

  // [1, k, k, channels] in the file.
  void AddDepthwise(const tflite::Operator& op) {
    const auto* options = op.options_as_DepthwiseConv2DOptions();
    if (options == nullptr) Bad("lacks its depthwise options");
    auto [shape, values] = Constant(op, 1, 4);
    if (shape[0] != 1 || options->depth_multiplier() > 1) Bad("has a depth multiplier, expected 1");
    ImportedLayer layer;
    layer.name = where_;
    layer.kind = LayerKind::kDepthwise;
    layer.weight = Tensor::Of({shape[1], shape[2], shape[3]}, std::move(values));
    layer.bias = BiasOf(op);
    SetWindow(*options, layer);
    network_.layers.push_back(std::move(layer));
  }

  // [out, in] in the file.
  void AddFullyConnected(const tflite::Operator& op) {
    chain_.Classifier(where_);
    const auto [shape, values] = Constant(op, 1, 2);
    ImportedLayer layer;
    layer.name = where_;
    layer.kind = LayerKind::kFullyConnected;
    layer.weight = Tensor::Of({shape[1], shape[0]}, Transposed(values, shape[0], shape[1]));
    layer.bias = BiasOf(op);
    const auto* options = op.options_as_FullyConnectedOptions();
    if (options != nullptr && options->fused_activation() != 0) Bad("has an activation, expected none");
    network_.layers.push_back(std::move(layer));
  }

  // The int32 values of a constant tensor.
  std::vector<std::int32_t> Integers(const tflite::Operator& op, unsigned input, std::size_t count) const {
    const tflite::Tensor& tensor = TensorAt(Index(op.inputs(), input, "input"));
    if (tensor.type() != kInt32) Bad("has a parameter of type ", int{tensor.type()}, ", expected int32 (2)");
    if (tensor.buffer() >= model_.buffers()->size())
      Bad("names buffer ", tensor.buffer(), " of ", model_.buffers()->size());
    const auto* data = model_.buffers()->Get(tensor.buffer())->data();
    const std::size_t bytes = data == nullptr ? 0 : data->size();
    if (bytes != count * sizeof(std::int32_t))
      Bad("has a parameter of ", bytes, " bytes, expected ", count * sizeof(std::int32_t));
    std::vector<std::int32_t> values(count);
    std::memcpy(values.data(), data->data(), bytes);
    return values;
  }

  // Zeros around the map, as Keras puts them before a layer of stride 2: [[0, 0], [before, after], [before,
  // after], [0, 0]].
  void AddZeros(const tflite::Operator& op) {
    const auto p = Integers(op, 1, 8);
    const bool square = p[0] == 0 && p[1] == 0 && p[2] == p[4] && p[3] == p[5] && p[6] == 0 && p[7] == 0;
    if (!square) Bad("pads in a way that no MobileNet V1 does");
    chain_.Zeros(where_, p[2], p[3]);
  }

  void CheckMean(const tflite::Operator& op) {
    auto axes = Integers(op, 1, 2);
    for (std::int32_t& axis : axes) axis += axis < 0 ? 4 : 0;  // counted from the end
    std::ranges::sort(axes);
    if (axes[0] != 1 || axes[1] != 2)
      Bad("averages over the axes ", axes[0], " and ", axes[1], ", expected 1 and 2");
    chain_.Average(where_, 0);
  }

  // Only axes of one value may come or go: anything else would mix pixels with channels.
  void CheckReshape(const tflite::Operator& op) {
    const auto sizes = [&](int index) {
      std::vector<std::int64_t> shape = ShapeOf(TensorAt(index));
      std::erase(shape, 1);
      return shape;
    };
    const auto from = sizes(current_);
    const auto to = sizes(Index(op.outputs(), 0, "output"));
    if (from != to || from.size() > 1) {
      Bad("makes ", ShapeText(ShapeOf(TensorAt(Index(op.outputs(), 0, "output")))), " of ",
          ShapeText(ShapeOf(TensorAt(current_))), ", expected the same values for each channel");
    }
  }

  void CheckPool(const tflite::Operator& op) {
    const auto* options = op.options_as_Pool2DOptions();
    const auto shape = ShapeOf(TensorAt(current_));
    if (options == nullptr || shape.size() != 4 || options->filter_height() != shape[1] ||
        options->filter_width() != shape[2]) {
      Bad("averages over a window, expected the whole feature map");
    }
    chain_.Average(where_, options->filter_height());
  }

  static std::vector<float> Transposed(const std::vector<float>& values, std::int64_t rows,
                                       std::int64_t columns) {
    std::vector<float> result(values.size());
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) result[c * rows + r] = values[r * columns + c];
    }
    return result;
  }

  const tflite::Model& model_;
  const tflite::SubGraph* graph_ = nullptr;
  ImportedNetwork network_;
  ChainCheck chain_;
  int current_ = 0;    // the tensor that the next operator must read
  std::string where_;  // for messages
};

}  // namespace

bool IsTflite(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, "TFL3", 4) == 0;
}

ImportedNetwork ReadTflite(std::span<const std::uint8_t> bytes, std::string_view name) {
  constexpr flatbuffers::uoffset_t kMaxDepth = 64;
  constexpr flatbuffers::uoffset_t kMaxTables = 100'000;
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), kMaxDepth, kMaxTables);
  if (!tflite::VerifyModelBuffer(verifier))
    Fail(name, ": is a damaged TFLite file: its tables don't hold together");
  return Reader(*tflite::GetModel(bytes.data()), name).Read();
}

}  // namespace mobilenet
