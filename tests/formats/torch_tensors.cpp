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
  // One with a batch norm is a convolution there.
  if (layer.kind == LayerKind::kFullyConnected && !layer.batch_norm)
    return Tensor::Of({out, in}, std::move(values));
  return Tensor::Of({out, in, k, k}, std::move(values));
}

// "block9.expand" of a network whose stages have so many blocks: "blocks.2.5.", where the names of all layers
// in a block begin.
std::string TimmBlock(const std::string& layer, std::initializer_list<int> stages) {
  int index = std::stoi(layer.substr(5)) - 1;
  int stage = 0;
  for (const int blocks : stages) {
    if (index < blocks) break;
    index -= blocks;
    ++stage;
  }
  return Concat("blocks.", stage, ".", index, ".");
}

std::pair<std::string, std::string> Universal(const std::string& block, const std::string& layer) {
  const auto named = [&](const char* part) {
    return std::pair(block + part + ".conv", block + part + ".bn");
  };
  if (layer.ends_with(".start")) return named("dw_start");
  if (layer.ends_with(".expand")) return named("pw_exp");
  if (layer.ends_with(".depthwise")) return named("dw_mid");
  return named("pw_proj");
}

std::pair<std::string, std::string> OutsideOfV4sBlocks(const std::string& layer) {
  if (layer == "conv1") return {"conv_stem", "bn1"};
  if (layer == "conv2") return {"blocks.4.0.conv", "blocks.4.0.bn1"};
  if (layer == "conv3") return {"conv_head", "norm_head"};
  if (layer == "classifier") return {"classifier", ""};
  return {};
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
  const std::string name = TimmBlock(layer, {1, 2, 3, 4, 3, 3, 1});
  const bool expands = name != "blocks.0.0.";
  const int first = expands ? 2 : 1;
  if (layer.ends_with(".expand")) return {name + "conv_pw", name + "bn1"};
  if (layer.ends_with(".depthwise")) return {name + "conv_dw", Concat(name, "bn", first)};
  return {name + (expands ? "conv_pwl" : "conv_pw"), Concat(name, "bn", first + 1)};
}

std::pair<std::string, std::string> TimmV1Names(const std::string& layer) {
  if (layer == "conv1") return {"conv_stem", "bn1"};
  if (layer == "classifier") return {"classifier", ""};
  const std::string name = TimmBlock(layer, {1, 2, 2, 6, 2});
  if (layer.ends_with(".depthwise")) return {name + "conv_dw", name + "bn1"};
  return {name + "conv_pw", name + "bn2"};
}

std::pair<std::string, std::string> TimmV4SmallNames(const std::string& layer) {
  if (!layer.starts_with("block")) return OutsideOfV4sBlocks(layer);
  // Two layers of ours in a block are two blocks of one layer there.
  if (layer == "block1.convolution") return {"blocks.0.0.conv", "blocks.0.0.bn1"};
  if (layer == "block1.pointwise") return {"blocks.0.1.conv", "blocks.0.1.bn1"};
  if (layer == "block2.convolution") return {"blocks.1.0.conv", "blocks.1.0.bn1"};
  if (layer == "block2.pointwise") return {"blocks.1.1.conv", "blocks.1.1.bn1"};
  return Universal(TimmBlock(layer, {1, 1, 6, 6}), layer);
}

std::pair<std::string, std::string> TimmV4MediumNames(const std::string& layer) {
  if (!layer.starts_with("block")) return OutsideOfV4sBlocks(layer);
  if (layer == "block1.convolution") return {"blocks.0.0.conv_exp", "blocks.0.0.bn1"};
  if (layer == "block1.project") return {"blocks.0.0.conv_pwl", "blocks.0.0.bn2"};
  return Universal(TimmBlock(layer, {1, 2, 8, 11}), layer);
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
