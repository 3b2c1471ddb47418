#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "base/fail.h"
#include "mobilenet/network.h"
#include "network/builder.h"
#include "network/fields.h"

namespace mobilenet {
namespace {

// An inverted residual: the depthwise layer's kernel, the channels that it filters, the channels out, whether
// they are squeezed and excited, the activation, the stride.
struct Block {
  int kernel;
  int expanded;
  int channels;
  bool squeezed;
  Activation activation;
  int stride;
};

constexpr Activation kRE = Activation::kRelu;
constexpr Activation kHS = Activation::kHardSwish;

// Howard et al. 2019, Table 1.
constexpr std::array<Block, 15> kLarge = {{{3, 16, 16, false, kRE, 1},
                                           {3, 64, 24, false, kRE, 2},
                                           {3, 72, 24, false, kRE, 1},
                                           {5, 72, 40, true, kRE, 2},
                                           {5, 120, 40, true, kRE, 1},
                                           {5, 120, 40, true, kRE, 1},
                                           {3, 240, 80, false, kHS, 2},
                                           {3, 200, 80, false, kHS, 1},
                                           {3, 184, 80, false, kHS, 1},
                                           {3, 184, 80, false, kHS, 1},
                                           {3, 480, 112, true, kHS, 1},
                                           {3, 672, 112, true, kHS, 1},
                                           {5, 672, 160, true, kHS, 2},
                                           {5, 960, 160, true, kHS, 1},
                                           {5, 960, 160, true, kHS, 1}}};
// Table 2.
constexpr std::array<Block, 11> kSmall = {{{3, 16, 16, true, kRE, 2},
                                           {3, 72, 24, false, kRE, 2},
                                           {3, 88, 24, false, kRE, 1},
                                           {5, 96, 40, true, kHS, 2},
                                           {5, 240, 40, true, kHS, 1},
                                           {5, 240, 40, true, kHS, 1},
                                           {5, 120, 48, true, kHS, 1},
                                           {5, 144, 48, true, kHS, 1},
                                           {5, 288, 96, true, kHS, 2},
                                           {5, 576, 96, true, kHS, 1},
                                           {5, 576, 96, true, kHS, 1}}};
constexpr int kFirstChannels = 16;
constexpr int kLastExpansion = 6;  // from the last block's channels to those that are averaged
constexpr double kSqueeze = 0.25;

struct Variant {
  std::span<const Block> blocks;
  int features;
  bool minimalistic;  // without 5x5 windows, hard-swish, squeeze-excite
};

Variant VariantOf(V3Variant variant) {
  switch (variant) {
    case V3Variant::kLarge:
      return {kLarge, 1280, false};
    case V3Variant::kSmall:
      return {kSmall, 1024, false};
    case V3Variant::kLargeMinimalistic:
      return {kLarge, 1280, true};
    case V3Variant::kSmallMinimalistic:
      return {kSmall, 1024, true};
  }
  return {};
}

class V3Builder {
 public:
  explicit V3Builder(const V3Options& o)
      : options_(o),
        variant_(VariantOf(o.variant)),
        builder_({o.resolution.height, o.resolution.width, o.input_channels}, StyleOf(o)) {}

  Network Build() {
    builder_.Convolution("conv1", LayerKind::kConvolution, 3, builder_.StrideFor(2), FirstChannels(),
                         Activated(kHS));
    int number = 0;
    int before = kFirstChannels;
    for (const Block& block : variant_.blocks) {
      AddBlock(Concat("block", ++number), block, before);
      before = block.channels;
    }
    AddEnd();
    return builder_.Take(options_);
  }

 private:
  [[nodiscard]] int Channels(int channels) const { return V2Channels(options_.alpha, channels); }
  [[nodiscard]] Activation Activated(Activation activation) const {
    return variant_.minimalistic ? kRE : activation;
  }

  [[nodiscard]] int FirstChannels() const {
    switch (options_.widths) {
      case V3Widths::kSlim:
      case V3Widths::kTorchvision:
        return Channels(kFirstChannels);
      case V3Widths::kKeras:
        return kFirstChannels;
      case V3Widths::kTimm:
        return options_.alpha < 0.75 ? kFirstChannels : Channels(kFirstChannels);
    }
    return 0;
  }

