// Writing TensorFlow Lite. Maps are NHWC as ours; weights have their channels out first.
#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "formats/rgb_input.h"
#include "formats/tflite_floats.h"
#include "formats/tflite_generated.h"
#include "formats/tflite_metadata.h"
#include "formats/tflite_operators.h"
#include "formats/transposed.h"
#include "formats/zip_texts.h"
#include "mobilenet/interchange.h"
#include "network/kinds.h"
#include "network/shapes.h"
#include "runtime/fold.h"

namespace mobilenet {
namespace {

using Sizes = std::vector<std::int32_t>;

std::int8_t FusedOf(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return 0;
    case Activation::kRelu:
      return 1;
    case Activation::kRelu6:
      return 3;
    case Activation::kHardSigmoid:
    case Activation::kHardSwish:
      return 0;  // operators of their own
  }
  return 0;
}

std::size_t BytesOfWeights(const Model& model) {
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : model.weights) bytes += tensor.values.size_bytes();
  return bytes;
}

class TfliteWriter {
 public:
  // The builder has the room that it needs from the beginning: it moves everything when it grows.
  explicit TfliteWriter(const Model& model)
      : model_(model), builder_(BytesOfWeights(model) + kRoomForTables), empty_(AddBuffer(nullptr, 0)) {}

  void Write(const TfliteOptions& options, const std::string& path) {
    input_ = AddMap(model_.network.input, "input");
    const Sizes inputs = {input_};
    if (options.preprocessing) AddPreprocessing();
    for (const Layer& layer : model_.network.layers) maps_.push_back(AddCurve(layer, Add(layer)));
    const Sizes outputs = {AddEnd()};
    AddMetadata(options, path);
    const std::vector subgraphs = {
        tflite::CreateSubGraphDirect(builder_, &tensors_, &inputs, &outputs, &operators_, "main")};
    constexpr int kVersion = 3;
    const std::string title = TitleOf(model_.network);
    builder_.Finish(tflite::CreateModelDirect(builder_, kVersion, &codes_, &subgraphs, title.c_str(),
                                              &buffers_, nullptr, &metadata_),
                    tflite::ModelIdentifier());
  }

