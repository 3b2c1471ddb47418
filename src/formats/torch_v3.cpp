#include "formats/torch_v3.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "base/fail.h"
#include "formats/model_file.h"
#include "formats/torch_names.h"
#include "formats/torch_nodes.h"

namespace mobilenet {
namespace {

// What names don't tell of a stage, which is what lies between two strides or changes of the width: the
// stride of its first block, how many blocks it has, and whether they have hard-swish, else ReLU.
struct Stage {
  int stride;
  int blocks;
  bool swish;
};
// Howard et al. 2019, Tables 1 and 2.
constexpr std::array<Stage, 6> kLarge = {
    {{1, 1, false}, {2, 2, false}, {2, 3, false}, {2, 4, true}, {1, 2, true}, {2, 3, true}}};
constexpr std::array<Stage, 5> kSmall = {
    {{2, 1, false}, {2, 2, false}, {2, 3, true}, {1, 2, true}, {2, 3, true}}};
constexpr int kStemStride = 2;

std::span<const Stage> StagesOf(bool large) {
  return large ? std::span<const Stage>(kLarge) : std::span<const Stage>(kSmall);
}

std::string VersionName(bool large, bool minimalistic) {
  return Concat(large ? "v3-large" : "v3-small", minimalistic ? "-minimalistic" : "");
}

bool HasPart(const Safetensors& file, std::string_view part) {
  for (const auto& [name, entry] : file.entries) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

void AddTimmBlock(const std::string& name, int stride, TensorNodes& nodes) {
  const TensorNodes::Map input = nodes.map();
  const bool expanded = nodes.Has(name + "conv_pwl.weight");
  if (expanded) nodes.Convolution(name + "conv_pw", name + "bn1", 1, true);
  nodes.Depthwise(name + "conv_dw", name + (expanded ? "bn2" : "bn1"), stride, true);
  if (nodes.Has(name + "se.conv_reduce.weight"))
    nodes.SqueezeExcite(name + "se.conv_reduce", name + "se.conv_expand");
  const std::string project = name + (expanded ? "conv_pwl" : "conv_pw");
  nodes.Convolution(project, name + (expanded ? "bn3" : "bn2"), 1, false);
  if (stride == 1) nodes.Skip(input, project);
}

// Whether it is a file of ours whose metadata names one of timm's tf_ models.
bool SaysTensorFlow(const Safetensors& file) {
  const auto found = file.metadata.find(Concat(kDescriptionPrefix, kTimmArchitecture));
  return found != file.metadata.end() && IsOfTensorFlow(found->second);
}

// timm's default_cfgs.
void SetTimmPreprocessing(bool minimalistic, Graph& graph) {
  graph.preprocessing = PreprocessingPreset(minimalistic ? "tensorflow" : "pytorch");
  graph.preprocessing->shape = CropShape::kStretch;
  graph.preprocessing->filter = ResizeFilter::kBicubic;
  graph.provenance["preprocessing"] = Concat(
      "not in the file; ",
      minimalistic ? "x / 127.5 - 1 was assumed, which timm's tf_ models have"
                   : "ImageNet's mean and deviation were assumed, which timm's V3 has but for tf_ models",
      "; a crop of each side was assumed, where timm's own is a square of the shorter side");
}

// A block of torchvision's: the parts that there are of expansion, depthwise layer, squeeze-excite and
// projection are numbered in a row.
void AddTorchvisionBlock(const std::string& name, int stride, TensorNodes& nodes) {
  const TensorNodes::Map input = nodes.map();
  const auto part = [&](int number) { return Concat(name, "block.", number, "."); };
  const auto squeezes = [&](int number) { return nodes.Has(part(number) + "fc1.weight"); };
  int number = 0;
  if (!squeezes(1) && nodes.Has(part(squeezes(2) ? 3 : 2) + "0.weight")) {
    nodes.Convolution(part(0) + "0", part(0) + "1", 1, true);
    ++number;
  }
  nodes.Depthwise(part(number) + "0", part(number) + "1", stride, true);
  ++number;
  if (squeezes(number)) {
    nodes.SqueezeExcite(part(number) + "fc1", part(number) + "fc2");
    ++number;
  }
  nodes.Convolution(part(number) + "0", part(number) + "1", 1, false);
  if (stride == 1) nodes.Skip(input, part(number) + "0");
}

}  // namespace

bool HasTimmV3Names(const Safetensors& file) {
  return file.entries.contains("conv_stem.weight") && file.entries.contains("blocks.0.0.conv_dw.weight") &&
         file.entries.contains("conv_head.weight") && !file.entries.contains("bn2.weight");
}

bool HasTorchvisionV3Names(const Safetensors& file) {
  return file.entries.contains("features.0.0.weight") &&
         file.entries.contains("features.1.block.0.0.weight") &&
         file.entries.contains("features.4.block.2.fc1.weight");
}

Graph ReadTimmV3(const Safetensors& file) {
  const bool minimalistic = !HasPart(file, ".se.");
  const bool large = file.entries.contains("blocks.6.0.conv.weight");
  const auto stages = StagesOf(large);
  // Only tf_ models are minimalistic: TensorFlow's padding and epsilon.
  const bool of_tensorflow = minimalistic || SaysTensorFlow(file);
  TensorNodes nodes(file, {.epsilon = of_tensorflow ? 1e-3F : 1e-5F,
                           .padded_same = of_tensorflow,
                           .activation = Activation::kRelu});
  const auto swish = [&](bool on) {
    nodes.Use(on && !minimalistic ? Activation::kHardSwish : Activation::kRelu);
  };
  swish(true);
  nodes.Convolution("conv_stem", "bn1", kStemStride, true);
  bool usual = true;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    swish(stages[s].swish);
    int block = 0;
    const auto name = [&] { return Concat("blocks.", s, ".", block, "."); };
    for (; nodes.Has(name() + "conv_dw.weight"); ++block)
      AddTimmBlock(name(), block == 0 ? stages[s].stride : 1, nodes);
    usual = usual && block == stages[s].blocks;
  }
  swish(true);
  const std::string last = Concat("blocks.", stages.size(), ".0.");
  nodes.Convolution(last + "conv", last + "bn1", 1, true);
  nodes.Average();
  nodes.Biased("conv_head", true);
  nodes.Classifier("classifier");
  Graph graph = nodes.Take("timm's MobileNet V3");
  if (usual) graph.version = VersionName(large, minimalistic);
  graph.format = "PyTorch weights, timm's names";
  graph.provenance["padding"] =
      minimalistic
          ? "as TensorFlow's same, epsilon 1e-3: known from the names, since timm's only minimalistic "
            "networks are TensorFlow's"
          : "symmetric, epsilon 1e-5: assumed; timm's tf_ models have the same names, but pad as "
            "TensorFlow does, with epsilon 1e-3";
  SetTimmPreprocessing(minimalistic, graph);
  return graph;
}

Graph ReadTorchvisionV3(const Safetensors& file) {
  const bool large = file.entries.contains("features.15.block.0.0.weight");
  const auto stages = StagesOf(large);
  TensorNodes nodes(file, {.epsilon = 1e-3F, .activation = Activation::kHardSwish});
  nodes.Convolution("features.0.0", "features.0.1", kStemStride, true);
  int number = 0;
  for (const Stage& stage : stages) {
    nodes.Use(stage.swish ? Activation::kHardSwish : Activation::kRelu);
    for (int block = 0; block < stage.blocks; ++block)
      AddTorchvisionBlock(Concat("features.", ++number, "."), block == 0 ? stage.stride : 1, nodes);
  }
  const std::string last = Concat("features.", number + 1, ".");
  nodes.Convolution(last + "0", last + "1", 1, true);
  nodes.Average();
  nodes.Hidden("classifier.0");
  nodes.Classifier("classifier.3");
  Graph graph = nodes.Take("torchvision's MobileNet V3");
  graph.version = VersionName(large, false);
  graph.format = "PyTorch weights, torchvision's names";
  graph.provenance["padding"] = "symmetric, epsilon 1e-3: known from torchvision's names";
  SetTorchPreprocessing("torchvision's", graph);
  return graph;
}

}  // namespace mobilenet
