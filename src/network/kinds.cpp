#include "network/kinds.h"

namespace mobilenet {
namespace {

// The sides of what a window makes of a map.
Shape Slide(const Layer& layer, int channels) {
  const Padding& p = layer.padding;
  const auto side = [&](int input, int around, int stride) {
    const int rest = input + around - layer.kernel;
    return rest < 0 ? 0 : rest / stride + 1;
  };
  return {side(layer.input.height, p.top + p.bottom, layer.stride.down),
          side(layer.input.width, p.left + p.right, layer.stride.across), channels};
}

}  // namespace

std::string_view NameOf(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConvolution:
      return "convolution";
    case LayerKind::kDepthwise:
      return "depthwise";
    case LayerKind::kPointwise:
      return "pointwise";
    case LayerKind::kGlobalAveragePool:
      return "global average pool";
    case LayerKind::kFullyConnected:
      return "fully connected";
    case LayerKind::kAdd:
      return "add";
    case LayerKind::kScale:
      return "scale";
    case LayerKind::kMaxPool:
      return "max pool";
  }
  return "";
}

KindTraits TraitsOf(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConvolution:
      return {.window = true, .weights = true, .mixes = true, .activation = true};
    case LayerKind::kDepthwise:
      return {.window = true, .weights = true, .activation = true};
    case LayerKind::kPointwise:
    case LayerKind::kFullyConnected:
      return {.weights = true, .mixes = true, .activation = true};
    case LayerKind::kGlobalAveragePool:
      return {};
    case LayerKind::kAdd:
      return {.inputs = 2, .activation = true};
    case LayerKind::kScale:
      return {.inputs = 2};
    case LayerKind::kMaxPool:
      return {.window = true};
  }
  return {};
}

Shape InputOf(const Layer& layer, std::size_t number) {
  const bool gate = layer.kind == LayerKind::kScale && number == 1;
  return gate ? Shape{1, 1, layer.input.channels} : layer.input;
}

std::vector<std::int64_t> WeightShapeOf(const Layer& layer) {
  const std::int64_t k = layer.kernel;
  switch (layer.kind) {
    case LayerKind::kConvolution:
      return {k, k, layer.input.channels, layer.output.channels};
    case LayerKind::kDepthwise:
      return {k, k, layer.input.channels};
    case LayerKind::kPointwise:
    case LayerKind::kFullyConnected:
      return {layer.input.channels, layer.output.channels};
    case LayerKind::kGlobalAveragePool:
    case LayerKind::kAdd:
    case LayerKind::kScale:
    case LayerKind::kMaxPool:
      return {};
  }
  return {};
}

std::int64_t WeightsOf(const Layer& layer) {
  const std::vector<std::int64_t> shape = WeightShapeOf(layer);
  if (shape.empty()) return 0;
  std::int64_t weights = 1;
  for (const std::int64_t size : shape) weights *= size;
  return weights;
}

Shape OutputOf(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::kConvolution:
      return Slide(layer, layer.output.channels);
    case LayerKind::kDepthwise:
    case LayerKind::kMaxPool:
      return Slide(layer, layer.input.channels);
    case LayerKind::kPointwise:
      return {layer.input.height, layer.input.width, layer.output.channels};
    case LayerKind::kGlobalAveragePool:
      return {1, 1, layer.input.channels};
    case LayerKind::kFullyConnected:
      return {1, 1, layer.output.channels};
    case LayerKind::kAdd:
    case LayerKind::kScale:
      return layer.input;
  }
  return {};
}

std::int64_t MacsOf(const Layer& layer) {
  const std::int64_t window = std::int64_t{layer.kernel} * layer.kernel;
  switch (layer.kind) {
    case LayerKind::kConvolution:
      return window * layer.input.channels * layer.output.size();
    case LayerKind::kDepthwise:
      return window * layer.output.size();
    case LayerKind::kPointwise:
    case LayerKind::kFullyConnected:
      return layer.input.channels * layer.output.size();
    case LayerKind::kGlobalAveragePool:
    case LayerKind::kAdd:
    case LayerKind::kScale:
    case LayerKind::kMaxPool:
      return 0;
  }
  return 0;
}

}  // namespace mobilenet
