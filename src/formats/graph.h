// Other people's networks as their files have them: operators that read each other, with their weights in our
// layouts. An importer writes down what stands in the file and nothing else; what it amounts to is worked out
// once for all formats, by ToModel.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/zip_texts.h"
#include "mobilenet/model.h"

namespace mobilenet {

// What a node does. Each reads one map but Add and Multiply, and makes one.
namespace op {

// A window that moves over the map.
struct Window {
  Tensor weight;
  std::vector<float> bias;  // empty for none
  Stride stride = {};
  // Zeros around the map. Nothing: as few as TensorFlow's "same" takes.
  std::optional<Padding> padding = std::nullopt;
};
struct Convolution : Window {};  // weight [k, k, in, out]
struct Depthwise : Window {};    // weight [k, k, channels]

struct Dense {
  Tensor weight;  // [in, out]
  std::vector<float> bias;
};

// Zeros around the map.
struct Zeros {
  Padding padding;
};

struct Norm {
  std::vector<float> gamma, beta;  // empty where the file has none: 1 and 0
  std::vector<float> mean, variance;
  float epsilon = 1e-3F;
  int axis = -1;  // of the channels
};

struct Activate {
  Activation activation = Activation::kRelu;
  double slope = 1;  // what it is given is multiplied with before: some hard-sigmoids are steeper
};

struct Add {};

// Of a map and a gate, or of a map and what a hard-swish multiplies it with.
struct Multiply {};

// The mean of windows; without a window, of the whole map.
struct Average {
  int height = 0;
  int width = 0;
  int stride_height = 1;
  int stride_width = 1;
  bool same = false;
};

// The largest value under a window, which hangs over no edge.
struct MaxPool {
  int kernel = 1;
  Stride stride = {};
};

// The same values in another shape, without the batch; -1 for whatever fits.
struct Reshape {
  std::vector<std::int64_t> shape;
};

// At the end: what the answers mean.
struct Softmax {};
struct Sigmoid {};

// x * scale + offset, channel by channel: of the input, or in the midst as a part of a hard-swish, where all
// three are the same.
struct Rescale {
  std::array<double, 3> scale = {1, 1, 1};
  std::array<double, 3> offset = {0, 0, 0};
};

// The channels in the other order.
struct Reverse {};

// What does nothing once a network is trained, as dropout.
struct Identity {};

using Any = std::variant<Convolution, Depthwise, Dense, Zeros, Norm, Activate, Add, Multiply, Average,
                         MaxPool, Reshape, Softmax, Sigmoid, Rescale, Reverse, Identity>;

}  // namespace op

struct Node {
  std::string where;        // for messages: "the layer conv1", "operator 3"
  std::string type;         // in the file's words: "Conv2D", "CONV_2D"
  std::string name;         // what the file calls it; several nodes may have one name, or none
  std::vector<int> inputs;  // indices of earlier nodes, or kNetworkInput
  op::Any operation;
  // Of its output in the file, batch and all; empty where the file doesn't say.
  std::vector<std::int64_t> shape = {};
};

struct Graph {
  std::string file;                      // for messages
  std::string format;                    // "Keras HDF5", ...
  std::optional<Resolution> resolution;  // of the input
  int channels = 0;                      // of the input; 0 where the file doesn't say
  std::vector<Node> nodes;
  int output = kNetworkInput;  // the node that is the network's answer
  // What is known of the whole from more than its operators: strides from the naming of bare weights, which
  // are right only where the layers turn out to be this version's.
  std::optional<std::string> version;  // "v1"
  // The style that windows are padded by, where the file says so in words and not only by each one's zeros.
  std::optional<PaddingStyle> padding;
  // What nearly all files of this kind were trained on; `provenance` may say under "preprocessing" why.
  std::optional<Preprocessing> preprocessing;
  std::map<std::string, std::string> provenance;
  std::vector<TextFile> texts;  // that came along: the first with a line for each class holds the labels

  // Appends a node that reads the output so far, unless it has inputs, and is the output from now on.
  int Append(Node node);
};

// "conv1 ..." -> "file: the layer conv1 ... (Conv2D)". Throws Error.
[[noreturn]] void BadNode(const Graph& graph, const Node& node, std::string_view what);

// A network of ours that computes what the graph does, captioned by its recipe where it has one. Throws
// Error, naming the first node that has no place in any network of ours.
Model ToModel(Graph graph);

}  // namespace mobilenet
