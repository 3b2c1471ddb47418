#include "formats/keras.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fail.h"
#include "formats/json.h"

namespace mobilenet {
namespace {

using nlohmann::json;

const Tensor& Weight(std::string_view file, const KerasWeights& weights, const std::string& layer,
                     std::string_view name, std::size_t rank) {
  const auto found = weights.find(layer);
  if (found == weights.end()) Fail(file, ": the layer ", layer, " is missing");
  const auto tensor = found->second.find(name);
  if (tensor == found->second.end()) Fail(file, ": the layer ", layer, " has no ", name);
  if (tensor->second.shape.size() != rank) {
    Fail(file, ": the layer ", layer, " has a ", name, " of shape ", ShapeText(tensor->second.shape),
         ", expected ", rank, " dimensions");
  }
  return tensor->second;
}

// A vector weight, empty where the layer has none of that name.
std::vector<float> OptionalVector(std::string_view file, const KerasWeights& weights,
                                  const std::string& layer, std::string_view name) {
  const auto found = weights.find(layer);
  if (found == weights.end() || !found->second.contains(name)) return {};
  const Tensor& tensor = Weight(file, weights, layer, name, 1);
  return {tensor.values.begin(), tensor.values.end()};
}

Tensor Reshaped(const Tensor& tensor, std::vector<std::int64_t> shape) {
  return {std::move(shape), tensor.values, tensor.owner};
}

// Keras keeps depthwise kernels as [k, k, channels, multiplier] and 1x1 kernels as [1, 1, in, out].
ImportedLayer Convolution(std::string_view file, const KerasWeights& weights, const std::string& name) {
  ImportedLayer layer;
  layer.name = name;
  const Tensor& kernel = Weight(file, weights, name, "kernel", 4);
  const auto& shape = kernel.shape;
  const bool pointwise = shape[0] == 1 && shape[1] == 1;
  layer.kind = pointwise ? LayerKind::kPointwise : LayerKind::kConvolution;
  layer.weight = pointwise ? Reshaped(kernel, {shape[2], shape[3]}) : kernel;
  layer.bias = OptionalVector(file, weights, name, "bias");
  return layer;
}

ImportedLayer Depthwise(std::string_view file, const KerasWeights& weights, const std::string& name) {
  ImportedLayer layer;
  layer.name = name;
  layer.kind = LayerKind::kDepthwise;
  const Tensor& kernel = Weight(file, weights, name, "depthwise_kernel", 4);
  if (kernel.shape[3] != 1) {
    Fail(file, ": the layer ", name, " has a depth multiplier of ", kernel.shape[3], ", expected 1");
  }
  layer.weight = Reshaped(kernel, {kernel.shape[0], kernel.shape[1], kernel.shape[2]});
  layer.bias = OptionalVector(file, weights, name, "bias");
  return layer;
}

ImportedLayer Dense(std::string_view file, const KerasWeights& weights, const std::string& name) {
  ImportedLayer layer;
  layer.name = name;
  layer.kind = LayerKind::kFullyConnected;
  layer.weight = Weight(file, weights, name, "kernel", 2);
  layer.bias = OptionalVector(file, weights, name, "bias");
  return layer;
}

ImportedNorm Norm(std::string_view file, const KerasWeights& weights, const std::string& name,
                  std::size_t channels) {
  ImportedNorm norm;
  norm.mean = OptionalVector(file, weights, name, "moving_mean");
  norm.variance = OptionalVector(file, weights, name, "moving_variance");
  norm.gamma = OptionalVector(file, weights, name, "gamma");
  norm.beta = OptionalVector(file, weights, name, "beta");
  if (norm.gamma.empty()) norm.gamma.assign(channels, 1);  // scale=False
  if (norm.beta.empty()) norm.beta.assign(channels, 0);    // center=False
  for (const auto* values : {&norm.mean, &norm.variance, &norm.gamma, &norm.beta}) {
    if (values->size() != channels) {
      Fail(file, ": the batch norm ", name, " has ", values->size(), " values of a kind, expected ",
           channels);
    }
  }
  return norm;
}

// Reads a functional or sequential configuration, one layer after the other.
class ConfigReader {
 public:
  ConfigReader(std::string_view file, const KerasWeights& weights) : weights_(weights), chain_(file) {
    network_.file = file;
    network_.format = "Keras HDF5";
  }

  void Add(const json& layer) {
    const std::string kind = Text(layer, "class_name", "");
    const json& config = layer.contains("config") ? layer["config"] : layer;
    const std::string name = Text(config, "name", kind);
    try {
      Dispatch(kind, name, config);
    } catch (const json::exception& error) {
      Fail(network_.file, ": the layer ", name, "'s configuration is damaged: ", error.what());
    }
  }

