// Keras's names, without a configuration.
#include "formats/keras.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "formats/keras_weights.h"

namespace mobilenet {
namespace {

class NamedLayers {
 public:
  NamedLayers(std::string_view file, const KerasWeights& weights, const char* version) : weights_(weights) {
    graph_.file = file;
    graph_.format = "Keras weights";
    graph_.version = version;
  }

  [[nodiscard]] KerasLayerWeights WeightsOf(const std::string& layer) {
    asked_.emplace_back(graph_.file, weights_, "", layer);
    return asked_.back();
  }

  void Add(const std::string& layer, const char* type, op::Any operation, std::vector<int> inputs = {}) {
    graph_.Append({"the layer " + layer, type, layer, std::move(inputs), std::move(operation)});
  }

  // A convolution, its batch norm and, where there is one, ReLU6.
  void AddConvolution(const std::string& layer, const std::string& norm, int stride, bool activated) {
    op::Convolution convolution = WeightsOf(layer).Convolution();
    convolution.stride = stride;
    channels_ = convolution.weight.shape[3];
    Add(layer, "Conv2D", std::move(convolution));
    AddNorm(layer, norm, activated);
  }

  // Nothing for as few zeros around the map as TensorFlow's "same" takes.
  void AddDepthwise(const std::string& layer, const std::string& norm, int stride,
                    std::optional<Padding> padding) {
    op::Depthwise depthwise = WeightsOf(layer).Depthwise();
    depthwise.stride = stride;
    depthwise.padding = padding;
    Add(layer, "DepthwiseConv2D", std::move(depthwise));
    AddNorm(layer, norm, true);
  }

  // The average over the map and the classifier, dense or a convolution, if there is one: weights of
  // include_top=False have none. V2's published weights call it Logits.
  void AddClassifier() {
    Add("global_average_pooling2d", "GlobalAveragePooling2D", op::Average());
    if (const KerasLayerWeights convolution = WeightsOf("conv_preds"); convolution.found())
      return Add("conv_preds", "Conv2D", convolution.Convolution());
    for (const char* name : {"predictions", "Logits"}) {
      if (const KerasLayerWeights dense = WeightsOf(name); dense.found())
        return Add(name, "Dense", dense.Dense());
    }
  }

  [[nodiscard]] int output() const { return graph_.output; }
  [[nodiscard]] std::int64_t channels() const { return channels_; }  // of the last convolution

  // All of the file's weights must have been asked for: a head of somebody's own would be lost.
  Graph Take() {
    for (const auto& [name, group] : weights_) {
      const auto are = [&group = group](const KerasLayerWeights& weights) { return weights.Are(group); };
      if (!group.empty() && std::ranges::none_of(asked_, are))
        Fail(graph_.file, ": the weights ", name, " belong to no layer of keras.applications' MobileNet ",
             graph_.version == "v1" ? "V1" : "V2",
             ", and the file does not say to which: save the whole model");
    }
    return std::move(graph_);
  }

 private:
  void AddNorm(const std::string& layer, const std::string& norm, bool activated) {
    if (!WeightsOf(norm).found()) Fail(graph_.file, ": the layer ", norm, " is missing");
    Add(norm, "BatchNormalization", WeightsOf(norm).Norm());
    if (activated) Add(layer + "_relu", "ReLU", op::Activate{Activation::kRelu6});
  }

  const KerasWeights& weights_;
  std::vector<KerasLayerWeights> asked_;
  Graph graph_;
  std::int64_t channels_ = 0;
};

// The strides of a network's depthwise layers, which the names stand for.
std::vector<int> DepthwiseStrides(const Network& network) {
  std::vector<int> strides;
  for (const Layer& layer : network.layers) {
    if (layer.kind == LayerKind::kDepthwise) strides.push_back(layer.stride.down);
  }
  return strides;
}

Graph FromV1Names(std::string_view file, const KerasWeights& weights) {
  NamedLayers layers(file, weights, "v1");
  const Network network = V1();
  layers.AddConvolution("conv1", "conv1_bn", network.layers.front().stride.down, true);
  int block = 0;
  for (const int stride : DepthwiseStrides(network)) {
    ++block;
    const std::string depthwise = Concat("conv_dw_", block);
    const std::string pointwise = Concat("conv_pw_", block);
    // Before a stride of 2, keras.applications puts zeros below and right, whatever the size of the map.
    layers.AddDepthwise(depthwise, depthwise + "_bn", stride,
                        stride > 1 ? std::optional(Padding{0, 1, 0, 1}) : std::nullopt);
    layers.AddConvolution(pointwise, pointwise + "_bn", 1, true);
  }
  layers.AddClassifier();
  Graph graph = layers.Take();
  graph.provenance["padding"] = "keras: known from the layers' names";
  return graph;
}

struct BlockNames {
  std::string convolution;
  std::string norm;
};

// What the layers of V2's blocks are called, counted from 0: now, or, as in the published weights, once.
BlockNames V2Names(int block, const std::string& part, bool now) {
  if (!now)
    return {Concat("mobl", block, "_conv_", block, "_", part),
            Concat("bn", block, "_conv_", block, "_bn_", part)};
  const std::string name = Concat(block == 0 ? "expanded_conv" : Concat("block_", block), "_", part);
  return {name, name + "_BN"};
}

Graph FromV2Names(std::string_view file, const KerasWeights& weights) {
  NamedLayers layers(file, weights, "v2");
  const Network network = V2();
  layers.AddConvolution("Conv1", "bn_Conv1", network.layers.front().stride.down, true);
  const bool now = !layers.WeightsOf(V2Names(0, "depthwise", false).convolution).found();
  int block = 0;
  for (const int stride : DepthwiseStrides(network)) {
    const auto [expand, expand_norm] = V2Names(block, "expand", now);
    const auto [depthwise, depthwise_norm] = V2Names(block, "depthwise", now);
    const auto [project, project_norm] = V2Names(block, "project", now);
    const int input = layers.output();
    const std::int64_t channels = layers.channels();
    if (block > 0) layers.AddConvolution(expand, expand_norm, 1, true);
    layers.AddDepthwise(depthwise, depthwise_norm, stride, std::nullopt);
    layers.AddConvolution(project, project_norm, 1, false);
    if (block > 0 && stride == 1 && channels == layers.channels())
      layers.Add(Concat("block_", block, "_add"), "Add", op::Add(), {layers.output(), input});
    ++block;
  }
  layers.AddConvolution("Conv_1", "Conv_1_bn", 1, true);
  layers.AddClassifier();
  return layers.Take();
}

}  // namespace

Graph FromKerasNames(std::string_view file, const KerasWeights& weights) {
  const bool is_v2 = KerasLayerWeights(file, weights, "", "Conv1").found();
  return is_v2 ? FromV2Names(file, weights) : FromV1Names(file, weights);
}

bool HasKerasNames(const Safetensors& file) {
  return file.entries.contains("conv1/kernel") || file.entries.contains("Conv1/kernel");
}

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