  // What Write made.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const {
    return {builder_.GetBufferPointer(), builder_.GetSize()};
  }

 private:
  static constexpr std::size_t kRoomForTables = 65'536;

  std::uint32_t AddBuffer(const void* data, std::size_t bytes) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    constexpr std::size_t kAlignment = 16;  // of the schema
    flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> vector;
    if (bytes > 0) {
      builder_.ForceVectorAlignment(bytes, 1, kAlignment);
      vector = builder_.CreateVector(first, bytes);
    }
    buffers_.push_back(tflite::CreateBuffer(builder_, vector));
    return static_cast<std::uint32_t>(buffers_.size() - 1);
  }

  int AddTensor(const Sizes& shape, int type, std::uint32_t buffer, const std::string& name,
                const Sizes* signature = nullptr) {
    tensors_.push_back(tflite::CreateTensorDirect(builder_, &shape, static_cast<std::int8_t>(type), buffer,
                                                  name.c_str(), 0, false, 0, signature));
    return static_cast<int>(tensors_.size()) - 1;
  }

  // Of any batch; the shapes are those of one image.
  int AddMap(Sizes shape, const std::string& name) {
    const Sizes one = shape;
    shape.front() = -1;
    return AddTensor(one, kTfliteFloat32, empty_, name, &shape);
  }
  int AddMap(const Shape& shape, const std::string& name) {
    return AddMap(Sizes{1, shape.height, shape.width, shape.channels}, name);
  }

  int AddFloats(const Sizes& shape, std::span<const float> values, const std::string& name) {
    return AddTensor(shape, kTfliteFloat32, AddBuffer(values.data(), values.size_bytes()), name);
  }

  int AddIntegers(const Sizes& shape, const Sizes& values, const std::string& name) {
    return AddTensor(shape, kTfliteInt32, AddBuffer(values.data(), values.size() * sizeof(values[0])), name);
  }

  // The operator's number in the file, which counts each kind once.
  std::uint32_t CodeOf(int code, int version) {
    const auto found = std::ranges::find(kinds_, std::pair(code, version));
    if (found != kinds_.end()) return static_cast<std::uint32_t>(found - kinds_.begin());
    kinds_.emplace_back(code, version);
    codes_.push_back(tflite::CreateOperatorCode(builder_, static_cast<std::int8_t>(code), 0, version, code));
    return static_cast<std::uint32_t>(codes_.size() - 1);
  }

  // Of the oldest version that does it.
  int AddOperator(int code, const Sizes& inputs, int output, tflite::Options type = tflite::Options_NONE,
                  flatbuffers::Offset<void> options = 0, int version = 1) {
    const std::uint32_t number = CodeOf(code, version);
    const Sizes outputs = {output};
    operators_.push_back(tflite::CreateOperatorDirect(builder_, number, &inputs, &outputs, type, options));
    return output;
  }

  // (pixel - mean) * scale
  void AddPreprocessing() {
    const Preprocessing& p = model_.preprocessing;
    const int channels = model_.network.input.channels;
    const auto constant = [&](const std::array<float, 3>& values, const char* name) {
      return AddFloats({channels}, std::span(values).first(static_cast<std::size_t>(channels)), name);
    };
    input_ = AddOperator(tflite_operator::kSub, {input_, constant(p.mean, "mean")},
                         AddMap(model_.network.input, "centred"), tflite::Options_SubOptions,
                         tflite::CreateSubOptions(builder_).Union());
    input_ = AddOperator(tflite_operator::kMul, {input_, constant(p.scale, "scale")},
                         AddMap(model_.network.input, "scaled"), tflite::Options_MulOptions,
                         tflite::CreateMulOptions(builder_).Union());
  }

  [[nodiscard]] int MapOf(int layer) const {
    return layer == kNetworkInput ? input_ : maps_[static_cast<std::size_t>(layer)];
  }

  int Add(const Layer& layer) {
    switch (layer.kind) {
      case LayerKind::kConvolution:
      case LayerKind::kPointwise:
        return AddConvolution(layer);
      case LayerKind::kDepthwise:
        return AddDepthwise(layer);
      case LayerKind::kFullyConnected:
        return AddFullyConnected(layer);
      case LayerKind::kGlobalAveragePool:
        return AddAverage(layer);
      case LayerKind::kMaxPool:
        return AddMaxPool(layer);
      case LayerKind::kAdd:
        return AddSum(layer);
      case LayerKind::kScale:
        return AddProduct({MapOf(layer.inputs[0]), MapOf(layer.inputs[1])}, AddMap(layer.output, layer.name));
    }
    return input_;
  }

  // What an operator with weights reads: a map, the weight, its channels out first, and the bias.
  Sizes Inputs(const Layer& layer, int map, const Sizes& shape) {
    const FoldedLayer folded = Fold(layer, model_.weights);
    const std::int64_t rows = static_cast<std::int64_t>(folded.weight.size()) / layer.output.channels;
    const bool as_it_is = layer.kind == LayerKind::kDepthwise;
    const int weight =
        AddFloats(shape, as_it_is ? folded.weight : Transposed(folded.weight, rows), layer.name + "/weight");
    return {map, weight, AddFloats({layer.output.channels}, folded.bias, layer.name + "/bias")};
  }

  // The map that a window reads: with zeros around it where TensorFlow's "same" would put others.
  int Padded(const Layer& layer) {
    const int map = MapOf(layer.inputs[0]);
    const Padding& p = layer.padding;
    if (IsPaddedAs(PaddingStyle::kSame, layer) || p == Padding()) return map;
    const int zeros =
        AddIntegers({4, 2}, {0, 0, p.top, p.bottom, p.left, p.right, 0, 0}, layer.name + "/paddings");
    const Shape padded = {layer.input.height + p.top + p.bottom, layer.input.width + p.left + p.right,
                          layer.input.channels};
    return AddOperator(tflite_operator::kPad, {map, zeros}, AddMap(padded, layer.name + "/pad"));
  }

  static std::int8_t PaddingOf(const Layer& layer) {
    return IsPaddedAs(PaddingStyle::kSame, layer) ? 0 : 1;  // 1: none but PAD's
  }

  int AddConvolution(const Layer& layer) {
    const int k = layer.kernel;
    const Sizes inputs = Inputs(layer, Padded(layer), {layer.output.channels, k, k, layer.input.channels});
    const auto options = tflite::CreateConv2DOptions(builder_, PaddingOf(layer), layer.stride.across,
                                                     layer.stride.down, FusedOf(layer.activation));
    return AddOperator(tflite_operator::kConvolution, inputs, AddMap(layer.output, layer.name),
                       tflite::Options_Conv2DOptions, options.Union());
  }

  int AddDepthwise(const Layer& layer) {
    const Sizes inputs = Inputs(layer, Padded(layer), {1, layer.kernel, layer.kernel, layer.output.channels});
    const auto options = tflite::CreateDepthwiseConv2DOptions(
        builder_, PaddingOf(layer), layer.stride.across, layer.stride.down, 1, FusedOf(layer.activation));
    return AddOperator(tflite_operator::kDepthwise, inputs, AddMap(layer.output, layer.name),
                       tflite::Options_DepthwiseConv2DOptions, options.Union());
  }

  // At the end [batch, classes]; before it a map of one pixel, as all other layers make and read.
  int AddFullyConnected(const Layer& layer) {
    const bool last = &layer == &model_.network.layers.back();
    const Sizes inputs = Inputs(layer, MapOf(layer.inputs[0]), {layer.output.channels, layer.input.channels});
    const int output =
        last ? AddMap(Sizes{1, layer.output.channels}, layer.name) : AddMap(layer.output, layer.name);
    const auto options = tflite::CreateFullyConnectedOptions(builder_, FusedOf(layer.activation), 0, !last);
    return AddOperator(tflite_operator::kFullyConnected, inputs, output,
                       tflite::Options_FullyConnectedOptions, options.Union(), last ? 1 : 5);
  }

  int AddAverage(const Layer& layer) {
    constexpr std::int8_t kValid = 1;
    const auto options =
        tflite::CreatePool2DOptions(builder_, kValid, 1, 1, layer.input.width, layer.input.height);
    return AddOperator(tflite_operator::kAveragePool, {MapOf(layer.inputs[0])},
                       AddMap(layer.output, layer.name), tflite::Options_Pool2DOptions, options.Union());
  }

  int AddMaxPool(const Layer& layer) {
    constexpr std::int8_t kValid = 1;
    const auto options = tflite::CreatePool2DOptions(builder_, kValid, layer.stride.across, layer.stride.down,
                                                     layer.kernel, layer.kernel);
    return AddOperator(tflite_operator::kMaxPool, {MapOf(layer.inputs[0])}, AddMap(layer.output, layer.name),
                       tflite::Options_Pool2DOptions, options.Union());
  }

  int AddSum(const Layer& layer) {
    const auto options = tflite::CreateAddOptions(builder_, FusedOf(layer.activation));
    return AddOperator(tflite_operator::kAdd, {MapOf(layer.inputs[0]), MapOf(layer.inputs[1])},
                       AddMap(layer.output, layer.name), tflite::Options_AddOptions, options.Union());
  }

  int AddProduct(const Sizes& factors, int output) {
    return AddOperator(tflite_operator::kMul, factors, output, tflite::Options_MulOptions,
                       tflite::CreateMulOptions(builder_).Union());
  }

  // The activations that no operator takes in: hard-sigmoid has none of its own, either.
  int AddCurve(const Layer& layer, int map) {
    const std::string name = layer.name + "/" + std::string(NameOf(layer.activation));
    const auto add_map = [&](const std::string& of) { return AddMap(layer.output, of); };
    if (layer.activation == Activation::kHardSwish)
      return AddOperator(tflite_operator::kHardSwish, {map}, add_map(name));
    if (layer.activation != Activation::kHardSigmoid) return map;
    const auto clipped = tflite::CreateAddOptions(builder_, FusedOf(Activation::kRelu6));
    const int sum =
        AddOperator(tflite_operator::kAdd, {map, AddFloats({}, std::array{3.0F}, name + "/three")},
                    add_map(name + "/sum"), tflite::Options_AddOptions, clipped.Union());
    return AddProduct({sum, AddFloats({}, std::array{1.0F / 6}, name + "/sixth")}, add_map(name));
  }

  // The network's answer: of classes their probabilities.
  int AddEnd() {
    const Layer& last = model_.network.layers.back();
    const bool pixel = last.output.height == 1 && last.output.width == 1;
    const int map = pixel && last.kind != LayerKind::kFullyConnected ? Flat(last) : maps_.back();
    if (!HasClassifier(model_.network)) return map;
    const int output = AddMap(Sizes{1, last.output.channels}, Unique("probabilities"));
    if (model_.answers == Answers::kSigmoid) return AddOperator(tflite_operator::kLogistic, {map}, output);
    return AddOperator(tflite_operator::kSoftmax, {map}, output, tflite::Options_SoftmaxOptions,
                       tflite::CreateSoftmaxOptions(builder_, 1).Union());
  }

  int Flat(const Layer& layer) {
    const int channels = layer.output.channels;
    const int shape = AddIntegers({2}, {-1, channels}, "shape");
    return AddOperator(tflite_operator::kReshape, {maps_.back(), shape},
                       AddMap(Sizes{1, channels}, Unique("features")));
  }

  // No layer's name.
  [[nodiscard]] std::string Unique(std::string name) const {
    while (std::ranges::count(model_.network.layers, name, &Layer::name) > 0) name += "_";
    return name;
  }

  void AddEntry(const std::string& name, const void* data, std::size_t bytes) {
    const std::uint32_t buffer = AddBuffer(data, bytes);
    metadata_.push_back(tflite::CreateMetadataDirect(builder_, name.c_str(), buffer));
  }

  void AddMetadata(const TfliteOptions& options, const std::string& path) {
    const std::vector<std::uint8_t> metadata = TfliteMetadataOf(model_, options.preprocessing);
    AddEntry("TFLITE_METADATA", metadata.data(), metadata.size());
    // As long as the converter's.
    std::string version(OldestRuntime());
    version.resize(16);
    AddEntry("min_runtime_version", version.data(), version.size());
    for (const auto& [name, value] : TfliteEntriesOf(model_, path))
      AddEntry(name, value.data(), value.size());
  }

  // TensorFlow's runtime_version.cc: when these versions of these operators came; all others came before.
  [[nodiscard]] std::string_view OldestRuntime() const {
    const auto has = [&](int code, int version) {
      return std::ranges::count(kinds_, std::pair(code, version)) > 0;
    };
    if (has(tflite_operator::kFullyConnected, 5)) return "2.0.0";
    if (has(tflite_operator::kHardSwish, 1)) return "1.15.0";
    if (has(tflite_operator::kLogistic, 1)) return "1.14.0";
    return has(tflite_operator::kSub, 1) ? "1.6.0" : "1.5.0";
  }

  const Model& model_;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<flatbuffers::Offset<tflite::Buffer>> buffers_;
  std::vector<flatbuffers::Offset<tflite::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<tflite::Operator>> operators_;
  std::vector<flatbuffers::Offset<tflite::OperatorCode>> codes_;
  std::vector<std::pair<int, int>> kinds_;  // operator and version of each of these
  std::vector<flatbuffers::Offset<tflite::Metadata>> metadata_;
  std::uint32_t empty_;    // the buffer of what is no constant, the first, by the format
  int input_ = 0;          // the tensor that is the network's input, behind what normalises it
  std::vector<int> maps_;  // of each layer
};