  ImportedNetwork Take() {
    chain_.End();
    return std::move(network_);
  }

 private:
  static std::string Text(const json& object, const char* key, std::string fallback) {
    if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return fallback;
    return object[key].get<std::string>();
  }

  void Dispatch(const std::string& kind, const std::string& name, const json& config) {
    if (kind == "InputLayer") return ReadInput(config);
    if (kind == "Conv2D") return AddConvolution(Convolution(network_.file, weights_, name), config);
    if (kind == "DepthwiseConv2D") return AddConvolution(Depthwise(network_.file, weights_, name), config);
    if (kind == "Dense") {
      chain_.Classifier(name);
      network_.layers.push_back(Dense(network_.file, weights_, name));
      return SetActivation(Text(config, "activation", "linear"), name);
    }
    if (kind == "BatchNormalization") return AddNorm(name, config);
    if (kind == "ReLU") {
      const bool six = config.contains("max_value") && config["max_value"].is_number();
      if (six && config["max_value"].get<double>() != 6) {
        Fail(network_.file, ": the layer ", name, " clips at ", Shown(config["max_value"]),
             ", expected 6 or nothing");
      }
      return SetActivation(six ? "relu6" : "relu", name);
    }
    if (kind == "Activation") return SetActivation(Text(config, "activation", ""), name);
    if (kind == "ZeroPadding2D") return ReadZeros(name, config);
    if (kind == "GlobalAveragePooling2D") return chain_.Average(name, 0);
    if (kind == "AveragePooling2D") return ReadAverage(name, config);
    if (kind == "Softmax") return chain_.Softmax(name);
    if (kind == "Rescaling") return ReadRescaling(name, config);
    if (kind == "Flatten" || kind == "Reshape" || kind == "Dropout") return;
    Fail(network_.file, ": the layer ", name, " is a ", kind, ", which no MobileNet V1 has");
  }

  void ReadInput(const json& config) {
    for (const char* key : {"batch_input_shape", "batch_shape"}) {
      if (!config.contains(key)) continue;
      const json& shape = config[key];
      if (!shape.is_array() || shape.size() != 4) continue;
      if (shape[1] != shape[2]) {
        Fail(network_.file, ": takes images of ", Shown(shape[1]), " x ", Shown(shape[2]),
             " pixels, expected as many high as wide");
      }
      if (shape[1].is_number_integer()) {
        network_.resolution = shape[1].get<int>();
        chain_.SetInput(network_.resolution->height);
      }
    }
  }

  void AddConvolution(ImportedLayer layer, const json& config) {
    const json& strides = config.at("strides");
    if (!strides.is_array() || strides.size() != 2 || strides[0] != strides[1]) {
      Fail(network_.file, ": the layer ", layer.name, " has the strides ", Shown(strides),
           ", expected two equal ones");
    }
    layer.stride = strides[0].get<int>();
    for (const char* key : {"dilation_rate", "groups"}) {
      const json ones = std::string_view(key) == "groups" ? json(1) : json::array({1, 1});
      if (config.contains(key) && config[key] != ones) {
        Fail(network_.file, ": the layer ", layer.name, " has the ", key, " ", Shown(config[key]),
             ", expected ", Shown(ones));
      }
    }
    const std::string padding = Text(config, "padding", "");
    if (padding != "same" && padding != "valid") {
      Fail(network_.file, ": the layer ", layer.name, " has the padding ", padding,
           ", expected same or valid");
    }
    if (layer.kind != LayerKind::kPointwise) {
      layer.padding = chain_.Convolution(layer.name, static_cast<int>(layer.weight.shape[0]), *layer.stride,
                                         padding == "same");
    } else {
      chain_.Pointwise(layer.name);
    }
    network_.layers.push_back(std::move(layer));
    SetActivation(Text(config, "activation", "linear"), network_.layers.back().name);
  }

  void ReadZeros(const std::string& name, const json& config) {
    const json& padding = config.at("padding");
    const bool square = padding.is_array() && padding.size() == 2 && padding[0].is_array() &&
                        padding[0].size() == 2 && padding[0] == padding[1];
    if (!square) {
      Fail(network_.file, ": the layer ", name, " has the padding ", Shown(padding),
           ", expected the same for rows and columns");
    }
    chain_.Zeros(name, padding[0][0].get<int>(), padding[0][1].get<int>());
  }

