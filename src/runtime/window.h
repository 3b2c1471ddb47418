// A layer as kernels see it.
#pragma once

#include "kernels/kernels.h"
#include "mobilenet/network.h"

namespace mobilenet {

inline Window WindowOf(const Layer& layer) {
  return {.input_height = layer.input.height,
          .input_width = layer.input.width,
          .input_channels = layer.input.channels,
          .output_height = layer.output.height,
          .output_width = layer.output.width,
          .output_channels = layer.output.channels,
          .kernel = layer.kernel,
          .stride = {layer.stride.down, layer.stride.across},
          .padding_top = layer.padding.top,
          .padding_left = layer.padding.left};
}

// What an activation makes of a value.
constexpr Range RangeOf(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return kWholeRange;
    case Activation::kRelu:
      return {0, kWholeRange.high};
    case Activation::kRelu6:
      return {0, 6};
    case Activation::kHardSigmoid:
      return kHardSigmoidRange;
    case Activation::kHardSwish:
      return kHardSwishRange;
  }
  return kWholeRange;
}

}  // namespace mobilenet
