#include "mobilenet/cost.h"

namespace mobilenet {
namespace {

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
      return 0;
  }
  return 0;
}

}  // namespace

Cost CostOf(const Network& network) {
  Cost cost;
  for (const Layer& layer : network.layers) {
    LayerCost& item = cost.layers.emplace_back();
    for (const Parameter& parameter : ParametersOf(layer)) {
      if (parameter.trainable) item.params += parameter.size();
    }
    item.macs = MacsOf(layer);
    cost.params += item.params;
    cost.macs += item.macs;
  }
  return cost;
}

}  // namespace mobilenet
