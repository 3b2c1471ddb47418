#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include "base/enum_names.h"
#include "base/fail.h"
#include "mobilenet/network.h"
#include "network/kinds.h"

namespace mobilenet {
namespace {

// Deeper than any MobileNet by far; planning takes a time that grows with the square of it and more.
constexpr std::size_t kMostLayers = 1000;
// Mult-adds of one image, and values of all weights: more would not fit the counts.
constexpr double kMostWork = 1e18;

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
  const int most = layer.kind == LayerKind::kConvolution ? kMostWindow : kMostDepthwiseWindow;
  if (layer.kernel < 1 || layer.kernel > most)
    Bad(layer, "has a kernel of ", layer.kernel, ", expected 1 to ", most);
  for (const int stride : {layer.stride.down, layer.stride.across}) {
    if (stride < 1 || stride > kMostWindow)
      Bad(layer, "has a stride of ", stride, ", expected 1 to ", kMostWindow);
  }
  const Padding& p = layer.padding;
  for (const int side : {p.top, p.bottom, p.left, p.right}) {
    if (side < 0 || side >= layer.kernel)
      Bad(layer, "has a padding of ", side, ", expected 0 to ", layer.kernel - 1);
  }
  if (layer.kind == LayerKind::kMaxPool && p != Padding())
    Bad(layer, "is a max pool with padding, expected none");
}

// How one layer is made, as far as that can be told from it alone.
void CheckLayer(const Layer& layer) {
  if (!Exists(layer.kind)) Bad(layer, "is of kind ", static_cast<int>(layer.kind), ", which there is not");
  if (!Exists(layer.activation))
    Bad(layer, "has the activation ", static_cast<int>(layer.activation), ", which there is not");
  if (!IsMap(layer.input)) Bad(layer, "reads a map of ", Text(layer.input), ", which is none");
  if (!IsMap(layer.output)) Bad(layer, "makes a map of ", Text(layer.output), ", which is none");
  CheckWindow(layer);
  const KindTraits traits = TraitsOf(layer.kind);
  if (!traits.window && (layer.kernel != 1 || layer.stride != 1))
    Bad(layer, "is ", NameOf(layer.kind), ", expected a kernel and a stride of 1");
  if (layer.kind == LayerKind::kFullyConnected && (layer.input.height != 1 || layer.input.width != 1))
    Bad(layer, "reads a map of ", Text(layer.input), ", expected one of 1 x 1: an average before it");
  if (const Shape output = OutputOf(layer); output != layer.output)
    Bad(layer, "makes a map of ", Text(layer.output), ", expected ", Text(output), " from one of ",
        Text(layer.input));
  if (!traits.weights && (layer.bias || layer.batch_norm))
    Bad(layer, "is ", NameOf(layer.kind), " with a bias or a batch norm, expected neither");
  if (!traits.activation && layer.activation != Activation::kNone)
    Bad(layer, "is ", NameOf(layer.kind), " with an activation, expected none");
  if (!(std::isfinite(layer.epsilon) && layer.epsilon > 0))
    Bad(layer, "has the epsilon ", layer.epsilon, ", expected a finite number above 0");
  double weights = 1;
  for (const std::int64_t size : WeightShapeOf(layer)) weights *= static_cast<double>(size);
  if (weights > static_cast<double>(kMostValues))
    Bad(layer, "has ", weights, " weights, expected at most ", kMostValues);
}

// That a layer reads what comes before it, and as it is.
void CheckInputs(const Network& network, std::size_t index) {
  const Layer& layer = network.layers[index];
  const auto expected = static_cast<std::size_t>(TraitsOf(layer.kind).inputs);
  if (layer.inputs.size() != expected)
    Bad(layer, "has ", layer.inputs.size(), " inputs, expected ", expected == 1 ? "one" : "two");
  for (std::size_t i = 0; i < expected; ++i) {
    const int from = layer.inputs[i];
    if (from != kNetworkInput && (from < 0 || from >= static_cast<int>(index)))
      Bad(layer, "reads layer ", from, ", expected one of those before it, 0 to ",
          static_cast<int>(index) - 1, ", or the network's input, ", kNetworkInput);
    const Shape& read =
        from == kNetworkInput ? network.input : network.layers[static_cast<std::size_t>(from)].output;
    if (InputOf(layer, i) != read)
      Bad(layer, "reads a map of ", Text(InputOf(layer, i)), ", but that is of ", Text(read));
  }
}

}  // namespace

void CheckNetwork(const Network& network) {
  if (network.layers.empty()) Fail("the network has no layers");
  if (network.layers.size() > kMostLayers)
    Fail("the network has ", network.layers.size(), " layers, expected at most ", kMostLayers);
  if (!IsMap(network.input)) Fail("the network reads a map of ", Text(network.input), ", which is none");
  std::set<std::string_view> names;
  double work = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    if (layer.name.empty()) Fail("layer ", i, " of the network has no name");
    if (!names.insert(layer.name).second) Fail("two layers of the network have the name ", layer.name);
    CheckInputs(network, i);
    CheckLayer(layer);
    work += static_cast<double>(MacsOf(layer));
  }
  if (work > kMostWork) Fail("the network takes ", work, " mult-adds, expected at most ", kMostWork);
}

}  // namespace mobilenet
