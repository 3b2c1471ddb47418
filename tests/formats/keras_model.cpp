#include "formats/keras_model.h"

#include <vector>

#include "base/fail.h"

namespace mobilenet {
namespace {

// What a layer reads, in the words of each version.
std::string InboundText(KerasStyle style, const std::vector<std::string>& inputs) {
  std::string text;
  for (const std::string& input : inputs) {
    const std::string reference = Concat("[\"", input, "\",0,0");
    text += text.empty() ? "" : ",";
    text += style == KerasStyle::kFunctional2
                ? reference + ",{}]"
                : Concat(R"({"class_name":"__keras_tensor__","config":{"keras_history":)", reference, "]}}");
  }
  if (style == KerasStyle::kFunctional2) return Concat(R"("inbound_nodes":[[)", text, "]]");
  return Concat(R"("inbound_nodes":[{"args":[[)", text, R"(]],"kwargs":{}}])");
}

class KerasWriter {
 public:
  KerasWriter(KerasStyle style, const Shape& input) : style_(style) {
    if (style == KerasStyle::kSequential) return;
    layers_ = Concat(R"({"class_name":"InputLayer","config":{"name":"in","batch_input_shape":[null,)",
                     input.height, ",", input.width, ",", input.channels, R"(]},"inbound_nodes":[]})");
  }

  void Add(const char* kind, const std::string& name, const std::string& config,
           const std::vector<std::string>& inputs) {
    layers_ += Concat(layers_.empty() ? "" : ",", R"({"class_name":")", kind, R"(","config":{"name":")", name,
                      "\"", config.empty() ? "" : ",", config, "}");
    if (style_ != KerasStyle::kSequential) layers_ += "," + InboundText(style_, inputs);
    layers_ += "}";
    last_ = name;
  }

  std::string Take() {
    const std::string output =
        style_ == KerasStyle::kSequential ? "" : Concat(R"(,"output_layers":[[")", last_, R"(",0,0]])");
    return "{\"config\":{\"layers\":[" + layers_ + "]" + output + "}}";
  }

 private:
  KerasStyle style_;
  std::string layers_;
  std::string last_;
};

}  // namespace

KerasModel KerasModelOf(const Recipe& recipe, KerasStyle style) {
  KerasModel keras;
  const Network network = Build(recipe);
  const Weights weights = RandomWeights(network, 4);
  KerasWriter writer(style, network.input);
  std::vector<std::string> outputs;  // of each layer
  for (const Layer& layer : network.layers) {
    std::vector<std::string> inputs;
    for (const int from : layer.inputs)
      inputs.push_back(from == kNetworkInput ? "in" : outputs[static_cast<std::size_t>(from)]);
    outputs.push_back(layer.name);
    if (layer.kind == LayerKind::kGlobalAveragePool) {
      writer.Add("GlobalAveragePooling2D", layer.name, "", inputs);
      continue;
    }
    if (layer.kind == LayerKind::kAdd) {
      writer.Add("Add", layer.name, "", inputs);
      continue;
    }
    Tensor weight = weights.at(layer.name + ".weight");
    if (layer.kind == LayerKind::kFullyConnected) {
      writer.Add("Dense", layer.name, R"("activation":"softmax")", inputs);
      keras.weights[layer.name] = {{"kernel", weight}, {"bias", weights.at(layer.name + ".bias")}};
      continue;
    }
    const bool depthwise = layer.kind == LayerKind::kDepthwise;
    if (layer.kind == LayerKind::kPointwise) weight.shape.insert(weight.shape.begin(), {1, 1});
    if (depthwise) weight.shape.push_back(1);
    writer.Add(depthwise ? "DepthwiseConv2D" : "Conv2D", layer.name,
               Concat(R"("padding":"same","strides":[)", layer.stride.down, ",", layer.stride.across, "]"),
               inputs);
    const bool other_name = depthwise && style != KerasStyle::kFunctional3;
    keras.weights[layer.name] = {{other_name ? "depthwise_kernel" : "kernel", weight}};
    writer.Add("BatchNormalization", layer.name + "_bn", Concat(R"("epsilon":)", layer.epsilon),
               {layer.name});
    outputs.back() = layer.name + "_bn";
    const auto norm = [&](const char* end) { return weights.at(layer.name + ".norm." + end); };
    keras.weights[layer.name + "_bn"] = {{"gamma", norm("gamma")},
                                         {"beta", norm("beta")},
                                         {"moving_mean", norm("mean")},
                                         {"moving_variance", norm("variance")}};
    if (layer.activation == Activation::kNone) continue;
    writer.Add("ReLU", layer.name + "_relu", R"("max_value":6)", {layer.name + "_bn"});
    outputs.back() = layer.name + "_relu";
  }
  keras.config = writer.Take();
  return keras;
}

}  // namespace mobilenet
