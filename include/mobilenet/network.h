// What a MobileNet is: layers as plain data, and the builders that write them down.
//
// A Network holds no weights and does nothing. Counting, running, importing and exporting all read this one
// description. Every function here is pure and may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mobilenet/export.h"

namespace mobilenet {

// The shape of one feature map (of one image). The layout is NHWC: value (y, x, c) of an image stands at
// (y * width + x) * channels + c.
struct Shape {
  int height = 0;
  int width = 0;
  int channels = 0;

  [[nodiscard]] std::int64_t size() const { return std::int64_t{height} * width * channels; }
  bool operator==(const Shape&) const = default;
};

// How far a window moves, in pixels; one number is the same both ways.
struct Stride {
  int down = 1;
  int across = 1;

  constexpr Stride() = default;
  constexpr Stride(int both) : down(both), across(both) {}  // NOLINT(google-explicit-constructor)
  constexpr Stride(int the_down, int the_across) : down(the_down), across(the_across) {}
  bool operator==(const Stride&) const = default;
};

// Zeros around a feature map, in pixels.
struct Padding {
  int top = 0;
  int bottom = 0;
  int left = 0;
  int right = 0;

  bool operator==(const Padding&) const = default;
};

// How a convolution is padded so that stride 1 keeps the size.
enum class PaddingStyle {
  kSame,       // TensorFlow: as little as the output size needs; an odd rest goes below and to the right
  kSymmetric,  // PyTorch: kernel / 2 on every side
  kKeras,  // keras.applications' V1: before a depthwise stride kernel / 2 below and to the right alone, else
           // as kSame. Another network than that where such a map is odd
};

enum class Activation {
  kNone,
  kRelu,         // max(x, 0)
  kRelu6,        // min(max(x, 0), 6)
  kHardSigmoid,  // relu6(x + 3) / 6
  kHardSwish,    // x relu6(x + 3) / 6
};

enum class LayerKind {
  kConvolution,  // kernel x kernel, mixes all channels; weight [kernel, kernel, in, out]
  kDepthwise,    // kernel x kernel, one filter a channel; weight [kernel, kernel, channels]
  kPointwise,    // 1 x 1, mixes channels; weight [in, out]
  kGlobalAveragePool,
  kFullyConnected,  // weight [in, out]
  kAdd,             // the sum of two maps of one shape: a skip around what lies between
  kScale,           // a map, and a map of 1 x 1: each channel times its number there, the gate
  kMaxPool,         // the largest value under a kernel x kernel window, which hangs over no edge
};

constexpr int kNetworkInput = -1;  // in Layer::inputs: the network's own input

// One layer: a linear operation, then batch norm or bias where it has them, then the activation. A field that
// its kind doesn't use has its default.
struct Layer {
  std::string name;  // unique in its network, such as "block3.depthwise"
  LayerKind kind = LayerKind::kConvolution;
  // Indices of earlier layers, or kNetworkInput: one, or two for a sum; of a scale the map, then the gate.
  std::vector<int> inputs;
  Shape input;  // of each of them, but for a gate, which has its channels
  Shape output;
  int kernel = 1;
  Stride stride;
  Padding padding;
  bool batch_norm = false;
  bool bias = false;
  float epsilon = 1e-3F;  // of the batch norm
  Activation activation = Activation::kNone;

  bool operator==(const Layer&) const = default;
};

// The sides of an input in pixels; one number is a square.
struct Resolution {
  int height = 224;
  int width = 224;

