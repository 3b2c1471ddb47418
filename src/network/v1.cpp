#include <algorithm>
#include <array>

#include "base/fail.h"
#include "mobilenet/network.h"
#include "network/builder.h"
#include "network/fields.h"

namespace mobilenet {
namespace {

struct Block {
  int channels;
  int stride;
};

// Howard et al. 2017, Table 1, below the first convolution.
constexpr int kFirstChannels = 32;
constexpr std::array<Block, 13> kBlocks = {{{64, 1},
                                            {128, 2},
                                            {128, 1},
                                            {256, 2},
                                            {256, 1},
                                            {512, 2},
                                            {512, 1},
                                            {512, 1},
                                            {512, 1},
                                            {512, 1},
                                            {512, 1},
                                            {1024, 2},
                                            {1024, 1}}};
constexpr std::size_t kFirstRepeat = 6;  // from here, 512 channels at stride 1
constexpr std::size_t kRepeats = 5;

}  // namespace

int V1Channels(double alpha, int channels) { return std::max(8, static_cast<int>(alpha * channels)); }

Network V1(const V1Options& options) {
  CheckRecipe(options);
  const V1Options& o = options;
  Builder builder({o.resolution.height, o.resolution.width, o.input_channels}, StyleOf(o));
  const auto add = [&](const std::string& name, LayerKind kind, int kernel, int stride, int channels) {
    builder.Convolution(name, kind, kernel, builder.StrideFor(stride), channels, o.activation);
  };
  add("conv1", LayerKind::kConvolution, 3, 2, V1Channels(o.alpha, kFirstChannels));
  for (std::size_t i = 0; i < kBlocks.size(); ++i) {
    if (o.shallow && i >= kFirstRepeat && i < kFirstRepeat + kRepeats) continue;
    const Block& block = kBlocks[i];
    const std::string name = Concat("block", i + 1);
    const int channels = V1Channels(o.alpha, block.channels);
    if (o.separable) {
      add(name + ".depthwise", LayerKind::kDepthwise, 3, block.stride, builder.shape().channels);
      add(name + ".pointwise", LayerKind::kPointwise, 1, 1, channels);
    } else {
      add(name + ".convolution", LayerKind::kConvolution, 3, block.stride, channels);
    }
  }
  builder.Pool();
  if (o.classes > 0) builder.Classifier(o.classes);
  return builder.Take(options);
}

}  // namespace mobilenet
