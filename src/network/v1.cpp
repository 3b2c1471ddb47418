#include <algorithm>
#include <array>

#include "base/fail.h"
#include "mobilenet/network.h"
#include "network/shapes.h"

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
constexpr int kPaperOutputStride = 32;

void Check(const NetworkOptions& o) {
  if (NameOf(o.padding).empty() || NameOf(o.activation).empty()) {
    Fail("the padding ", static_cast<int>(o.padding), " or the activation ", static_cast<int>(o.activation),
         " is none that there is");
  }
  if (!(o.alpha > 0 && o.alpha <= 1)) {
    Fail("alpha is ", o.alpha, ", expected more than 0 and at most 1");
  }
  if (o.resolution < 32 || o.resolution > 4096) {
    Fail("resolution is ", o.resolution, ", expected 32 to 4096 pixels");
  }
  if (o.classes < 1 || o.classes > 1'000'000) {
    Fail("classes is ", o.classes, ", expected 1 to 1000000");
  }
  if (o.input_channels != 1 && o.input_channels != 3) {
    Fail("input channels is ", o.input_channels, ", expected 3 (RGB) or 1 (grey)");
  }
  constexpr std::array<int, 4> kStrides = {4, 8, 16, kPaperOutputStride};
  if (std::ranges::find(kStrides, o.output_stride) == kStrides.end()) {
    Fail("output stride is ", o.output_stride, ", expected 32, 16, 8 or 4");
  }
  if (!(o.epsilon > 0 && o.epsilon < 1)) {
    Fail("epsilon is ", o.epsilon, ", expected more than 0 and less than 1");
  }
}

// Appends layers, each reading the one before it.
class Builder {
 public:
  explicit Builder(const NetworkOptions& options) : options_(options) {
    network_.version = "v1";
    network_.options = options;
    network_.input = {options.resolution, options.resolution, options.input_channels};
    strides_to_drop_ = 0;
    for (int s = options.output_stride; s < kPaperOutputStride; s *= 2) ++strides_to_drop_;
  }

  void Convolution(const std::string& name, LayerKind kind, int kernel, int stride, int channels) {
    Layer layer = Next(name, kind, channels);
    layer.kernel = kernel;
    layer.stride = TakeStride(stride);
    layer.batch_norm = options_.batch_norm;
    layer.bias = !options_.batch_norm;
    layer.epsilon = options_.epsilon;
    layer.activation = options_.activation;
    PlaceWindow(options_.padding, layer);
    network_.layers.push_back(std::move(layer));
  }

  void Pool() {
    Layer layer = Next("pool", LayerKind::kGlobalAveragePool, Current().channels);
    layer.output = {1, 1, layer.input.channels};
    network_.layers.push_back(std::move(layer));
  }

  void Classifier() {
    Layer layer = Next("classifier", LayerKind::kFullyConnected, options_.classes);
    layer.output = {1, 1, options_.classes};
    layer.bias = true;
    network_.layers.push_back(std::move(layer));
  }

  [[nodiscard]] const Shape& Current() const {
    return network_.layers.empty() ? network_.input : network_.layers.back().output;
  }
  Network Take() { return std::move(network_); }

 private:
  Layer Next(const std::string& name, LayerKind kind, int channels) {
    Layer layer;
    layer.name = name;
    layer.kind = kind;
    layer.inputs = {static_cast<int>(network_.layers.size()) - 1};
    layer.input = Current();
    layer.output.channels = channels;
    return layer;
  }

  int TakeStride(int stride) {
    if (stride == 2 && strides_to_drop_ > 0) {
      --strides_to_drop_;
      return 1;
    }
    return stride;
  }

  NetworkOptions options_;
  Network network_;
  int strides_to_drop_ = 0;
};

}  // namespace

int V1Channels(double alpha, int channels) { return std::max(8, static_cast<int>(alpha * channels)); }

Network V1(const NetworkOptions& options) {
  Check(options);
  Builder builder(options);
  builder.Convolution("conv1", LayerKind::kConvolution, 3, 2, V1Channels(options.alpha, kFirstChannels));
  for (std::size_t i = 0; i < kBlocks.size(); ++i) {
    if (options.shallow && i >= kFirstRepeat && i < kFirstRepeat + kRepeats) continue;
    const Block& block = kBlocks[i];
    const std::string name = Concat("block", i + 1);
    const int channels = V1Channels(options.alpha, block.channels);
    if (options.separable) {
      builder.Convolution(name + ".depthwise", LayerKind::kDepthwise, 3, block.stride,
                          builder.Current().channels);
      builder.Convolution(name + ".pointwise", LayerKind::kPointwise, 1, 1, channels);
    } else {
      builder.Convolution(name + ".convolution", LayerKind::kConvolution, 3, block.stride, channels);
    }
  }
  builder.Pool();
  builder.Classifier();
  return builder.Take();
}

}  // namespace mobilenet