  constexpr Resolution() = default;
  constexpr Resolution(int side) : height(side), width(side) {}  // NOLINT(google-explicit-constructor)
  constexpr Resolution(int the_height, int the_width) : height(the_height), width(the_width) {}
  bool operator==(const Resolution&) const = default;
};

// What V1 builds from. Aggregate: name the fields that differ, as in V1({.alpha = 0.5}).
struct V1Options {
  double alpha = 1;             // width multiplier, in (0, 1]
  Resolution resolution = 224;  // of the input, sides from 32 to 4096 pixels; rho = resolution / 224
  int classes = 1000;           // to 1,000,000; 0: no classifier, the network ends with its average
  int input_channels = 3;       // 3 (RGB) or 1 (grey)
  // How many input pixels one pixel of the last feature map stands for: 32 (the paper's), 16, 8 or 4. Smaller
  // ones drop strides, the earliest first, and keep small inputs such as 32 x 32 useful.
  int output_stride = 32;
  bool separable = true;  // false: the paper's comparison, every separable layer a standard convolution
  // True: without the five blocks of 14 x 14 x 512, the paper's shallow network (Table 5).
  bool shallow = false;
  PaddingStyle padding = PaddingStyle::kSame;
  Activation activation = Activation::kRelu6;
  bool batch_norm = true;  // false: a bias in its place, as in files whose batch norm was folded
  float epsilon = 1e-3F;   // of every batch norm

  bool operator==(const V1Options&) const = default;
};

// What V2 builds from. Fields of the same name as V1's mean the same.
struct V2Options {
  double alpha = 1;  // width multiplier, from 0.1 to 1.4
  Resolution resolution = 224;
  int classes = 1000;
  int input_channels = 3;
  int output_stride = 32;
  PaddingStyle padding = PaddingStyle::kSame;
  Activation activation = Activation::kRelu6;
  bool batch_norm = true;
  float epsilon = 1e-3F;

  bool operator==(const V2Options&) const = default;
};

// The networks of V3. The minimalistic ones have no 5x5 windows, no hard-swish and no squeeze-excite. They
// are stored by their names, so that a new one may stand anywhere.
enum class V3Variant { kLarge, kSmall, kLargeMinimalistic, kSmallMinimalistic };

// Whose widths a V3 has for alpha other than 1, of which the paper says nothing: all of them are the paper's
// at alpha 1. Stored by their names.
enum class V3Widths {
  kSlim,         // TF-Slim, by the paper's authors: the features are widened only for alpha above 1
  kKeras,        // keras.applications: as that, but the first convolution always as at alpha 1
  kTimm,         // the features always as at alpha 1, and the first convolution below 0.75
  kTorchvision,  // everything by alpha; what blocks expand to, too, where others have a ratio
};

// What V3 builds from. Fields of the same name as V1's mean the same.
struct V3Options {
  V3Variant variant = V3Variant::kLarge;
  double alpha = 1;  // width multiplier, from 0.1 to 1.4; the paper has 0.35 to 1.25
  Resolution resolution = 224;
  int classes = 1000;  // 0: no classifier, the network ends with the features that it would read
  int input_channels = 3;
  int output_stride = 32;
  V3Widths widths = V3Widths::kSlim;
  PaddingStyle padding = PaddingStyle::kSame;
  bool batch_norm = true;
  float epsilon = 1e-3F;

  bool operator==(const V3Options&) const = default;
};

// The convolutional networks of V4; those with attention are none of ours. They are stored by their names, so
// that a new one may stand anywhere.
enum class V4Variant { kConvSmall, kConvMedium, kConvLarge };

// What V4 builds from. Fields of the same name as V1's mean the same; padding, activation and epsilon are by
// default those of the only weights that are published, timm's.
struct V4Options {
  V4Variant variant = V4Variant::kConvSmall;
  double alpha = 1;  // width multiplier, from 0.1 to 1.4
  // The paper has Conv-S at 224 pixels, Conv-M at 256 and Conv-L at 384.
  Resolution resolution = 224;
  int classes = 1000;  // 0: no classifier, the network ends with the 1280 features that it would read
  int input_channels = 3;
  int output_stride = 32;
  PaddingStyle padding = PaddingStyle::kSymmetric;
  Activation activation = Activation::kRelu;
  bool batch_norm = true;
  float epsilon = 1e-5F;

