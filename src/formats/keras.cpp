// Keras's names, without a configuration.
#include "formats/keras.h"

#include <utility>

#include "base/fail.h"
#include "formats/keras_weights.h"

namespace mobilenet {
namespace {

class NamedLayers {
 public:
  NamedLayers(std::string_view file, const KerasWeights& weights) : weights_(weights) {
    graph_.file = file;
    graph_.format = "Keras weights";
    graph_.version = "v1";
  }

  [[nodiscard]] KerasLayerWeights WeightsOf(const std::string& layer) const {
    return {graph_.file, weights_, "", layer};
  }

  void Add(const std::string& layer, const char* type, op::Any operation) {
    graph_.Append({"the layer " + layer, type, layer, {}, std::move(operation)});
  }

  // A convolution, its batch norm and ReLU6.
  void AddConvolution(const std::string& layer, int stride) {
    op::Convolution convolution = WeightsOf(layer).Convolution();
    convolution.stride = stride;
    Add(layer, "Conv2D", std::move(convolution));
    AddNorm(layer);
  }

  // As keras.applications builds it: before a stride, zeros below and right.
  void AddDepthwise(const std::string& layer, int stride) {
    op::Depthwise depthwise = WeightsOf(layer).Depthwise();
    depthwise.stride = stride;
    if (stride > 1) depthwise.padding = Padding{0, 1, 0, 1};
    Add(layer, "DepthwiseConv2D", std::move(depthwise));
    AddNorm(layer);
  }

  Graph Take() {
    graph_.provenance["padding"] = "keras: known from the layers' names";
    return std::move(graph_);
  }

 private:
  void AddNorm(const std::string& layer) {
    const std::string norm = layer + "_bn";
    if (!WeightsOf(norm).found()) Fail(graph_.file, ": the layer ", norm, " is missing");
    Add(norm, "BatchNormalization", WeightsOf(norm).Norm());
    Add(layer + "_relu", "ReLU", op::Clip{Activation::kRelu6});
  }

  const KerasWeights& weights_;
  Graph graph_;
};

}  // namespace

Graph FromKerasNames(std::string_view file, const KerasWeights& weights) {
  NamedLayers layers(file, weights);
  const Network network = V1();  // whose strides the names stand for
  layers.AddConvolution("conv1", network.layers.front().stride);
  int block = 0;
  for (const Layer& layer : network.layers) {
    if (layer.kind != LayerKind::kDepthwise) continue;
    ++block;
    layers.AddDepthwise(Concat("conv_dw_", block), layer.stride);
    layers.AddConvolution(Concat("conv_pw_", block), 1);
  }
  layers.Add("global_average_pooling2d", "GlobalAveragePooling2D", op::Average());
  const KerasLayerWeights dense = layers.WeightsOf("predictions");
  const KerasLayerWeights convolution = layers.WeightsOf("conv_preds");
  if (convolution.found()) {
    layers.Add("conv_preds", "Conv2D", convolution.Convolution());
  } else if (dense.found()) {
    layers.Add("predictions", "Dense", dense.Dense());
  }  // else the weights of include_top=False
  return layers.Take();
}

bool HasKerasNames(const Safetensors& file) { return file.entries.contains("conv1/kernel"); }

Graph ReadKerasSafetensors(const Safetensors& file) {
  KerasWeights weights;
  for (const auto& [name, entry] : file.entries) {
    const auto slash = name.rfind('/');
    if (slash == std::string::npos)
      Fail(file.name, ": the tensor ", name, " is not named as Keras does, layer/weight");
    weights[name.substr(0, slash)][name.substr(slash + 1)] = file.Floats(name);
  }
  return FromKerasNames(file.name, weights);
}

}  // namespace mobilenet
