#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "mobilenet/cost.h"
#include "network/kinds.h"
#include "network/schedule.h"
#include "runtime/choose_kernels.h"
#include "runtime/fold.h"
#include "runtime/plan_state.h"
#include "runtime/window.h"

namespace mobilenet {
namespace {

// What the steps of a plan are made for.
struct Making {
  const Network& network;
  const Kernels& kernels;
  Precision precision;
  std::shared_ptr<Slab> slab;
};

// What the values lie in that a layer makes, or the network's input.
Range RangeOfMap(const Network& network, int index) {
  if (index == kNetworkInput) return kWholeRange;
  const Layer& layer = network.layers[static_cast<std::size_t>(index)];
  if (layer.kind == LayerKind::kScale) {
    const Range gate = RangeOfMap(network, layer.inputs[1]);
    // Numbers from 0 to 1 take a value nowhere but towards 0.
    return gate.low >= 0 && gate.high <= 1 ? RangeOfMap(network, layer.inputs[0]) : kWholeRange;
  }
  // What an average or the largest of some values leaves no range that the values don't.
  const bool pool = layer.kind == LayerKind::kGlobalAveragePool || layer.kind == LayerKind::kMaxPool;
  return pool ? RangeOfMap(network, layer.inputs.front()) : RangeOf(layer.activation);
}

// A layer's weights with its batch norm folded into them. Nothing of it is read again: of a file that is
// mapped it need not stay in memory.
FoldedLayer FoldAndRelease(const Layer& layer, const Weights& weights) {
  FoldedLayer folded = Fold(layer, weights);
  for (const Parameter& parameter : ParametersOf(layer)) {
    const std::span<const float> values = weights.at(parameter.name).values;
    ReleaseMapped({reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()});
  }
  return folded;
}

// Sets the product of a step, and for a convolution what makes its rows, too.
void SetProduct(const Layer& layer, const Weights& weights, const Making& making, Step& step) {
  const FoldedLayer folded = FoldAndRelease(layer, weights);
  if (layer.kind == LayerKind::kConvolution && ReadsWindows(step.window, making.kernels))
    return SetWindowProduct(making.precision, making.kernels, folded.weight, folded.bias, making.slab, step);
  // Windows that are gathered stay float32.
  const bool whole = layer.kind == LayerKind::kConvolution;
  if (whole) step.rows = PatchRows();
  step.product = MakeProduct(whole ? Precision::kFloat32 : making.precision, making.kernels, folded.weight,
                             folded.bias, RangeOfMap(making.network, layer.inputs.front()), making.slab);
}

DepthwiseRows MakeDepthwise(const Layer& layer, const Weights& weights, const Making& making) {
  static_assert(kMostDepthwiseWindow <= kMaxDepthwiseKernel);  // CheckNetwork has seen to that
  const FoldedLayer folded = FoldAndRelease(layer, weights);
  const CacheLineAllocator<float> allocator(making.slab);
  return {AlignedVector<float>(folded.weight.begin(), folded.weight.end(), allocator),
          AlignedVector<float>(folded.bias.begin(), folded.bias.end(), allocator), RangeOf(layer.activation)};
}

Step MakeStep(const StepLayers& layers, const Weights& weights, const Making& making) {
  const Layer& first = making.network.layers[layers.first()];
  const Layer& main = making.network.layers[layers.main];
  const Layer& last = making.network.layers[layers.last()];
  Step step;
  step.window = WindowOf(first);
  step.pixels = static_cast<std::size_t>(last.output.height) * last.output.width;
  step.end = {layers.sum.has_value(), RangeOf(last.activation)};
  if (layers.rows) step.rows = MakeDepthwise(first, weights, making);
  switch (main.kind) {
    case LayerKind::kConvolution:
    case LayerKind::kPointwise:
    case LayerKind::kFullyConnected:
      SetProduct(main, weights, making, step);
      break;
    case LayerKind::kDepthwise:
      step.rows = MakeDepthwise(main, weights, making);
      break;
    case LayerKind::kGlobalAveragePool:
      step.rows = MeanRow();
      break;
    case LayerKind::kAdd:
      step.rows = SumRows();
      break;
    case LayerKind::kScale:
      step.rows = ScaledRows();
      break;
    case LayerKind::kMaxPool:
      step.rows = MaxRows();
      break;
  }
  return step;
}

StepInfo InfoOf(const Network& network, const StepLayers& layers, const Cost& cost) {
  const Layer& main = network.layers[layers.main];
  StepInfo info{main.name, std::string(NameOf(main.kind)), network.layers[layers.last()].output,
                cost.layers[layers.main].macs};
  if (layers.rows) {
    info.name = SeparableName(network.layers[*layers.rows]);
    info.kind = "separable";
    info.macs += cost.layers[*layers.rows].macs;
  }
  if (layers.sum) info.kind += " + add";
  return info;
}

}  // namespace

std::vector<std::string_view> AvailableTargets() {
  std::vector<std::string_view> names;
  for (const Kernels* kernels : AvailableKernels()) names.push_back(kernels->name);
  return names;
}

std::shared_ptr<const Plan::State> Plan::Make(const Network& network, const Weights& weights,
                                              const PlanOptions& options) {
  CheckWeights(network, weights);
  if (NameOf(options.memory).empty())
    Fail("the memory ", static_cast<int>(options.memory), " is none that there is");
  if (options.precision && NameOf(*options.precision).empty())
    Fail("the precision ", static_cast<int>(*options.precision), " is none that there is");
  auto state = std::make_shared<State>();
  state->input = network.input;
  state->output = network.output();
  const KernelChoice choice = ChooseKernels(options.target, options.precision);
  state->kernels = choice.kernels;
  state->precision = choice.precision;
  state->caches = Caches();
  state->schedule = ScheduleOf(network, options.memory);
  const Cost cost = CostOf(network, choice.precision);
  // Where the columns don't fill their panels, the packed weights are a little larger.
  const Making making = {network, *choice.kernels, choice.precision,
                         std::make_shared<Slab>(static_cast<std::size_t>(cost.weight_bytes) * 33 / 32)};
  for (const StepLayers& layers : state->schedule.steps) {
    state->weight_bytes += state->steps.emplace_back(MakeStep(layers, weights, making)).weight_bytes();
    state->infos.push_back(InfoOf(network, layers, cost));
  }
  return state;
}

Plan::Plan(const Network& network, const Weights& weights, const PlanOptions& options)
    : state_(OrOutOfMemory("the plan", [&] { return Make(network, weights, options); })) {}

const Shape& Plan::input() const { return state_->input; }
const Shape& Plan::output() const { return state_->output; }
std::string_view Plan::target() const { return state_->kernels->name; }
Precision Plan::precision() const { return state_->precision; }
std::size_t Plan::weight_bytes() const { return state_->weight_bytes; }
std::size_t Plan::activation_bytes() const { return state_->schedule.arena_bytes; }
const std::vector<StepInfo>& Plan::steps() const { return state_->infos; }

}  // namespace mobilenet