  bool operator==(const V4Options&) const = default;
};

// How a MobileNet is made, and what it is called. A new version is one more alternative, in the order of
// their names.
using Recipe = std::variant<V1Options, V2Options, V3Options, V4Options>;

// A network: layers in an order in which each comes after its inputs; the last one is the output (logits).
// The layers are the truth: they are what is counted, run, trained and stored. The recipe is a caption, for
// those that were built by one; where it makes other layers than these it counts for nothing.
struct Network {
  Shape input;
  std::vector<Layer> layers;
  std::optional<Recipe> recipe = std::nullopt;

  // Of the last layer. Throws Error where there are no layers.
  [[nodiscard]] MOBILENET_EXPORT const Shape& output() const;
  // How many outputs its classifier has, one for each class; 0 where it has none (HasClassifier). Throws
  // Error where there are no layers.
  [[nodiscard]] MOBILENET_EXPORT int classes() const;
};

// Whether the network ends with numbers that stand for classes: a last layer that mixes channels, without a
// batch norm or an activation, and makes a map of 1 x 1. One without ends with features, as the global
// average is and what V4 makes of it, or with a map.
MOBILENET_EXPORT bool HasClassifier(const Network& network);

// Throws Error, naming the layer, for a network that doesn't hold together: a layer without a name of its
// own, an input that doesn't come earlier or has another shape, a shape that doesn't follow from kernel,
// stride and padding, a field out of its range. Everything that takes a Network calls it, so that one written
// by hand is safe; and for one of more than 1000 layers, or with more weights in a layer than 2^31.
MOBILENET_EXPORT void CheckNetwork(const Network& network);

// MobileNet V1 (Howard et al. 2017, Table 1): a 3x3 convolution, thirteen depthwise separable blocks, global
// average pooling, and a fully connected layer that yields logits unless there are no classes. A layer of c
// channels has max(8, int(alpha * c)), as in TF-Slim. Throws Error for an option out of its range.
MOBILENET_EXPORT Network V1(const V1Options& options = {});

// The number of channels that V1 gives a layer of `channels` under `alpha`.
MOBILENET_EXPORT int V1Channels(double alpha, int channels);

// MobileNet V2 (Sandler et al. 2018, Table 2): a 3x3 convolution, seventeen inverted residual blocks, a 1x1
// convolution, global average pooling, a fully connected layer. A block expands its channels sixfold (the
// first one doesn't), filters them depthwise, and projects them without an activation; where stride and
// channels allow it, its input is added. The last convolution is widened only for alpha above 1. Throws Error
// for an option out of its range.
MOBILENET_EXPORT Network V2(const V2Options& options = {});

// The number of channels that V2, V3 and V4 give a layer of `channels` under `alpha`: the multiple of 8 that
// is nearest to alpha * channels, at least 8, and never less than 90 % of it.
MOBILENET_EXPORT int V2Channels(double alpha, int channels);

// MobileNet V3 (Howard et al. 2019, Tables 1 and 2): a 3x3 convolution, inverted residual blocks, a 1x1
// convolution, global average pooling, two fully connected layers. In some blocks each channel of the
// depthwise layer is scaled by a gate that two fully connected layers make of all channels' averages:
// squeeze-excite. Throws Error for an option out of its range.
MOBILENET_EXPORT Network V3(const V3Options& options = {});

// MobileNet V4 (Qin et al. 2024, Tables 11, 12 and 14): a 3x3 convolution, blocks that begin with a 3x3
// convolution of stride 2 (two in Conv-S, one in Conv-M and Conv-L), universal inverted bottlenecks, a 1x1
// convolution, global average pooling, two fully connected layers. A universal inverted bottleneck expands
// its channels and projects them without an activation; before the one and the other there may be a depthwise
// layer, of 3x3 or 5x5, the first of which has no activation. Where stride and channels allow it, the input
// is added. Under alpha, timm's rules: the first convolution is widened only for alpha above 1, and the
// features are always 1280. Throws Error for an option out of its range.
MOBILENET_EXPORT Network V4(const V4Options& options = {});

// The network of a recipe. Throws Error for an option out of its range.
MOBILENET_EXPORT Network Build(const Recipe& recipe);

// "v1", "v2", "v3-large", "v3-small", "v3-large-minimalistic", "v3-small-minimalistic", "v4-conv-small",
// "v4-conv-medium", "v4-conv-large".
MOBILENET_EXPORT std::string_view NameOf(const Recipe& recipe);
MOBILENET_EXPORT std::string_view NameOf(V3Variant variant);
MOBILENET_EXPORT std::string_view NameOf(V4Variant variant);

// All of them: "v1", "v2", "v3-large", ...
MOBILENET_EXPORT std::vector<std::string> RecipeNames();

// The recipe of that name with all other options at their defaults; nothing for a name that is none.
MOBILENET_EXPORT std::optional<Recipe> RecipeNamed(std::string_view name);

// The recipe of a network, where it has one that makes just these layers.
MOBILENET_EXPORT std::optional<Recipe> RecipeOf(const Network& network);

// NameOf its recipe; "custom" for a network that no recipe makes.
MOBILENET_EXPORT std::string_view VersionOf(const Network& network);

// For people: "MobileNet V1, alpha 0.5, 160 x 160", "MobileNet V4 Conv-S, alpha 1, 224 x 224", "custom
// network without a classifier, 96 x 128".
MOBILENET_EXPORT std::string TitleOf(const Network& network);

// The same network with another input or number of classes; the weights that don't belong to the classifier
// fit both. A network that a recipe makes is built by it again. In any other, windows are padded as "same"
// or "keras" pads where that is how all of them were, else as they were; the classifier is the last layer,
// which must be fully connected, or comes behind one of 1 x 1, the average, where there is none; of 0
// classes, it is left away. Throws Error where that can't be.
MOBILENET_EXPORT Network WithResolution(const Network& network, Resolution resolution);
MOBILENET_EXPORT Network WithClasses(const Network& network, int classes);

// One tensor that a layer needs.
struct Parameter {
  std::string name;  // "block3.depthwise.weight", ".bias", ".norm.gamma", ".norm.beta", ".norm.mean",
                     // ".norm.variance"
  std::vector<std::int64_t> shape;
  bool trainable = true;  // false for a batch norm's running mean and variance

