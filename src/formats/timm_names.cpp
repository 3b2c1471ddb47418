#include "formats/timm_names.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "base/fail.h"
#include "network/kinds.h"

namespace mobilenet {
namespace {

// How many of our blocks each of timm's stages has, and the layers outside of the blocks.
struct Style {
  std::vector<int> stages;
  TimmLayer conv2, conv3;
  bool universal = false;  // V4's blocks
  bool pairs = false;      // the first two of our blocks are stages of two convolutions each
};

Style StyleOf(const V1Options& /*options*/) { return {.stages = {1, 2, 2, 6, 2}, .conv2 = {}, .conv3 = {}}; }

Style StyleOf(const V2Options& /*options*/) {
  return {.stages = {1, 2, 3, 4, 3, 3, 1}, .conv2 = {"conv_head", "bn2"}, .conv3 = {}};
}

Style StyleOf(const V3Options& options) {
  const bool large = options.variant == V3Variant::kLarge || options.variant == V3Variant::kLargeMinimalistic;
  const std::string last = large ? "blocks.6.0." : "blocks.5.0.";
  return {.stages = large ? std::vector{1, 2, 3, 4, 2, 3} : std::vector{1, 2, 3, 2, 3},
          .conv2 = {last + "conv", last + "bn1"},
          .conv3 = {"conv_head", ""}};
}

std::vector<int> StagesOf(V4Variant variant) {
  switch (variant) {
    case V4Variant::kConvSmall:
      return {1, 1, 6, 6};
    case V4Variant::kConvMedium:
      return {1, 2, 8, 11};
    case V4Variant::kConvLarge:
      return {1, 2, 11, 13};
  }
  return {};
}

Style StyleOf(const V4Options& options) {
  return {.stages = StagesOf(options.variant),
          .conv2 = {"blocks.4.0.conv", "blocks.4.0.bn1"},
          .conv3 = {"conv_head", "norm_head"},
          .universal = true,
          .pairs = options.variant == V4Variant::kConvSmall};
}

class Namer {
 public:
  explicit Namer(Style style) : style_(std::move(style)) {}

  // To be called for one layer after the other.
  TimmLayer NameOf(const Layer& layer) {
    if (layer.name == "conv1") return {"conv_stem", "bn1"};
    if (layer.name == "conv2") return style_.conv2;
    if (layer.name == "conv3") return style_.conv3;
    if (layer.name == "classifier") return {"classifier", ""};
    const std::size_t point = layer.name.find('.');
    const std::string ours = layer.name.substr(0, point);
    if (ours != ours_) Begin(ours);
    const std::string part = layer.name.substr(point + 1);
    return style_.universal ? Universal(part) : Residual(part);
  }

 private:
  void Begin(const std::string& ours) {
    ours_ = ours;
    norms_ = 0;
    while (in_stage_ == style_.stages[stage_]) {
      ++stage_;
      in_stage_ = 0;
    }
    block_ = Concat("blocks.", stage_, ".", in_stage_++, ".");
  }

  TimmLayer WithNextNorm(const char* layer) { return {block_ + layer, Concat(block_, "bn", ++norms_)}; }

  // Separable blocks, and inverted residuals with or without an expansion.
  TimmLayer Residual(const std::string& part) {
    if (part == "squeeze") return {block_ + "se.conv_reduce", ""};
    if (part == "excite") return {block_ + "se.conv_expand", ""};
    if (part == "expand") return WithNextNorm("conv_pw");
    if (part == "depthwise") return WithNextNorm("conv_dw");
    return WithNextNorm(norms_ == 2 ? "conv_pwl" : "conv_pw");
  }

  TimmLayer Universal(const std::string& part) {
    if (part == "convolution") return WithNextNorm(style_.pairs ? "conv" : "conv_exp");
    if (part == "pointwise") {  // the other block of a pair
      const std::string second = Concat("blocks.", stage_, ".1.");
      return {second + "conv", second + "bn1"};
    }
    if (stage_ == 0) return WithNextNorm("conv_pwl");
    const std::string name = block_ + (part == "start"       ? "dw_start"
                                       : part == "expand"    ? "pw_exp"
                                       : part == "depthwise" ? "dw_mid"
                                                             : "pw_proj");
    return {name + ".conv", name + ".bn"};
  }

  Style style_;
  std::string ours_;   // the block that the last layer was in
  std::string block_;  // what timm calls it
  int norms_ = 0;      // in it, so far
  std::size_t stage_ = 0;
  int in_stage_ = 0;  // blocks of it so far
};

}  // namespace

std::vector<TimmLayer> TimmNames(const Recipe& recipe) {
  Namer namer(std::visit([](const auto& options) { return StyleOf(options); }, recipe));
  std::vector<TimmLayer> names;
  for (const Layer& layer : Build(recipe).layers) {
    if (TraitsOf(layer.kind).weights) names.push_back(namer.NameOf(layer));
  }
  return names;
}

}  // namespace mobilenet
