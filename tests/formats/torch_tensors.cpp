#include "formats/torch_tensors.h"

#include <vector>

#include "base/fail.h"

namespace mobilenet {
namespace {

// [k, k, in, out] or [k, k, channels] or [in, out] as PyTorch has it, by the indices' meaning.
Tensor AsPytorch(const Layer& layer, const Tensor& weight) {
  const int k = layer.kernel;
  const int out = layer.output.channels;
  const int in = layer.kind == LayerKind::kDepthwise ? 1 : layer.input.channels;
  std::vector<float> values;
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      for (int tap = 0; tap < k * k; ++tap)
        values.push_back(weight.values[static_cast<std::size_t>((tap * in + i) * out + o)]);
    }
  }
  if (layer.kind == LayerKind::kFullyConnected) return Tensor::Of({out, in}, std::move(values));
  return Tensor::Of({out, in, k, k}, std::move(values));
}

void AddLayer(const Layer& layer, const Weights& weights, const std::string& name, const std::string& norm,
              Weights& tensors) {
  tensors[name + ".weight"] = AsPytorch(layer, weights.at(layer.name + ".weight"));
  if (layer.bias) tensors[name + ".bias"] = weights.at(layer.name + ".bias");
  if (!layer.batch_norm) return;
  tensors[norm + ".weight"] = weights.at(layer.name + ".norm.gamma");
  tensors[norm + ".bias"] = weights.at(layer.name + ".norm.beta");
  tensors[norm + ".running_mean"] = weights.at(layer.name + ".norm.mean");
  tensors[norm + ".running_var"] = weights.at(layer.name + ".norm.variance");
  tensors[norm + ".num_batches_tracked"] = Tensor::Of({1}, {1});
}

}  // namespace

std::pair<std::string, std::string> TorchvisionNames(const std::string& layer) {
  if (layer == "conv1") return {"features.0.0", "features.0.1"};
  if (layer == "conv2") return {"features.18.0", "features.18.1"};
  if (layer == "classifier") return {"classifier.1", ""};
  const int block = std::stoi(layer.substr(5));
  const std::string conv = Concat("features.", block, ".conv.");
  const int first = block == 1 ? 0 : 1;  // the first block has no expansion
  if (layer.ends_with(".expand")) return {conv + "0.0", conv + "0.1"};
  if (layer.ends_with(".depthwise")) return {Concat(conv, first, ".0"), Concat(conv, first, ".1")};
  return {Concat(conv, first + 1), Concat(conv, first + 2)};
}

std::pair<std::string, std::string> TimmNames(const std::string& layer) {
  if (layer == "conv1") return {"conv_stem", "bn1"};
  if (layer == "conv2") return {"conv_head", "bn2"};
  if (layer == "classifier") return {"classifier", ""};
  int index = std::stoi(layer.substr(5)) - 1;
  int stage = 0;
  for (const int blocks : {1, 2, 3, 4, 3, 3, 1}) {
    if (index < blocks) break;
    index -= blocks;
    ++stage;
  }
  const std::string name = Concat("blocks.", stage, ".", index, ".");
  const int first = stage == 0 ? 1 : 2;
  if (layer.ends_with(".expand")) return {name + "conv_pw", name + "bn1"};
  if (layer.ends_with(".depthwise")) return {name + "conv_dw", Concat(name, "bn", first)};
  return {name + (stage == 0 ? "conv_pw" : "conv_pwl"), Concat(name, "bn", first + 1)};
}

std::pair<std::string, std::string> TimmV1Names(const std::string& layer) {
  if (layer == "conv1") return {"conv_stem", "bn1"};
  if (layer == "classifier") return {"classifier", ""};
  int index = std::stoi(layer.substr(5)) - 1;
  int stage = 0;
  for (const int blocks : {1, 2, 2, 6, 2}) {
    if (index < blocks) break;
    index -= blocks;
    ++stage;
  }
  const std::string name = Concat("blocks.", stage, ".", index, ".");
  if (layer.ends_with(".depthwise")) return {name + "conv_dw", name + "bn1"};
  return {name + "conv_pw", name + "bn2"};
}

Weights TorchTensors(const Network& network, TorchNames names) {
  const Weights weights = RandomWeights(network, 8);
  Weights tensors;
  for (const Layer& layer : network.layers) {
    if (layer.kind == LayerKind::kGlobalAveragePool || layer.kind == LayerKind::kAdd) continue;
    const auto [name, norm] = names(layer.name);
    AddLayer(layer, weights, name, norm, tensors);
  }
  return tensors;
}

}  // namespace mobilenet
