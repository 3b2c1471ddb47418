#include "formats/torch_layout.h"

#include <algorithm>

#include "formats/transposed.h"

namespace mobilenet {

std::vector<float> ChannelsFirst(const Layer& layer, std::span<const float> weight) {
  const std::int64_t out = layer.output.channels;
  // All pixels of a window, by the rest.
  const std::int64_t pixels = std::int64_t{layer.kernel} * layer.kernel;
  std::vector<float> values = Transposed(weight, pixels);
  if (layer.kind == LayerKind::kDepthwise) return values;
  const std::int64_t in = static_cast<std::int64_t>(weight.size()) / (pixels * out);
  std::vector<float> ordered(values.size());
  for (std::int64_t o = 0; o < out; ++o) {
    for (std::int64_t i = 0; i < in; ++i)
      std::copy_n(values.begin() + (i * out + o) * pixels, pixels, ordered.begin() + (o * in + i) * pixels);
  }
  return ordered;
}

std::vector<std::int64_t> ChannelsFirstShape(const Layer& layer) {
  if (layer.kind == LayerKind::kFullyConnected) return {layer.output.channels, layer.input.channels};
  const std::int64_t in = layer.kind == LayerKind::kDepthwise ? 1 : layer.input.channels;
  return {layer.output.channels, in, layer.kernel, layer.kernel};
}

}  // namespace mobilenet
