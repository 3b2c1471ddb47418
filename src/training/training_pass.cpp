#include "training/training_pass.h"

#include <algorithm>
#include <chrono>

#include "base/fail.h"
#include "base/machine.h"
#include "network/memory_plan.h"
#include "network/part.h"
#include "network/schedule.h"
#include "runtime/choose_kernels.h"
#include "runtime/window.h"
#include "training/depthwise_rows.h"
#include "training/pass_state.h"

namespace mobilenet {
namespace {

void CheckTrainable(const Network& network) {
  CheckNetwork(network);
  const auto& layers = network.layers;
  if (!EndsWithClassifier(network))
    Fail("training needs a network that ends with a fully connected layer, with no batch norm or activation");
  std::vector<bool> read(layers.size());
  for (const Layer& layer : layers) {
    if (layer.kind == LayerKind::kMaxPool)
      Fail("layer ", layer.name, " is a max pool, which is run but not trained through");
    if (layer.stride.down != layer.stride.across)
      Fail("layer ", layer.name, " has the strides ", layer.stride.down, " and ", layer.stride.across,
           ", which is run but not trained: expected two equal ones");
    for (const int from : layer.inputs) {
      if (from != kNetworkInput) {
        read[static_cast<std::size_t>(from)] = true;
      } else if (layer.kind != LayerKind::kConvolution && layers.size() > 1) {
        Fail("layer ", layer.name, " reads the network's input, expected a convolution there to train");
      }
    }
  }
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    if (!read[i]) Fail("no layer reads ", layers[i].name, ", which can't be trained so");
  }
}

// Zeros in huge pages: maps are read from end to end, and small pages would miss the processor's table of
// them.
AlignedVector<float> Large(std::size_t size) {
  return AlignedVector<float>(size, 0,
                              CacheLineAllocator<float>(std::make_shared<Slab>(size * sizeof(float))));
}

const Kernels& KernelsFor(std::string_view target, Precision precision) {
  if (precision != Precision::kFloat32 && precision != Precision::kBfloat16)
    Fail("the precision is ", NameOf(precision), ", expected float32 or bfloat16 to train in");
  const Kernels& kernels = *ChooseKernels(target, precision).kernels;
  if (precision == Precision::kBfloat16 && !kernels.bf16_rows) {
    Fail("training in bfloat16 needs fast dot products of it, which ",
         target.empty() ? "this processor" : "this target", " has not: train in float32");
  }
  return kernels;
}

}  // namespace

Precision TrainingPrecision(std::optional<Precision> precision) {
  if (precision) {
    KernelsFor({}, *precision);
    return *precision;
  }
  static const KernelChoice fastest = FastestOf({Precision::kFloat32, Precision::kBfloat16});
  return fastest.kernels->bf16_rows ? fastest.precision : Precision::kFloat32;
}

TrainingPass::State::State(const Network& the_network, const PassOptions& the_options, ThreadPool& the_pool)
    : network(the_network), options(the_options), pool(the_pool), layout(network) {
  CheckTrainable(network);
  kernels = &KernelsFor(options.target, options.precision);
  training = &TrainingKernelsFor(*kernels);
  cache = Caches().l2 / 2;
  const std::size_t workers = pool.threads();
  std::size_t widest = 0;
  layers.resize(network.layers.size());
  SetUpInputs();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerState& state = layers[i];
    SetUpMap(i);
    state.weight = layout.Find(i, ".weight");
    state.bias = layout.Find(i, ".bias");
    state.gamma = layout.Find(i, ".gamma");
    state.beta = layout.Find(i, ".beta");
    state.mean = layout.Find(i, ".mean");
    state.variance = layout.Find(i, ".variance");
    if (state.weight != nullptr) SetUpWeight(i);
    widest = std::max(widest, state.map.columns);
  }
  SetUpDropPath();
  PlaceGradients();
  zeros.resize(widest);
  ones.assign(widest, 1.0F);
  results.resize(workers);
  std::size_t size = 0;
  std::size_t pairs_size = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    size = std::max(size, ScratchSize(i));
    if (layers[i].bf16) pairs_size = std::max(pairs_size, PairsSize(i));
  }
  scratch.assign(workers, AlignedVector<float>(size));
  pairs.assign(workers, AlignedVector<float>(pairs_size));
}