  void ReadAverage(const std::string& name, const json& config) {
    const json& window = config.at("pool_size");
    if (!window.is_array() || window.size() != 2 || window[0] != window[1]) {
      Fail(network_.file, ": the layer ", name, " averages over ", Shown(window), ", expected the whole map");
    }
    chain_.Average(name, window[0].get<int>());
  }

  // x * scale + offset, right after the input: the model's own preprocessing.
  void ReadRescaling(const std::string& name, const json& config) {
    chain_.Rescaling(name);
    const double scale = config.at("scale").get<double>();
    const double offset = config.value("offset", 0.0);
    if (!(scale > 0) || !std::isfinite(offset))
      Fail(network_.file, ": the Rescaling layer's scale is not positive");
    Preprocessing p = PreprocessingPreset("tensorflow");
    p.scale.fill(static_cast<float>(scale));
    p.mean.fill(static_cast<float>(-offset / scale));
    network_.preprocessing = p;
  }

  ImportedLayer& Last(const std::string& name) {
    if (network_.layers.empty())
      Fail(network_.file, ": the layer ", name, " comes before the first convolution");
    return network_.layers.back();
  }

  void AddNorm(const std::string& name, const json& config) {
    ImportedLayer& layer = Last(name);
    if (layer.norm) Fail(network_.file, ": the layer ", name, " is a second batch norm behind ", layer.name);
    layer.norm = Norm(network_.file, weights_, name, static_cast<std::size_t>(layer.weight.shape.back()));
    layer.norm->epsilon = config.at("epsilon").get<float>();
  }

  void SetActivation(const std::string& activation, const std::string& name) {
    if (activation == "linear") return;
    if (activation == "softmax") return chain_.Softmax(name);
    if (activation == "relu") {
      Last(name).activation = Activation::kRelu;
    } else if (activation == "relu6") {
      Last(name).activation = Activation::kRelu6;
    } else {
      Fail(network_.file, ": the layer ", name, " has the activation ", activation,
           ", expected relu or relu6");
    }
  }

  const KerasWeights& weights_;
  ImportedNetwork network_;
  ChainCheck chain_;
};

}  // namespace

ImportedNetwork FromKerasNames(std::string_view file, const KerasWeights& weights) {
  ImportedNetwork network;
  network.file = file;
  network.format = "Keras weights";
  const auto add = [&](ImportedLayer layer) {
    layer.norm = Norm(file, weights, layer.name + "_bn", static_cast<std::size_t>(layer.weight.shape.back()));
    layer.activation = Activation::kRelu6;
    layer.padding = PaddingStyle::kSame;
    network.layers.push_back(std::move(layer));
  };
  add(Convolution(file, weights, "conv1"));
  for (int block = 1; block <= 13; ++block) {
    add(Depthwise(file, weights, Concat("conv_dw_", block)));
    add(Convolution(file, weights, Concat("conv_pw_", block)));
  }
  if (!weights.contains("conv_preds") && weights.contains("predictions")) {
    network.layers.push_back(Dense(file, weights, "predictions"));
  } else {
    network.layers.push_back(Convolution(file, weights, "conv_preds"));
  }
  return network;
}

ImportedNetwork FromKerasConfig(std::string_view file, std::string_view config, const KerasWeights& weights) {
  const json root = ParseJson(config);
  const json* layers = nullptr;
  if (root.is_object() && root.contains("config")) {
    const json& inner = root["config"];
    if (inner.is_array()) layers = &inner;  // Sequential in old files
    if (inner.is_object() && inner.contains("layers") && inner["layers"].is_array())
      layers = &inner["layers"];
  }
  if (layers == nullptr) Fail(file, ": its model_config is damaged: no list of layers in it");
  ConfigReader reader(file, weights);
  for (const json& layer : *layers) {
    if (!layer.is_object()) Fail(file, ": its model_config is damaged: a layer is ", Shown(layer));
    reader.Add(layer);
  }
  return reader.Take();
}

bool HasKerasNames(const Safetensors& file) { return file.entries.contains("conv1/kernel"); }

ImportedNetwork ReadKerasSafetensors(const Safetensors& file) {
  KerasWeights weights;
  for (const auto& [name, entry] : file.entries) {
    const auto slash = name.find('/');
    if (slash == std::string::npos)
      Fail(file.name, ": the tensor ", name, " is not named as Keras does, layer/weight");
    weights[name.substr(0, slash)][name.substr(slash + 1)] = file.Floats(name);
  }
  return FromKerasNames(file.name, weights);
}

}  // namespace mobilenet
