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

// A run of universal inverted bottlenecks: the kernels of the depthwise layer before the expansion and of the
// one behind it, 0 for none; the expansion, the channels out, the stride of the first, how many.
struct Run {
  int start;
  int middle;
  int expansion;
  int channels;
  int stride = 1;
  int blocks = 1;
};

// Qin et al. 2024, Table 11.
constexpr std::array<Run, 8> kSmall = {{{5, 5, 3, 96, 2},
                                        {0, 3, 2, 96, 1, 4},
                                        {3, 0, 4, 96},
                                        {3, 3, 6, 128, 2},
                                        {5, 5, 4, 128},
                                        {0, 5, 4, 128},
                                        {0, 5, 3, 128},
                                        {0, 3, 4, 128, 1, 2}}};
// Table 12.
constexpr std::array<Run, 18> kMedium = {{{3, 5, 4, 80, 2},
                                          {3, 3, 2, 80},
                                          {3, 5, 6, 160, 2},
                                          {3, 3, 4, 160, 1, 2},
                                          {3, 5, 4, 160},
                                          {3, 3, 4, 160},
                                          {3, 0, 4, 160},
                                          {0, 0, 2, 160},
                                          {3, 0, 4, 160},
                                          {5, 5, 6, 256, 2},
                                          {5, 5, 4, 256},
                                          {3, 5, 4, 256, 1, 2},
                                          {0, 0, 4, 256},
                                          {3, 0, 4, 256},
                                          {3, 5, 2, 256},
                                          {5, 5, 4, 256},
                                          {0, 0, 4, 256, 1, 2},
                                          {5, 0, 2, 256}}};
// Table 14.
constexpr std::array<Run, 15> kLarge = {{{3, 5, 4, 96, 2},
                                         {3, 3, 4, 96},
                                         {3, 5, 4, 192, 2},
                                         {3, 3, 4, 192, 1, 3},
                                         {3, 5, 4, 192},
                                         {5, 3, 4, 192, 1, 5},
                                         {3, 0, 4, 192},
                                         {5, 5, 4, 512, 2},
                                         {5, 5, 4, 512, 1, 3},
                                         {5, 0, 4, 512},
                                         {5, 3, 4, 512},
                                         {5, 0, 4, 512, 1, 2},
                                         {5, 3, 4, 512},
                                         {5, 5, 4, 512},
                                         {5, 0, 4, 512, 1, 3}}};
constexpr int kSecondLastChannels = 960;
constexpr int kLastChannels = 1280;

// What two blocks of Conv-S make: by their 3x3 convolution, and of that.
struct Pair {
  int inner;
  int channels;
};
constexpr std::array<Pair, 2> kPairs = {{{32, 32}, {96, 64}}};
// The first block of Conv-M and Conv-L.
constexpr int kFusedExpansion = 4;
constexpr int kFusedChannels = 48;

struct Variant {
  int first_channels;
  std::span<const Run> runs;
};

Variant VariantOf(V4Variant variant) {
  switch (variant) {
    case V4Variant::kConvSmall:
      return {32, kSmall};
    case V4Variant::kConvMedium:
      return {32, kMedium};
    case V4Variant::kConvLarge:
      return {24, kLarge};
  }
  return {};
}

class V4Builder {
 public:
  explicit V4Builder(const V4Options& o)
      : options_(o), builder_({o.resolution.height, o.resolution.width, o.input_channels}, StyleOf(o)) {}

  Network Build() {
    const Variant variant = VariantOf(options_.variant);
    Convolution("conv1", V2Channels(std::max(1.0, options_.alpha), variant.first_channels));
    if (options_.variant == V4Variant::kConvSmall) {
      for (const Pair& pair : kPairs) AddPair(NextBlock(), pair);
    } else {
      AddFused(NextBlock());
    }
    for (const Run& run : variant.runs) {
      for (int i = 0; i < run.blocks; ++i) AddUniversal(NextBlock(), run, i == 0 ? run.stride : 1);
    }
    AddEnd();
    return builder_.Take(options_);
  }

 private:
  [[nodiscard]] int Channels(int channels) const { return V2Channels(options_.alpha, channels); }
  std::string NextBlock() { return Concat("block", ++block_); }

  void Convolution(const std::string& name, int channels) {
    builder_.Convolution(name, LayerKind::kConvolution, 3, builder_.StrideFor(2), channels,
                         options_.activation);
  }

  void Depthwise(const std::string& name, int kernel, int stride, Activation activation) {
    builder_.Convolution(name, LayerKind::kDepthwise, kernel, stride, builder_.shape().channels, activation);
  }

  void Pointwise(const std::string& name, int channels, Activation activation) {
    builder_.Convolution(name, LayerKind::kPointwise, 1, 1, channels, activation);
  }

  void AddPair(const std::string& name, const Pair& pair) {
    Convolution(name + ".convolution", Channels(pair.inner));
    Pointwise(name + ".pointwise", Channels(pair.channels), options_.activation);
  }

  void AddFused(const std::string& name) {
    Convolution(name + ".convolution", kFusedExpansion * builder_.shape().channels);
    Pointwise(name + ".project", Channels(kFusedChannels), Activation::kNone);
  }

  // The stride is that of the second depthwise layer where there is one.
  void AddUniversal(const std::string& name, const Run& run, int wanted_stride) {
    const int input = builder_.last();
    const int before = builder_.shape().channels;
    const int stride = builder_.StrideFor(wanted_stride);
    if (run.start > 0) Depthwise(name + ".start", run.start, run.middle > 0 ? 1 : stride, Activation::kNone);
    Pointwise(name + ".expand", run.expansion * before, options_.activation);
    if (run.middle > 0) Depthwise(name + ".depthwise", run.middle, stride, options_.activation);
    Pointwise(name + ".project", Channels(run.channels), Activation::kNone);
    if (stride == 1 && builder_.shape().channels == before) builder_.Add(name + ".add", input);
  }

  void AddEnd() {
    Pointwise("conv2", Channels(kSecondLastChannels), options_.activation);
    builder_.Pool();
    builder_.Convolution("conv3", LayerKind::kFullyConnected, 1, 1, kLastChannels, options_.activation);
    if (options_.classes > 0) builder_.Classifier(options_.classes);
  }

  const V4Options& options_;
  Builder builder_;
  int block_ = 0;
};

}  // namespace

std::string_view NameOf(V4Variant variant) {
  switch (variant) {
    case V4Variant::kConvSmall:
      return "v4-conv-small";
    case V4Variant::kConvMedium:
      return "v4-conv-medium";
    case V4Variant::kConvLarge:
      return "v4-conv-large";
  }
  return "";
}

Network V4(const V4Options& options) {
  CheckRecipe(options);
  return V4Builder(options).Build();
}

}  // namespace mobilenet