// What the file could not tell again.
void CheckWritable(const Model& model, const std::string& path) {
  const int channels = model.network.input.channels;
  if (channels != 1 && channels != 3)
    Fail(path, ": can't be written: the network takes images of ", channels, " channels, expected 3 or 1");
  constexpr std::size_t kMost = (std::size_t{1} << 31) - (std::size_t{1} << 24);  // with room for the rest
  if (BytesOfWeights(model) > kMost) Fail(path, ": can't be written: a TFLite file has at most 2^31 bytes");
  for (const std::string& label : model.labels) {
    if (label.find('\n') != std::string::npos || label.ends_with('\r'))
      Fail(path, ": can't be written: the label \"", label,
           "\" has a line break, and the file has a line for each");
  }
}

// The archive at the file's end, which holds the labels; empty where there are none.
std::string ArchiveOf(const Model& model, std::size_t at) {
  if (model.labels.empty()) return "";
  TextFile file = {.name = std::string(kTfliteLabels), .text = ""};
  for (const std::string& label : model.labels) file.text += label + "\n";
  return ZipOfTexts({&file, 1}, at);
}

void Save(const Model& model, const std::filesystem::path& path, const TfliteOptions& options) {
  CheckNetwork(model.network);
  CheckWeights(model.network, model.weights);
  CheckWritable(model, path.string());
  const Model rgb = TakingRgb(model, path.string(), "TFLite's metadata can't say that it takes BGR");
  TfliteWriter writer(rgb);
  writer.Write(options, path.string());
  const std::string archive = ArchiveOf(model, writer.bytes().size());
  const std::array parts = {writer.bytes(),
                            std::span(reinterpret_cast<const std::uint8_t*>(archive.data()), archive.size())};
  WriteFileWhole(path, parts);
}

}  // namespace

void SaveTflite(const Model& model, const std::filesystem::path& path, const TfliteOptions& options) {
  OrOutOfMemory(path.native(), [&] { Save(model, path, options); });
}

}  // namespace mobilenet