void TrainingPass::State::SetUpInputs() {
  std::vector<LayerInput*> latest(layers.size());  // of those that read a map, in the order of backward
  for (std::size_t i = layers.size(); i-- > 0;) {
    const Layer& layer = network.layers[i];
    layers[i].inputs.reserve(layer.inputs.size());  // they don't move from here on
    for (const int from : layer.inputs) {
      if (from == kNetworkInput) continue;
      LayerInput*& before = latest[static_cast<std::size_t>(from)];
      LayerState& read = layers[static_cast<std::size_t>(from)];
      if (before != nullptr) before->completes = false;
      // A convolution adds up the gradients of the windows that a pixel is in, the classifier drops some.
      read.in_place = read.in_place || before != nullptr || layer.kind == LayerKind::kConvolution ||
                      i + 1 == layers.size();
      before = &layers[i].inputs.emplace_back(LayerInput{.from = &read, .adds = before != nullptr});
    }
  }
}

void TrainingPass::State::SetUpDropPath() {
  const auto is_sum = [](const LayerState& state) { return state.layer->kind == LayerKind::kAdd; };
  const auto sums = std::ranges::count_if(layers, is_sum);
  float number = 0;
  for (LayerState& state : layers) {
    if (is_sum(state)) state.drop = options.drop_path * ++number / static_cast<float>(sums);
  }
}

void TrainingPass::State::SetUpMap(std::size_t index) {
  LayerState& state = layers[index];
  const Layer& layer = network.layers[index];
  state.layer = &layer;
  const auto channels = static_cast<std::size_t>(layer.output.channels);
  // Sums stay float32, and the small maps behind the last batch norm.
  const bool bf16 = options.precision == Precision::kBfloat16 && layer.batch_norm && !state.in_place;
  const std::size_t columns = ColumnsFor(channels);
  state.map = {layer.output.height,
               layer.output.width,
               channels,
               columns,
               PixelPitch(static_cast<int>(columns)) / sizeof(float),
               bf16};
  state.range = RangeOf(layer.activation);
  state.y = Large(state.map.floats(options.batch * state.map.pixels()));
  state.scale.resize(state.map.columns);
  std::fill_n(state.scale.begin(), channels, 1.0F);
  state.factor = state.scale;
  for (auto* zero : {&state.shift, &state.centre, &state.slope, &state.constant})
    zero->resize(state.map.columns);
  state.inverse.resize(channels);
  state.sums.resize(pool.threads());
  for (ChannelSums& sums : state.sums) {
    for (int s = 0; s < 2; ++s) {
      sums.part[s].resize(state.map.columns);
      sums.total[s].resize(state.map.columns);
    }
  }
}

void TrainingPass::State::SetUpWeight(std::size_t index) {
  LayerState& state = layers[index];
  const LayerKind kind = state.layer->kind;
  state.inner = state.weight->size / state.map.channels;
  state.weight_sums.assign(pool.threads(), AlignedVector<float>(state.inner * state.map.columns));
  if (kind == LayerKind::kDepthwise) {
    state.filter.resize(state.inner * state.map.columns);
    state.mirrored.resize(state.inner * state.map.columns);
    return;
  }
  const bool whole = kind == LayerKind::kConvolution && state.inner % kColumnStep == 0;
  const bool reads_layer = state.in() != nullptr;
  state.bf16 =
      options.precision == Precision::kBfloat16 && reads_layer && (kind == LayerKind::kPointwise || whole);
  const auto rows = [&](std::size_t k) { return state.bf16 ? PairsOf(k) : k; };
  state.forward = EmptyPanels(rows(state.inner), state.map.channels, kernels->lanes);
  if (reads_layer) state.backward = EmptyPanels(rows(state.map.channels), state.inner, kernels->lanes);
}

// A gradient is alive from the step in which it is first written, the loss or the backward of a layer that
// reads the map, to the backward of its own layer. Backward goes from the last layer to the first.
void TrainingPass::State::PlaceGradients() {
  std::vector<Lifetime> lives(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::size_t step = layers.size() - i;  // the loss is step 0
    lives[i] = {.size = layers[i].y.size() * sizeof(float), .first = 0, .last = step};
    for (const LayerInput& input : layers[i].inputs) {
      if (!input.adds) lives[static_cast<std::size_t>(input.from - layers.data())].first = step;
    }
  }
  const MemoryPlan plan = PlanMemory(lives);
  gradients = Large(plan.size / sizeof(float));
  for (std::size_t i = 0; i < layers.size(); ++i)
    layers[i].gradient = gradients.data() + plan.offsets[i] / sizeof(float);
}

