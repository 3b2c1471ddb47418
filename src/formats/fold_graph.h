// The passes that make layers of a graph's nodes.
#pragma once

#include <optional>
#include <vector>

#include "formats/graph.h"

namespace mobilenet {

// Layers with the names that the file gives them, which need not be unique, and with the weights of each,
// named by what follows the layer's name: ".weight", ".norm.gamma".
struct FoldedGraph {
  Network network;
  std::vector<Weights> weights;
  std::optional<op::Rescale> rescale;  // of the input, in the order of channels that the first layer sees
  bool learned_rescale = false;        // whether a batch norm is a part of it
  bool reversed = false;               // whether that is the other one than the input's
  // The nodes of the first convolution, if that is the first layer, and of the batch norm behind it.
  const op::Convolution* first = nullptr;
  const op::Norm* first_norm = nullptr;
  std::optional<Answers> answers;  // by the activation at the end, where there is one
  bool added_average = false;      // over the map that the file ends with
  // As the file has it: kKeras where it writes down zeros below and right alone before a depthwise stride,
  // else kSame where it says so anywhere, else kSymmetric.
  PaddingStyle padding = PaddingStyle::kSymmetric;
};

// Zeros go into the windows that read them; batch norms, biases and activations into the layer before them;
// what does nothing goes away, and so does a softmax or sigmoid at the end; 1 x 1 convolutions behind the
// average become fully connected; a network that ends with a map gets the average over it. Throws Error,
// naming the first node that doesn't fit.
FoldedGraph FoldGraph(const Graph& graph);

}  // namespace mobilenet
