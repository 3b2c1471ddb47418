#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "mobilenet/cost.h"
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

// What the values that a layer reads lie in.
Range InputRange(const Network& network, const Layer& layer) {
  const int index = layer.inputs.front();
  if (index == kNetworkInput) return kWholeRange;
  const Layer& before = network.layers[static_cast<std::size_t>(index)];
  // An average leaves no range that its values don't.
  return before.kind == LayerKind::kGlobalAveragePool ? InputRange(network, before)
                                                      : RangeOf(before.activation);
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

void SetProduct(const Layer& layer, const Weights& weights, const Making& making, Step& step) {
  const FoldedLayer folded = FoldAndRelease(layer, weights);
  step.kind = Step::Kind::kProduct;
  // Convolutions of whole windows are few, and pairs would straddle the rows of their windows.
  const bool whole = layer.kind == LayerKind::kConvolution;
  SetMatrix(whole ? Precision::kFloat32 : making.precision, making.kernels, folded.weight, folded.bias,
            InputRange(making.network, layer), making.slab, step);
  step.range = RangeOf(layer.activation);
}

void SetDepthwise(const Layer& layer, const Weights& weights, const Making& making, Step& step) {
  if (layer.kernel > kMaxDepthwiseKernel) {
    Fail("layer ", layer.name, " has a kernel of ", layer.kernel, ", expected at most ", kMaxDepthwiseKernel);
  }
  const FoldedLayer folded = FoldAndRelease(layer, weights);
  step.kind = Step::Kind::kDepthwise;
  step.rows_from = RowSource::kDepthwise;
  const CacheLineAllocator<float> allocator(making.slab);
  step.depthwise_weight = AlignedVector<float>(folded.weight.begin(), folded.weight.end(), allocator);
  step.depthwise_bias = AlignedVector<float>(folded.bias.begin(), folded.bias.end(), allocator);
  step.depthwise_range = RangeOf(layer.activation);
}

Step MakeStep(const StepLayers& layers, const Weights& weights, const Making& making) {
  const Layer& first = making.network.layers[layers.first];
  const Layer& last = making.network.layers[layers.last];
  Step step;
  step.rows = static_cast<std::size_t>(last.output.height) * last.output.width;
  step.window = WindowOf(first);
  switch (first.kind) {
    case LayerKind::kConvolution:
      step.rows_from = first.input.channels <= kFewChannels ? RowSource::kWindows : RowSource::kPatches;
      SetProduct(first, weights, making, step);
      break;
    case LayerKind::kDepthwise:
      SetDepthwise(first, weights, making, step);
      if (layers.last != layers.first) SetProduct(last, weights, making, step);
      break;
    case LayerKind::kPointwise:
    case LayerKind::kFullyConnected:
      SetProduct(first, weights, making, step);
      break;
    case LayerKind::kGlobalAveragePool:
      step.kind = Step::Kind::kAverage;
      break;
    case LayerKind::kAdd:
      Fail("layer ", first.name, " is a sum, which isn't run yet");
  }
  return step;
}

StepInfo InfoOf(const Network& network, const StepLayers& layers, const Cost& cost) {
  const Layer& first = network.layers[layers.first];
  StepInfo info{first.name, std::string(NameOf(first.kind)), network.layers[layers.last].output, 0};
  if (layers.last != layers.first) {
    info.name = first.name.substr(0, first.name.find('.'));
    info.kind = "separable";
  }
  for (std::size_t i = layers.first; i <= layers.last; ++i) info.macs += cost.layers[i].macs;
  return info;
}

// For each step, the one that writes its input.
std::vector<int> InputsOf(const Network& network, std::span<const StepLayers> steps) {
  std::vector<int> writer(network.layers.size(), kNetworkInput);
  std::vector<int> inputs;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    writer[steps[s].last] = static_cast<int>(s);
    const int layer = network.layers[steps[s].first].inputs.front();
    inputs.push_back(layer == kNetworkInput ? kNetworkInput : writer[layer]);
  }
  return inputs;
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
  auto state = std::make_shared<State>();
  state->input = network.input;
  state->output = network.output();
  const KernelChoice choice = ChooseKernels(options.target, options.precision);
  state->kernels = choice.kernels;
  state->precision = choice.precision;
  state->caches = Caches();
  const Cost cost = CostOf(network, choice.precision);
  const std::vector<StepLayers> layers = FuseLayers(network);
  // Where the columns don't fill their panels, the packed weights are a little larger.
  const Making making = {network, *choice.kernels, choice.precision,
                         std::make_shared<Slab>(static_cast<std::size_t>(cost.weight_bytes) * 33 / 32)};
  for (const StepLayers& item : layers) {
    const Step& step = state->steps.emplace_back(MakeStep(item, weights, making));
    state->infos.push_back(InfoOf(network, item, cost));
    state->weight_bytes += sizeof(float) * (step.matrix.values.size() + step.matrix.bias.size() +
                                            step.depthwise_weight.size() + step.depthwise_bias.size());
  }
  state->groups = GroupSteps(network, layers, options.memory);
  state->inputs = InputsOf(network, layers);
  state->inner.assign(layers.size(), true);
  for (const StepGroup& group : state->groups) state->inner[group.last] = false;
  state->arena = PlaceMaps(network, layers, state->groups);
  return state;
}

Plan::Plan(const Network& network, const Weights& weights, const PlanOptions& options)
    : state_(OrOutOfMemory("the plan", [&] { return Make(network, weights, options); })) {}

const Shape& Plan::input() const { return state_->input; }
const Shape& Plan::output() const { return state_->output; }
std::string_view Plan::target() const { return state_->kernels->name; }
Precision Plan::precision() const { return state_->precision; }
std::size_t Plan::weight_bytes() const { return state_->weight_bytes; }
std::size_t Plan::activation_bytes() const { return state_->arena.size * sizeof(float); }
const std::vector<StepInfo>& Plan::steps() const { return state_->infos; }

}  // namespace mobilenet
