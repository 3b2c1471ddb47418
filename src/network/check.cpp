#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include "base/enum_names.h"
#include "base/fail.h"
#include "mobilenet/network.h"

namespace mobilenet {
namespace {

// What keeps every count and offset of one map within an int.
constexpr int kMostSide = 65'536;
constexpr std::int64_t kMostValues = std::int64_t{1} << 31;
constexpr int kMostWindow = 255;

std::string Text(const Shape& shape) {
  return Concat(shape.height, " x ", shape.width, " x ", shape.channels);
}

template <typename... Parts>
[[noreturn]] void Bad(const Layer& layer, const Parts&... parts) {
  Fail("the layer ", layer.name, " ", parts...);
}

bool IsMap(const Shape& shape) {
  return shape.height >= 1 && shape.height <= kMostSide && shape.width >= 1 && shape.width <= kMostSide &&
         shape.channels >= 1 && shape.channels < kMostValues / shape.height / shape.width;
}

template <typename Enum>
bool Exists(Enum value) {
  return !NameOf(value).empty();
}

void CheckWindow(const Layer& layer) {
  if (layer.kernel < 1 || layer.kernel > kMostWindow)
    Bad(layer, "has a kernel of ", layer.kernel, ", expected 1 to ", kMostWindow);
  if (layer.stride < 1 || layer.stride > kMostWindow)
    Bad(layer, "has a stride of ", layer.stride, ", expected 1 to ", kMostWindow);
  const Padding& p = layer.padding;
  for (const int side : {p.top, p.bottom, p.left, p.right}) {
    if (side < 0 || side >= layer.kernel)
      Bad(layer, "has a padding of ", side, ", expected 0 to ", layer.kernel - 1);
  }
}

// The sides of what a window makes of a map; below 1 where it does not fit.
Shape Slide(const Layer& layer, int channels) {
  const Padding& p = layer.padding;
  const auto side = [&](int input, int before, int after) {
    const int rest = input + before + after - layer.kernel;
    return rest < 0 ? 0 : rest / layer.stride + 1;
  };
  return {side(layer.input.height, p.top, p.bottom), side(layer.input.width, p.left, p.right), channels};
}

// What a layer makes of its input. A convolution and what mixes channels may have any number of them.
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
  }
  return {};
}

bool HasWindow(LayerKind kind) { return kind == LayerKind::kConvolution || kind == LayerKind::kDepthwise; }

// How one layer is made, as far as that can be told from it alone.
void CheckLayer(const Layer& layer) {
  if (!Exists(layer.kind)) Bad(layer, "is of kind ", static_cast<int>(layer.kind), ", which there is not");
  if (!Exists(layer.activation))
    Bad(layer, "has the activation ", static_cast<int>(layer.activation), ", which there is not");
  if (!IsMap(layer.input)) Bad(layer, "reads a map of ", Text(layer.input), ", which is none");
  if (!IsMap(layer.output)) Bad(layer, "makes a map of ", Text(layer.output), ", which is none");
  CheckWindow(layer);
  if (!HasWindow(layer.kind) && (layer.kernel != 1 || layer.stride != 1))
    Bad(layer, "is ", NameOf(layer.kind), ", expected a kernel and a stride of 1");
  if (layer.kind == LayerKind::kFullyConnected && (layer.input.height != 1 || layer.input.width != 1))
    Bad(layer, "reads a map of ", Text(layer.input), ", expected one of 1 x 1: an average before it");
  if (const Shape output = OutputOf(layer); output != layer.output)
    Bad(layer, "makes a map of ", Text(layer.output), ", expected ", Text(output), " from one of ",
        Text(layer.input));
  const bool weightless = layer.kind == LayerKind::kGlobalAveragePool;
  if (weightless && (layer.bias || layer.batch_norm || layer.activation != Activation::kNone))
    Bad(layer, "has a bias, a batch norm or an activation, expected an average alone");
  if (layer.batch_norm && !(std::isfinite(layer.epsilon) && layer.epsilon > 0))
    Bad(layer, "has a batch norm with the epsilon ", layer.epsilon, ", expected a finite number above 0");
}

}  // namespace

void CheckNetwork(const Network& network) {
  if (network.layers.empty()) Fail("the network has no layers");
  if (!IsMap(network.input)) Fail("the network reads a map of ", Text(network.input), ", which is none");
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    if (layer.name.empty()) Fail("layer ", i, " of the network has no name");
    if (!names.insert(layer.name).second) Fail("two layers of the network have the name ", layer.name);
    if (layer.inputs.size() != 1) Bad(layer, "has ", layer.inputs.size(), " inputs, expected one");
    const int from = layer.inputs.front();
    if (from != kNetworkInput && (from < 0 || from >= static_cast<int>(i)))
      Bad(layer, "reads layer ", from, ", expected one of those before it, 0 to ", static_cast<int>(i) - 1,
          ", or the network's input, ", kNetworkInput);
    const Shape& read =
        from == kNetworkInput ? network.input : network.layers[static_cast<std::size_t>(from)].output;
    if (layer.input != read)
      Bad(layer, "reads a map of ", Text(layer.input), ", but that is of ", Text(read));
    CheckLayer(layer);
  }
}

}  // namespace mobilenet
