#include "network/shapes.h"

#include <algorithm>

namespace mobilenet {
namespace {

struct Extent {
  int before, after, output;
};

// With zeros that don't depend on the map's size; of an output of 0 where the window is larger than the map.
Extent Fixed(int before, int after, int input, int kernel, int stride) {
  const int rest = input + before + after - kernel;
  return {before, after, rest < 0 ? 0 : rest / stride + 1};
}

Extent Place(PaddingStyle style, int input, int stride, const Layer& layer) {
  const int kernel = layer.kernel;
  const int side = kernel / 2;
  if (style == PaddingStyle::kSymmetric) return Fixed(side, side, input, kernel, stride);
  if (style == PaddingStyle::kKeras && layer.kind == LayerKind::kDepthwise && stride > 1)
    return Fixed(0, side, input, kernel, stride);
  const int output = (input + stride - 1) / stride;
  const int total = std::max((output - 1) * stride + kernel - input, 0);
  return {total / 2, total - total / 2, output};
}

}  // namespace

void PlaceWindow(PaddingStyle style, Layer& layer) {
  const Extent rows = Place(style, layer.input.height, layer.stride.down, layer);
  const Extent columns = Place(style, layer.input.width, layer.stride.across, layer);
  layer.padding = {rows.before, rows.after, columns.before, columns.after};
  layer.output.height = rows.output;
  layer.output.width = columns.output;
}

bool IsPaddedAs(PaddingStyle style, Layer layer) {
  const Padding padding = layer.padding;
  PlaceWindow(style, layer);
  return layer.padding == padding;
}

}  // namespace mobilenet
