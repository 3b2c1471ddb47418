#include "formats/torch_names.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/fail.h"
#include "formats/torch_nodes.h"

namespace mobilenet {
namespace {

// How many blocks the stages of a network have, and the strides of the first of each; the others have 1.
template <std::size_t kStages>
struct Stages {
  std::array<int, kStages> blocks;
  std::array<int, kStages> strides;
};
// Sandler et al. 2018, table 2, and Howard et al. 2017, table 1, in which timm counts as stages what lies
// between two strides.
constexpr Stages<7> kV2 = {{1, 2, 3, 4, 3, 3, 1}, {1, 2, 2, 2, 1, 2, 1}};
constexpr Stages<5> kV1 = {{1, 2, 2, 6, 2}, {1, 2, 2, 2, 2}};
// EfficientNet-Lite's strides; of its sizes each has other numbers of blocks.
constexpr std::array kLiteStrides = {1, 2, 2, 2, 1, 2, 1};

constexpr int kStemStride = 2;

// Of a convolution, or 0 where there is none of that name.
std::int64_t ChannelsOut(const Safetensors& file, const std::string& weight) {
  const auto found = file.entries.find(weight);
  return found == file.entries.end() || found->second.shape.empty() ? 0 : found->second.shape[0];
}

// Networks of other families have some of the names.
void RefuseOthers(const Safetensors& file, std::string_view whose) {
  for (const auto& [name, entry] : file.entries) {
    const bool squeezes = name.find(".se.") != std::string::npos || name.find(".fc1.") != std::string::npos ||
                          name.find(".block.") != std::string::npos;
    if (squeezes)
      Fail(file.name, ": has the tensor ", name, ", as ", whose,
           " MobileNet V3 and EfficientNet have, expected MobileNet V2's");
  }
}

// timm's blocks, stage by stage: separable ones, and from the stage `expanded` on inverted residuals. Returns
// whether there are as many as in the papers: timm has deeper variants.
template <std::size_t kStages>
bool AddTimmStages(const Stages<kStages>& stages, std::size_t expanded, bool activated, TensorNodes& nodes) {
  bool usual = true;
  for (std::size_t s = 0; s < kStages; ++s) {
    int blocks = 0;
    for (; nodes.Has(Concat("blocks.", s, ".", blocks, ".conv_dw.weight")); ++blocks) {
      const std::string name = Concat("blocks.", s, ".", blocks, ".");
      const int stride = blocks == 0 ? stages.strides[s] : 1;
      if (s >= expanded) {
        nodes.Block(
            {name + "conv_pw", name + "bn1", name + "conv_dw", name + "bn2", name + "conv_pwl", name + "bn3"},
            stride);
      } else if (activated) {
        nodes.Depthwise(name + "conv_dw", name + "bn1", stride, true);
        nodes.Convolution(name + "conv_pw", name + "bn2", 1, true);
      } else {
        nodes.Block({"", "", name + "conv_dw", name + "bn1", name + "conv_pw", name + "bn2"}, stride);
      }
    }
    usual = usual && blocks == stages.blocks[s];
  }
  return usual;
}

Graph ReadTimmV1(const Safetensors& file) {
  TensorNodes nodes(file, {});
  nodes.Convolution("conv_stem", "bn1", kStemStride, true);
  const bool usual = AddTimmStages(kV1, kV1.blocks.size(), true, nodes);
  nodes.Average();
  nodes.Classifier("classifier");
  Graph graph = nodes.Take("timm's MobileNet V1");
  if (usual) graph.version = "v1";
  graph.preprocessing = PreprocessingPreset("tensorflow");
  graph.provenance["preprocessing"] =
      "not in the file; x / 127.5 - 1 was assumed, which timm trains its V1 with";
  return graph;
}

Graph ReadTimmV2(const Safetensors& file) {
  TensorNodes nodes(file, {});
  nodes.Convolution("conv_stem", "bn1", kStemStride, true);
  const bool usual = AddTimmStages(kV2, 1, false, nodes);
  nodes.Convolution("conv_head", "bn2", 1, true);
  nodes.Average();
  nodes.Classifier("classifier");
  nodes.CheckWindows(3, "timm's MobileNet V2; its EfficientNets and MnasNets have the same names");
  Graph graph = nodes.Take("timm's MobileNet V2");
  if (usual) graph.version = "v2";
  SetTorchPreprocessing("timm's", graph);
  return graph;
}

}  // namespace

// The crop is that of each side, as of other imported models: nothing of the picture's content is lost beyond
// it, whatever its shape.
void SetTorchPreprocessing(std::string_view whose, Graph& graph) {
  graph.preprocessing = PreprocessingPreset("pytorch");
  graph.preprocessing->shape = CropShape::kStretch;
  graph.provenance["preprocessing"] =
      Concat("not in the file; ImageNet's mean and deviation were assumed, since the names are ", whose,
             "; a crop of each side was assumed, where ", whose,
             " own is a square of the shorter side: convert --preprocess pytorch sets that");
}

bool HasTorchvisionNames(const Safetensors& file) {
  return file.entries.contains("features.0.0.weight") &&
         (file.entries.contains("features.1.conv.0.0.weight") ||
          file.entries.contains("features.1.block.0.0.weight"));
}

bool HasTimmNames(const Safetensors& file) {
  return file.entries.contains("conv_stem.weight") && file.entries.contains("blocks.0.0.conv_dw.weight");
}

bool HasEfficientNetNames(const Safetensors& file) {
  return file.entries.contains("_conv_stem.weight") &&
         file.entries.contains("_blocks.0._depthwise_conv.weight");
}

Graph ReadTorchvision(const Safetensors& file) {
  RefuseOthers(file, "torchvision's");
  TensorNodes nodes(file, {});
  nodes.Convolution("features.0.0", "features.0.1", kStemStride, true);
  int block = 0;
  for (std::size_t stage = 0; stage < kV2.blocks.size(); ++stage) {
    for (int i = 0; i < kV2.blocks[stage]; ++i) {
      const std::string name = Concat("features.", ++block, ".conv.");
      const int stride = i == 0 ? kV2.strides[stage] : 1;
      if (block == 1) {
        nodes.Block({"", "", name + "0.0", name + "0.1", name + "1", name + "2"}, stride);
      } else {
        nodes.Block({name + "0.0", name + "0.1", name + "1.0", name + "1.1", name + "2", name + "3"}, stride);
      }
    }
  }
  const std::string last = Concat("features.", block + 1);
  nodes.Convolution(last + ".0", last + ".1", 1, true);
  nodes.Average();
  // What a new classifier is put in the place of: the whole Sequential, or the layer behind its dropout.
  nodes.Classifier(nodes.Has("classifier.weight") ? "classifier" : "classifier.1");
  Graph graph = nodes.Take("torchvision's MobileNet V2");
  graph.version = "v2";
  graph.format = "PyTorch weights, torchvision's names";
  graph.provenance["padding"] = "symmetric, epsilon 1e-5: known from torchvision's names";
  SetTorchPreprocessing("torchvision's", graph);
  return graph;
}

Graph ReadTimm(const Safetensors& file) {
  RefuseOthers(file, "timm's");
  Graph graph = file.entries.contains("conv_head.weight") ? ReadTimmV2(file) : ReadTimmV1(file);
  graph.format = "PyTorch weights, timm's names";
  graph.provenance["padding"] =
      "symmetric, epsilon 1e-5: assumed; timm's tf_ models have the same names, but pad as TensorFlow does, "
      "with epsilon 1e-3";
  graph.preprocessing->filter = ResizeFilter::kBicubic;
  return graph;
}

Graph ReadEfficientNetLite(const Safetensors& file) {
  TensorNodes nodes(file, {.epsilon = 1e-3F, .padded_same = true});
  nodes.Convolution("_conv_stem", "_bn0", kStemStride, true);
  std::size_t stage = 0;
  std::int64_t channels = 0;  // of the stage's blocks: no two stages that follow each other have as many
  for (int i = 0; nodes.Has(Concat("_blocks.", i, "._depthwise_conv.weight")); ++i) {
    const std::string name = Concat("_blocks.", i, ".");
    const std::int64_t projected = ChannelsOut(file, name + "_project_conv.weight");
    const bool first = projected != channels;
    channels = projected;
    stage += first && i > 0 ? 1 : 0;
    if (stage == kLiteStrides.size())
      Fail(file.name, ": has more than ", kLiteStrides.size(),
           " stages of blocks, expected an EfficientNet-Lite");
    const bool expanded = nodes.Has(name + "_expand_conv.weight");
    nodes.Block({expanded ? name + "_expand_conv" : "", name + "_bn0", name + "_depthwise_conv",
                 name + "_bn1", name + "_project_conv", name + "_bn2"},
                first ? kLiteStrides[stage] : 1);
  }
  nodes.Convolution("_conv_head", "_bn1", 1, true);
  nodes.Average();
  nodes.Classifier("_fc");
  Graph graph = nodes.Take("an EfficientNet-Lite");
  graph.format = "PyTorch weights, EfficientNet-PyTorch's names";
  graph.provenance["padding"] =
      "as TensorFlow's same, epsilon 1e-3, ReLU6: known from the names, of an EfficientNet-Lite since none "
      "has "
      "squeeze-excite";
  // What Google's EfficientNet-Lite were trained with.
  graph.preprocessing = PreprocessingPreset("tensorflow");
  graph.preprocessing->mean.fill(127.0F);
  graph.preprocessing->scale.fill(1 / 128.0F);
  graph.preprocessing->filter = ResizeFilter::kBicubic;
  graph.provenance["preprocessing"] = "not in the file; EfficientNet-Lite's (x - 127) / 128 was assumed";
  return graph;
}

}  // namespace mobilenet
