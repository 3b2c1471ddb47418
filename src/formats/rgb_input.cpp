#include "formats/rgb_input.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/fail.h"

namespace mobilenet {
namespace {

// [..., in, out]: the weights of the first and the last channel in, for each pixel of a window.
Tensor Turned(const Tensor& weight, int channels_out) {
  std::vector<float> values(weight.values.begin(), weight.values.end());
  const std::ptrdiff_t out = channels_out;
  for (auto pixel = values.begin(); pixel != values.end(); pixel += 3 * out)
    std::swap_ranges(pixel, pixel + out, pixel + 2 * out);
  return Tensor::Of(weight.shape, std::move(values));
}

}  // namespace

Model TakingRgb(Model model, const std::string& path, std::string_view instead) {
  Preprocessing& p = model.preprocessing;
  if (p.order == ChannelOrder::kRgb || model.network.input.channels != 3) return model;
  std::ranges::reverse(p.mean);
  std::ranges::reverse(p.scale);
  p.order = ChannelOrder::kRgb;
  for (const Layer& layer : model.network.layers) {
    if (std::ranges::find(layer.inputs, kNetworkInput) == layer.inputs.end()) continue;
    if (layer.kind != LayerKind::kConvolution && layer.kind != LayerKind::kPointwise)
      Fail(path, ": can't be written: ", layer.name, " reads BGR and is no convolution that could read RGB; ",
           instead);
    Tensor& weight = model.weights.at(layer.name + ".weight");
    weight = Turned(weight, layer.output.channels);
  }
  return model;
}

}  // namespace mobilenet
