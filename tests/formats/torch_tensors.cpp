#include "formats/torch_tensors.h"

#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/fail.h"
#include "mobilenet/runtime.h"

namespace mobilenet {
namespace {

// [k, k, in, out] or [k, k, channels] or [in, out] as PyTorch has it, by the indices' meaning.
Tensor AsPytorch(const Layer& layer, const Tensor& weight, bool linear) {
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
  if (linear) return Tensor::Of({out, in}, std::move(values));
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

std::pair<std::string, std::string> TimmV3Names(const std::string& layer, bool large) {
  if (layer == "conv1") return {"conv_stem", "bn1"};
  if (layer == "conv2")
    return {large ? "blocks.6.0.conv" : "blocks.5.0.conv", large ? "blocks.6.0.bn1" : "blocks.5.0.bn1"};
  if (layer == "conv3") return {"conv_head", ""};
  if (layer == "classifier") return {"classifier", ""};
  const std::string name = large ? TimmBlock(layer, {1, 2, 3, 4, 2, 3}) : TimmBlock(layer, {1, 2, 3, 2, 3});
  const bool expands = name != "blocks.0.0.";
  const int first = expands ? 2 : 1;
  if (layer.ends_with(".expand")) return {name + "conv_pw", name + "bn1"};
  if (layer.ends_with(".depthwise")) return {name + "conv_dw", Concat(name, "bn", first)};
  if (layer.ends_with(".squeeze")) return {name + "se.conv_reduce", ""};
  if (layer.ends_with(".excite")) return {name + "se.conv_expand", ""};
  return {name + (expands ? "conv_pwl" : "conv_pw"), Concat(name, "bn", first + 1)};
}

// Which blocks are squeezed.
std::pair<std::string, std::string> TorchvisionV3Names(const std::string& layer, int last,
                                                       std::string_view squeezed) {
  if (layer == "conv1") return {"features.0.0", "features.0.1"};
  if (layer == "conv2") return {Concat("features.", last, ".0"), Concat("features.", last, ".1")};
  if (layer == "conv3") return {"classifier.0", ""};
  if (layer == "classifier") return {"classifier.3", ""};
  const int block = std::stoi(layer.substr(5));
  const std::string name = Concat("features.", block, ".block.");
  const auto part = [&](int number) {
    return std::pair(Concat(name, number, ".0"), Concat(name, number, ".1"));
  };
  const int depthwise = block == 1 ? 0 : 1;  // the first block has no expansion
  if (layer.ends_with(".expand")) return part(0);
  if (layer.ends_with(".depthwise")) return part(depthwise);
  if (layer.ends_with(".squeeze")) return {Concat(name, depthwise + 1, ".fc1"), ""};
  if (layer.ends_with(".excite")) return {Concat(name, depthwise + 1, ".fc2"), ""};
  return part(depthwise + (squeezed[static_cast<std::size_t>(block) - 1] == 'x' ? 2 : 1));
}

// From -1 to 1, of 24 bits: a hash of the name and the index.
std::vector<double> Noise(const std::string& name, std::size_t count) {
  std::uint32_t seed = 2166136261;
  for (const char c : name) seed = (seed ^ static_cast<std::uint8_t>(c)) * 16777619;
  std::vector<double> noise(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t x = static_cast<std::uint32_t>(i) + seed;
    x *= 0x9E3779B1;
    x ^= x >> 15;
    x *= 0x85EBCA77;
    x ^= x >> 13;
    noise[i] = (x >> 8) / 8388608.0 - 1;
  }
  return noise;
}

Tensor Named(const std::string& name, const Tensor& like) {
  std::vector<double> values = Noise(name, like.values.size());
  const double fan_in = static_cast<double>(like.values.size()) / static_cast<double>(like.shape[0]);
  const bool shift = name.ends_with(".running_mean") || name.ends_with(".bias");
  for (double& v : values) {
    if (like.shape.size() > 1) {
      v *= std::sqrt(2 / fan_in);
    } else {
      v = shift ? 0.3 * v : 1 + 0.5 * v;
    }
  }
  return Tensor::Of(like.shape, {values.begin(), values.end()});
}

void AddLayer(const Layer& layer, const Weights& weights, const std::string& name, const std::string& norm,
              Weights& tensors) {
  // All other fully connected layers are convolutions there.
  const bool linear = name.starts_with("classifier");
  tensors[name + ".weight"] = AsPytorch(layer, weights.at(layer.name + ".weight"), linear);
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

std::pair<std::string, std::string> TimmV3LargeNames(const std::string& layer) {
  return TimmV3Names(layer, true);
}

std::pair<std::string, std::string> TimmV3SmallNames(const std::string& layer) {
  return TimmV3Names(layer, false);
}

std::pair<std::string, std::string> TorchvisionV3LargeNames(const std::string& layer) {
  return TorchvisionV3Names(layer, 16, "---xxx----xxxxx");
}

std::pair<std::string, std::string> TorchvisionV3SmallNames(const std::string& layer) {
  return TorchvisionV3Names(layer, 12, "x--xxxxxxxx");
}

Weights NamedTensors(const Network& network, TorchNames names) {
  Weights tensors = TorchTensors(network, names);
  for (auto& [name, tensor] : tensors) {
    if (!name.ends_with(".num_batches_tracked")) tensor = Named(name, tensor);
  }
  return tensors;
}

std::vector<float> LogitsOfPattern(const Model& model, std::size_t classes) {
  std::vector<float> input(static_cast<std::size_t>(model.network.input.size()));
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<float>(static_cast<std::uint32_t>(i * 2654435761U) >> 24) / 127.5F - 1;
  std::vector<float> logits(classes);
  if (!Runner(Plan(model.network, model.weights)).Run(input, logits)) logits.clear();
  return logits;
}

Weights TorchTensors(const Network& network, TorchNames names) {
  const Weights weights = RandomWeights(network, 8);
  Weights tensors;
  for (const Layer& layer : network.layers) {
    if (ParametersOf(layer).empty()) continue;
    const auto [name, norm] = names(layer.name);
    AddLayer(layer, weights, name, norm, tensors);
  }
  return tensors;
}

}  // namespace mobilenet
