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

}  // namespace

void PlaceWindow(PaddingStyle style, Layer& layer) {
  const Extent rows = Place(style, layer.input.height, layer.kernel, layer.stride);
  const Extent columns = Place(style, layer.input.width, layer.kernel, layer.stride);
  layer.padding = {rows.before, rows.after, columns.before, columns.after};
  layer.output.height = rows.output;
  layer.output.width = columns.output;
}

}  // namespace mobilenet