  // Of a block that reads what has `before` channels where alpha is 1.
  [[nodiscard]] int Expanded(const Block& block, int before) const {
    if (options_.widths == V3Widths::kTorchvision) return Channels(block.expanded);
    return V2Channels(double{1} * block.expanded / before, builder_.shape().channels);
  }

  // What is averaged has six times the channels of the last block, rounded before or behind.
  [[nodiscard]] int AveragedChannels() const {
    switch (options_.widths) {
      case V3Widths::kSlim:
      case V3Widths::kTimm:
        return Channels(kLastExpansion * variant_.blocks.back().channels);
      case V3Widths::kKeras:
      case V3Widths::kTorchvision:
        return kLastExpansion * builder_.shape().channels;
    }
    return 0;
  }

  [[nodiscard]] int Features() const {
    switch (options_.widths) {
      case V3Widths::kTorchvision:
        return Channels(variant_.features);
      case V3Widths::kSlim:
      case V3Widths::kKeras:
        return V2Channels(std::max(1.0, options_.alpha), variant_.features);
      case V3Widths::kTimm:
        return variant_.features;
    }
    return 0;
  }

  void AddBlock(const std::string& name, const Block& block, int channels_before) {
    const int input = builder_.last();
    const int before = builder_.shape().channels;
    const int stride = builder_.StrideFor(block.stride);
    const int expanded = Expanded(block, channels_before);
    const Activation activation = Activated(block.activation);
    if (block.expanded != channels_before)
      builder_.Convolution(name + ".expand", LayerKind::kPointwise, 1, 1, expanded, activation);
    builder_.Convolution(name + ".depthwise", LayerKind::kDepthwise, variant_.minimalistic ? 3 : block.kernel,
                         stride, expanded, activation);
    if (block.squeezed && !variant_.minimalistic) AddSqueezeExcite(name);
    builder_.Convolution(name + ".project", LayerKind::kPointwise, 1, 1, Channels(block.channels),
                         Activation::kNone);
    if (stride == 1 && builder_.shape().channels == before) builder_.Add(name + ".add", input);
  }

  // Each channel times a number that all channels' averages give it (Hu et al. 2018).
  void AddSqueezeExcite(const std::string& name) {
    const int map = builder_.last();
    const int channels = builder_.shape().channels;
    builder_.Pool(name + ".pool");
    builder_.Dense(name + ".squeeze", V2Channels(kSqueeze, channels), Activation::kRelu);
    builder_.Dense(name + ".excite", channels, Activation::kHardSigmoid);
    builder_.Scale(name + ".scale", map);
  }

  void AddEnd() {
    builder_.Convolution("conv2", LayerKind::kPointwise, 1, 1, AveragedChannels(), Activated(kHS));
    builder_.Pool("pool");
    builder_.Dense("conv3", Features(), Activated(kHS));
    if (options_.classes > 0) builder_.Classifier(options_.classes);
  }

  const V3Options& options_;
  const Variant variant_;
  Builder builder_;
};

}  // namespace

std::string_view NameOf(V3Variant variant) {
  switch (variant) {
    case V3Variant::kLarge:
      return "v3-large";
    case V3Variant::kSmall:
      return "v3-small";
    case V3Variant::kLargeMinimalistic:
      return "v3-large-minimalistic";
    case V3Variant::kSmallMinimalistic:
      return "v3-small-minimalistic";
  }
  return "";
}

std::string_view NameOf(V3Widths widths) {
  switch (widths) {
    case V3Widths::kSlim:
      return "slim";
    case V3Widths::kKeras:
      return "keras";
    case V3Widths::kTimm:
      return "timm";
    case V3Widths::kTorchvision:
      return "torchvision";
  }
  return "";
}

Network V3(const V3Options& options) {
  CheckRecipe(options);
  return V3Builder(options).Build();
}

}  // namespace mobilenet
