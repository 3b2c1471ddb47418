#include "formats/timm_v4.h"

#include <array>
#include <string>

#include "base/fail.h"
#include "formats/torch_nodes.h"

namespace mobilenet {
namespace {

constexpr int kStemStride = 2;
// Of the first block of each stage; of the others it is 1.
constexpr std::array kStrides = {2, 2, 2, 2, 1};

// A 3x3 or 1x1 convolution that ends with its activation.
bool AddConvolution(const std::string& name, int stride, TensorNodes& nodes) {
  if (!nodes.Has(name + "conv.weight")) return false;
  nodes.Convolution(name + "conv", name + "bn1", stride, true);
  return true;
}

bool AddFused(const std::string& name, int stride, TensorNodes& nodes) {
  if (!nodes.Has(name + "conv_exp.weight")) return false;
  const TensorNodes::Map input = nodes.map();
  nodes.Convolution(name + "conv_exp", name + "bn1", stride, true);
  nodes.Convolution(name + "conv_pwl", name + "bn2", 1, false);
  if (stride == 1) nodes.Skip(input, name + "conv_pwl");
  return true;
}

bool AddUniversal(const std::string& name, int stride, TensorNodes& nodes) {
  if (!nodes.Has(name + "pw_exp.conv.weight")) return false;
  const TensorNodes::Map input = nodes.map();
  const auto conv = [&](const char* part) { return name + part + ".conv"; };
  const auto norm = [&](const char* part) { return name + part + ".bn"; };
  const bool middle = nodes.Has(conv("dw_mid") + ".weight");
  if (nodes.Has(conv("dw_start") + ".weight"))
    nodes.Depthwise(conv("dw_start"), norm("dw_start"), middle ? 1 : stride, false);
  nodes.Convolution(conv("pw_exp"), norm("pw_exp"), 1, true);
  if (middle) nodes.Depthwise(conv("dw_mid"), norm("dw_mid"), stride, true);
  nodes.Convolution(conv("pw_proj"), norm("pw_proj"), 1, false);
  if (stride == 1) nodes.Skip(input, conv("pw_proj"));
  return true;
}

void RefuseHybrids(const Safetensors& file) {
  for (const auto& [name, entry] : file.entries) {
    if (name.find(".attn.") != std::string::npos)
      Fail(file.name, ": has the tensor ", name,
           ", as MobileNet V4's hybrids have, expected a convolutional V4: attention is not read");
  }
}

// timm's default_cfgs: Inception's numbers for the narrow Conv-S and one of three weights of Conv-S,
// ImageNet's for all others.
void SetPreprocessing(bool narrow, Graph& graph) {
  graph.preprocessing = PreprocessingPreset(narrow ? "tensorflow" : "pytorch");
  graph.preprocessing->crop = 0.95F;
  graph.preprocessing->shape = CropShape::kStretch;
  graph.preprocessing->filter = ResizeFilter::kBicubic;
  graph.provenance["preprocessing"] =
      Concat("not in the file; ",
             narrow ? "x / 127.5 - 1 was assumed, which timm trains its narrow V4 with"
                    : "ImageNet's mean and deviation were assumed, which timm trains its V4 with, but for "
                      "conv_small.e3600_r256, whose is x / 127.5 - 1",
             "; a crop of 0.95 of each side was assumed, where timm's own is a square of the shorter side");
}

}  // namespace

bool HasTimmV4Names(const Safetensors& file) {
  return file.entries.contains("conv_stem.weight") && file.entries.contains("blocks.2.0.pw_exp.conv.weight");
}

Graph ReadTimmV4(const Safetensors& file) {
  RefuseHybrids(file);
  TensorNodes nodes(file, {.activation = Activation::kRelu});
  nodes.Convolution("conv_stem", "bn1", kStemStride, true);
  for (std::size_t stage = 0; stage < kStrides.size(); ++stage) {
    const auto name = [&](int block) { return Concat("blocks.", stage, ".", block, "."); };
    const auto add = [&](int block) {
      const int stride = block == 0 ? kStrides[stage] : 1;
      return AddConvolution(name(block), stride, nodes) || AddFused(name(block), stride, nodes) ||
             AddUniversal(name(block), stride, nodes);
    };
    for (int block = 0; add(block);) ++block;
  }
  constexpr std::int64_t kWidest = 960;
  const bool narrow = nodes.map().channels < kWidest;
  nodes.Average();
  nodes.Convolution("conv_head", "norm_head", 1, true);
  nodes.Classifier("classifier");
  Graph graph = nodes.Take("timm's MobileNet V4");
  graph.format = "PyTorch weights, timm's names";
  graph.provenance["padding"] =
      "symmetric, epsilon 1e-5, ReLU: assumed; timm's conv_aa_ and conv_blur_ models have the same names, "
      "but "
      "blur before strides";
  SetPreprocessing(narrow, graph);
  return graph;
}

}  // namespace mobilenet
