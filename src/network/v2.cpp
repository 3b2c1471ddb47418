#include <algorithm>
#include <array>

#include "base/fail.h"
#include "mobilenet/network.h"
#include "network/builder.h"
#include "network/fields.h"

namespace mobilenet {
namespace {

// A run of blocks: the expansion t, the channels out, how many blocks, and the stride of the first.
struct Run {
  int expansion;
  int channels;
  int blocks;
  int stride;
};

// Sandler et al. 2018, Table 2, below the first convolution.
constexpr int kFirstChannels = 32;
constexpr std::array<Run, 7> kRuns = {{{1, 16, 1, 1},
                                       {6, 24, 2, 2},
                                       {6, 32, 3, 2},
                                       {6, 64, 4, 2},
                                       {6, 96, 3, 1},
                                       {6, 160, 3, 2},
                                       {6, 320, 1, 1}}};
constexpr int kLastChannels = 1280;

void AddBlock(const std::string& name, int expansion, int stride, int channels, Activation activation,
              Builder& builder) {
  const int input = builder.last();
  const Shape before = builder.shape();
  const int inner = expansion * before.channels;
  if (expansion > 1) builder.Convolution(name + ".expand", LayerKind::kPointwise, 1, 1, inner, activation);
  builder.Convolution(name + ".depthwise", LayerKind::kDepthwise, 3, stride, inner, activation);
  builder.Convolution(name + ".project", LayerKind::kPointwise, 1, 1, channels, Activation::kNone);
  if (stride == 1 && channels == before.channels) builder.Add(name + ".add", input);
}

}  // namespace

int V2Channels(double alpha, int channels) {
  constexpr int kUnit = 8;
  const double wanted = alpha * channels;
  const int rounded = std::max(kUnit, static_cast<int>(wanted + kUnit / 2.0) / kUnit * kUnit);
  return rounded < 0.9 * wanted ? rounded + kUnit : rounded;
}

Network V2(const V2Options& options) {
  CheckRecipe(options);
  const V2Options& o = options;
  Builder builder({o.resolution.height, o.resolution.width, o.input_channels}, StyleOf(o));
  builder.Convolution("conv1", LayerKind::kConvolution, 3, builder.StrideFor(2),
                      V2Channels(o.alpha, kFirstChannels), o.activation);
  int block = 0;
  for (const Run& run : kRuns) {
    for (int i = 0; i < run.blocks; ++i) {
      const int stride = builder.StrideFor(i == 0 ? run.stride : 1);
      AddBlock(Concat("block", ++block), run.expansion, stride, V2Channels(o.alpha, run.channels),
               o.activation, builder);
    }
  }
  builder.Convolution("conv2", LayerKind::kPointwise, 1, 1, V2Channels(std::max(1.0, o.alpha), kLastChannels),
                      o.activation);
  builder.Pool();
  if (o.classes > 0) builder.Classifier(o.classes);
  return builder.Take(options);
}

}  // namespace mobilenet