  [[nodiscard]] MOBILENET_EXPORT std::int64_t size() const;
};

// The tensors of a layer or of a whole network, in order.
MOBILENET_EXPORT std::vector<Parameter> ParametersOf(const Layer& layer);
MOBILENET_EXPORT std::vector<Parameter> ParametersOf(const Network& network);

// What feature maps may take in a Plan.
enum class MemoryUse {
  kFast,   // whole maps where they stay in a core's cache, a few rows of each where they don't
  kLeast,  // a few rows wherever that takes less memory, though it takes more time
};

// "fast", "least".
MOBILENET_EXPORT std::string_view NameOf(MemoryUse memory);

// How numbers are stored and multiplied.
enum class Precision { kFloat32, kBfloat16, kFloat16, kInt8 };

// "float32", "bfloat16", "float16", "int8".
MOBILENET_EXPORT std::string_view NameOf(Precision precision);

// "slim", "keras", "timm", "torchvision".
MOBILENET_EXPORT std::string_view NameOf(V3Widths widths);

// "same", "symmetric", "keras".
MOBILENET_EXPORT std::string_view NameOf(PaddingStyle style);

// "none", "relu", "relu6", "hard-sigmoid", "hard-swish".
MOBILENET_EXPORT std::string_view NameOf(Activation activation);

// "convolution", "depthwise", "pointwise", "global average pool", "fully connected", "add", "scale",
// "max pool".
MOBILENET_EXPORT std::string_view NameOf(LayerKind kind);

}  // namespace mobilenet
