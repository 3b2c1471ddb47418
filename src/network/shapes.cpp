#include "network/shapes.h"

#include <algorithm>

namespace mobilenet {
namespace {

struct Extent {
  int before, after, output;
};

Extent Place(PaddingStyle style, int input, int kernel, int stride) {
  if (style == PaddingStyle::kSymmetric) {
    const int side = kernel / 2;
    return {side, side, (input + 2 * side - kernel) / stride + 1};
  }
  const int output = (input + stride - 1) / stride;
  const int total = std::max((output - 1) * stride + kernel - input, 0);
  return {total / 2, total - total / 2, output};
}

// The sides of what a window makes of a map.
Shape Slide(const Layer& layer, int channels) {
  const Padding& p = layer.padding;
  const auto side = [&](int input, int before, int after) {
    const int rest = input + before + after - layer.kernel;
    return rest < 0 ? 0 : rest / layer.stride + 1;
  };
  return {side(layer.input.height, p.top, p.bottom), side(layer.input.width, p.left, p.right), channels};
}

}  // namespace

void PlaceWindow(PaddingStyle style, Layer& layer) {
  const Extent rows = Place(style, layer.input.height, layer.kernel, layer.stride);
  const Extent columns = Place(style, layer.input.width, layer.kernel, layer.stride);
  layer.padding = {rows.before, rows.after, columns.before, columns.after};
  layer.output.height = rows.output;
  layer.output.width = columns.output;
}

Shape OutputOf(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::kConvolution:
      return Slide(layer, layer.output.channels);
    case LayerKind::kDepthwise:
      return Slide(layer, layer.input.channels);
    case LayerKind::kPointwise:
      return {layer.input.height, layer.input.width, layer.output.channels};
    case LayerKind::kGlobalAveragePool:
      return {1, 1, layer.input.channels};
    case LayerKind::kFullyConnected:
      return {1, 1, layer.output.channels};
    case LayerKind::kAdd:
      return layer.input;
  }
  return {};
}

}  // namespace mobilenet
