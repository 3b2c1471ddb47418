// Nodes of PyTorch's tensors by their names, of which the callers know what they stand for.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/graph.h"
#include "formats/safetensors.h"

namespace mobilenet {

// What one block's layers are called, up to ".weight" and the like; the expansion is "" where it has none.
struct BlockNames {
  std::string expand, expand_norm;
  std::string depthwise, depthwise_norm;
  std::string project, project_norm;
};

// What the names of a network's weights say of it besides.
struct TorchStyle {
  float epsilon = 1e-5F;     // PyTorch's default
  bool padded_same = false;  // as TensorFlow does; or half of each window's side, symmetrically
  Activation activation = Activation::kRelu6;
};

// Makes nodes of tensors, each of which reads the one before, and keeps account of which were used. Every
// function throws Error, naming the tensor, for one that is missing or has another shape.
class TensorNodes {
 public:
  TensorNodes(const Safetensors& file, const TorchStyle& style);

  [[nodiscard]] bool Has(std::string_view tensor) const { return file_.entries.contains(tensor); }
  // The map so far.
  struct Map {
    int node;
    std::int64_t channels;
  };
  [[nodiscard]] Map map() const { return {graph_.output, channels_}; }

  // Of a convolution with its batch norm and, where there is one, its activation.
  void Convolution(const std::string& name, const std::string& norm, int stride, bool activated);

  // The activation from here on.
  void Use(Activation activation) { style_.activation = activation; }

  // Of a convolution with a bias and no batch norm, and, where there is one, its activation.
  void Biased(const std::string& name, bool activated);

  // The last map times a gate for each channel: convolutions with biases, ReLU and then a hard-sigmoid, of
  // the map's average.
  void SqueezeExcite(const std::string& squeeze, const std::string& excite);

  // Of a depthwise convolution with its batch norm and, where there is one, its activation.
  void Depthwise(const std::string& name, const std::string& norm, int stride, bool activated);

  // The sum with an earlier map behind the layer `name`, where that has as many channels.
  void Skip(const Map& from, const std::string& name);

  // An inverted residual block, whose skip is where there can be one: at stride 1, between as many channels.
  void Block(const BlockNames& names, int stride);

  // The average over the map.
  void Average();

  // A fully connected layer with its activation.
  void Hidden(const std::string& name);

  // The last fully connected layer; nothing where there is none, as in weights of num_classes=0.
  void Classifier(const std::string& name);

  // All windows but those of 1 x 1 must have this side: the names are `whose`, whose activations are known.
  void CheckWindows(std::int64_t side, std::string_view whose) const;

  // All tensors must have been used: the others belong to no layer of `whose`, as "torchvision's MobileNet
  // V2". Batch norms count their batches for training alone.
  Graph Take(std::string_view whose);

 private:
  Tensor Floats(const std::string& name, std::size_t rank);
  std::vector<float> Vector(const std::string& name);
  void SetWindow(const std::vector<std::int64_t>& shape, int stride, op::Window& window) const;
  void Append(const std::string& name, const char* type, op::Any operation);
  void Finish(const std::string& norm, bool activated);
  void Dense(const std::string& name);
  void Activate(const std::string& name);

  const Safetensors& file_;
  TorchStyle style_;
  Graph graph_;
  std::set<std::string, std::less<>> used_;
  std::int64_t channels_ = 0;
};

}  // namespace mobilenet
