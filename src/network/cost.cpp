#include "mobilenet/cost.h"

#include <algorithm>

#include "network/kinds.h"
#include "network/schedule.h"

namespace mobilenet {
namespace {

std::int64_t BytesOfValue(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return 4;
    case Precision::kBfloat16:
    case Precision::kFloat16:
      return 2;
    case Precision::kInt8:
      return 1;
  }
  return 4;
}

// Of a feature map in a plan.
std::int64_t BytesOfMapValue(Precision precision) { return precision == Precision::kInt8 ? 1 : 4; }

std::int64_t WeightBytesOf(const Layer& layer, Precision precision) {
  const std::int64_t weights = WeightsOf(layer);
  if (weights == 0) return 0;
  const std::int64_t for_each_channel = precision == Precision::kInt8 ? 8 : 4;
  return weights * BytesOfValue(precision) + for_each_channel * layer.output.channels;
}

LayerCost LayerCostOf(const Layer& layer, Precision precision) {
  LayerCost cost;
  for (const Parameter& parameter : ParametersOf(layer)) {
    if (parameter.trainable) cost.params += parameter.size();
  }
  cost.macs = MacsOf(layer);
  cost.weight_bytes = WeightBytesOf(layer, precision);
  cost.activation_bytes = layer.output.size() * BytesOfMapValue(precision);
  return cost;
}

}  // namespace

std::string_view NameOf(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "float32";
    case Precision::kBfloat16:
      return "bfloat16";
    case Precision::kFloat16:
      return "float16";
    case Precision::kInt8:
      return "int8";
  }
  return "";
}

std::string_view NameOf(MemoryUse memory) {
  switch (memory) {
    case MemoryUse::kFast:
      return "fast";
    case MemoryUse::kLeast:
      return "least";
  }
  return "";
}

Cost CostOf(const Network& network, Precision precision, MemoryUse memory) {
  CheckNetwork(network);
  Cost cost;
  for (const Layer& layer : network.layers) {
    const LayerCost& item = cost.layers.emplace_back(LayerCostOf(layer, precision));
    cost.params += item.params;
    cost.macs += item.macs;
    cost.weight_bytes += item.weight_bytes;
  }
  // Schedules are of float32 maps.
  const auto bytes = static_cast<std::int64_t>(ScheduleOf(network, memory).arena_bytes);
  cost.peak_activation_bytes = bytes * BytesOfMapValue(precision) / BytesOfMapValue(Precision::kFloat32);
  return cost;
}

std::vector<KindCost> CostByKind(const Network& network) {
  CheckNetwork(network);
  std::vector<KindCost> kinds;
  for (const Layer& layer : network.layers) {
    auto found = std::ranges::find(kinds, layer.kind, &KindCost::kind);
    if (found == kinds.end()) found = kinds.insert(kinds.end(), KindCost{.kind = layer.kind});
    const LayerCost cost = LayerCostOf(layer, Precision::kFloat32);
    ++found->layers;
    found->params += cost.params;
    found->macs += cost.macs;
  }
  std::ranges::stable_sort(kinds, std::ranges::greater(), &KindCost::macs);
  return kinds;
}

std::vector<BlockComparison> CompareWithStandard(const Network& network) {
  CheckNetwork(network);
  std::vector<BlockComparison> blocks;
  for (const StepLayers& step : StepsOf(network)) {
    if (!step.rows) continue;
    const Layer& depthwise = network.layers[*step.rows];
    const Layer& pointwise = network.layers[step.main];
    Layer standard = depthwise;
    standard.kind = LayerKind::kConvolution;
    standard.output = pointwise.output;
    const double window = double{1} * depthwise.kernel * depthwise.kernel;
    blocks.push_back({.name = SeparableName(depthwise),
                      .kernel = depthwise.kernel,
                      .input = depthwise.input,
                      .output = pointwise.output,
                      .depthwise = LayerCostOf(depthwise, Precision::kFloat32),
                      .pointwise = LayerCostOf(pointwise, Precision::kFloat32),
                      .standard = LayerCostOf(standard, Precision::kFloat32),
                      .formula = 1.0 / pointwise.output.channels + 1 / window});
  }
  return blocks;
}

std::optional<Network> StandardTwin(const Network& network) {
  const std::optional<Recipe> recipe = RecipeOf(network);
  const auto* v1 = recipe ? std::get_if<V1Options>(&*recipe) : nullptr;
  if (v1 == nullptr) return std::nullopt;
  V1Options standard = *v1;
  standard.separable = false;
  return V1(standard);
}

}  // namespace mobilenet