int TrainingPass::State::StripRows(const LayerState& in, const LayerState& out, bool backward) const {
  const DepthwiseRows rows(*out.layer, in.map, out.map);
  const int all = backward ? in.map.height : out.map.height;
  const auto size = [&](int strip) {
    const std::size_t input = rows.InputRows(backward ? rows.OwnRows(strip) : strip) * rows.input_row();
    return sizeof(float) * (backward ? input + rows.SpreadRows(strip) * rows.spread_row() : input);
  };
  int strip = all;
  while (strip > 1 && size(strip) > cache) strip = (strip + 1) / 2;
  return strip;
}

std::size_t TrainingPass::State::PairsSize(std::size_t index) const {
  const LayerState& out = layers[index];
  const bool pointwise = out.layer->kind == LayerKind::kPointwise;
  const std::size_t in_pitch = pointwise ? out.in()->map.pitch : out.inner;
  const std::size_t rows = pointwise ? BlockRows(in_pitch, out.map.pitch) : PatchRows(out);
  return rows * (in_pitch + out.map.pitch);
}

TrainingPass::TrainingPass(const Network& network, const PassOptions& options, ThreadPool& pool)
    : state_(std::make_unique<State>(network, options, pool)) {}

TrainingPass::~TrainingPass() = default;

PassResult TrainingPass::Run(std::span<const float> images, std::span<const Target> targets,
                             std::span<float> values, std::span<float> gradient, std::uint64_t seed) {
  State& s = *state_;
  const std::size_t size = static_cast<std::size_t>(s.network.input.size());
  if (targets.empty() || static_cast<int>(targets.size()) > s.options.batch ||
      images.size() != targets.size() * size)
    Fail("a batch of ", targets.size(), " targets and ", images.size(), " values, expected 1 to ",
         s.options.batch, " targets and ", size, " values for each");
  if (values.size() != s.layout.size() || gradient.size() != s.layout.size())
    Fail("the network has ", s.layout.size(), " weights, given ", values.size(), " and room for ",
         gradient.size(), " gradients");
  for (const Target& target : targets) {
    for (const int label : {target.label, target.other}) {
      if (label < 0 || label >= s.network.classes())
        Fail("a target of class ", label, ", expected 0 to ", s.network.classes() - 1);
    }
  }
  s.images = images;
  s.targets = targets;
  s.seed = seed;
  s.Pack(values);
  const std::size_t last = s.layers.size() - 1;
  s.seconds.assign(s.layers.size(), 0);
  auto time = std::chrono::steady_clock::now();
  const auto add_time = [&](std::size_t layer) {
    const auto now = std::chrono::steady_clock::now();
    s.seconds[layer] += std::chrono::duration<double>(now - time).count();
    time = now;
  };
  for (std::size_t i = 0; i <= last; ++i) {
    s.Parallel([&](int worker) { s.Forward(i, worker); });
    s.FinishForward(i, values);
    add_time(i);
  }
  s.Parallel([&](int worker) {
    s.layers[last].sums[worker].Clear();
    s.Loss(worker);
  });
  std::ranges::fill(gradient, 0.0F);
  for (std::size_t i = last + 1; i-- > 0;) {
    s.FinishBackward(i, values, gradient);
    s.Parallel([&](int worker) { s.Backward(i, worker); });
    add_time(i);
  }
  s.CollectWeights(gradient);
  PassResult result;
  for (const PassResult& part : s.results) {
    result.loss += part.loss / static_cast<double>(targets.size());
    result.correct += part.correct;
  }
  return result;
}

std::span<const double> TrainingPass::layer_seconds() const { return state_->seconds; }

std::size_t TrainingPass::memory() const {
  const State& s = *state_;
  std::size_t floats = s.gradients.size();
  for (const LayerState& layer : s.layers) {
    floats += layer.y.size() + layer.forward.values.size() + layer.backward.values.size();
    for (const auto& sums : layer.weight_sums) floats += sums.size();
  }
  for (const auto* buffers : {&s.scratch, &s.pairs}) {
    for (const auto& buffer : *buffers) floats += buffer.size();
  }
  return floats * sizeof(float);
}

}  // namespace mobilenet
