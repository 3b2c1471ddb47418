// Networks that nobody thought of: random ones that hold together run, on every target, as the reference
// does; random ones that don't are refused. With AddressSanitizer, nothing is read or written beyond a map.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/cost.h"
#include "mobilenet/runtime.h"
#include "random.h"
#include "runtime/reference_run.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

// Draws networks. Most maps are small; `large` ones are streamed.
class Drawer {
 public:
  explicit Drawer(std::uint64_t seed) : random_(seed) {}

  Network Draw(bool large) {
    Network network;
    network.input = large ? Shape{Between(80, 120), Between(80, 120), Between(1, 4)}
                          : Shape{Between(1, 24), Between(1, 24), Between(1, 9)};
    const int layers = Between(1, 8);
    for (int i = 0; i < layers; ++i) {
      if (Between(0, 3) == 0) {
        AddBlock(network);
      } else {
        network.layers.push_back(DrawLayer(network, large));
      }
      if (Between(0, 3) == 0) AddSum(network);
      if (Between(0, 3) == 0) AddSqueezeExcite(network);
    }
    if (Between(0, 1) == 1) {
      network.layers.push_back(Behind(network, LayerKind::kGlobalAveragePool));
      network.layers.push_back(Behind(network, LayerKind::kFullyConnected));
    }
    return network;
  }

  int Between(int low, int high) { return low + random_.Below(high - low + 1); }

 private:
  // Reads the layer before it or, one time in five, any earlier one: what lies between is read by nobody.
  Layer DrawLayer(const Network& network, bool large) {
    constexpr LayerKind kKinds[] = {LayerKind::kConvolution, LayerKind::kDepthwise, LayerKind::kDepthwise,
                                    LayerKind::kPointwise,   LayerKind::kPointwise, LayerKind::kMaxPool};
    Layer layer = Behind(network, kKinds[Between(0, 5)]);
    if (!large && Between(0, 4) == 0)
      Read(network, Between(kNetworkInput, static_cast<int>(network.layers.size()) - 1), layer);
    const bool pool = layer.kind == LayerKind::kMaxPool;
    const bool windowed =
        layer.kind == LayerKind::kConvolution || layer.kind == LayerKind::kDepthwise || pool;
    if (windowed) {
      const int smallest = std::min(layer.input.height, layer.input.width);
      layer.kernel = Between(1, std::min({7, smallest, large ? 3 : 7}));
      layer.stride = {Between(1, 3), Between(1, 3)};
      for (int* side : {&layer.padding.top, &layer.padding.bottom, &layer.padding.left, &layer.padding.right})
        *side = pool ? 0 : Between(0, layer.kernel - 1);
    }
    const int channels = large ? Between(24, 48) : Between(1, 40);
    layer.output = {
        (layer.input.height + layer.padding.top + layer.padding.bottom - layer.kernel) / layer.stride.down +
            1,
        (layer.input.width + layer.padding.left + layer.padding.right - layer.kernel) / layer.stride.across +
            1,
        layer.kind == LayerKind::kDepthwise || pool ? layer.input.channels : channels};
    if (pool) return layer;
    layer.batch_norm = Between(0, 1) == 1;
    layer.bias = Between(0, 1) == 1;
    layer.activation = AnyActivation();
    return layer;
  }

  // An inverted residual of the last map's channels, with a skip around it.
  void AddBlock(Network& network) {
    const int before = static_cast<int>(network.layers.size()) - 1;
    const Shape shape = network.layers.empty() ? network.input : network.output();
    const Shape inner = {shape.height, shape.width, shape.channels * Between(1, 4)};
    for (const LayerKind kind : {LayerKind::kPointwise, LayerKind::kDepthwise, LayerKind::kPointwise}) {
      const bool project = kind == LayerKind::kPointwise && network.layers.size() > 1U + before;
      Layer layer = Behind(network, kind);
      layer.output = project ? shape : inner;
      if (kind == LayerKind::kDepthwise) {
        layer.kernel = 1 + 2 * Between(0, 2);
        const int around = layer.kernel / 2;
        layer.padding = {around, around, around, around};
      }
      layer.batch_norm = true;
      layer.activation = project ? Activation::kNone : Activation::kRelu6;
      network.layers.push_back(layer);
    }
    AddSum(network, before);
  }

  // The sum of the last map and another of its shape, perhaps itself.
  void AddSum(Network& network) {
    std::vector<int> others;
    if (network.input == network.output()) others.push_back(kNetworkInput);
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      if (network.layers[i].output == network.output()) others.push_back(static_cast<int>(i));
    }
    AddSum(network, others[static_cast<std::size_t>(Between(0, static_cast<int>(others.size()) - 1))]);
  }
  void AddSum(Network& network, int other) {
    Layer layer = Behind(network, LayerKind::kAdd);
    layer.output = layer.input;
    layer.inputs.insert(layer.inputs.begin() + Between(0, 1), other);
    layer.activation = AnyActivation();
    network.layers.push_back(layer);
  }

  Activation AnyActivation() { return static_cast<Activation>(Between(0, 4)); }

  // The last map times a gate for each channel, which is made of its average.
  void AddSqueezeExcite(Network& network) {
    const int map = static_cast<int>(network.layers.size()) - 1;
    const int channels = network.output().channels;
    network.layers.push_back(Behind(network, LayerKind::kGlobalAveragePool));
    for (const int width : {Between(1, 9), channels}) {
      Layer layer = Behind(network, Between(0, 1) == 0 ? LayerKind::kPointwise : LayerKind::kFullyConnected);
      layer.output = {1, 1, width};
      layer.bias = true;
      layer.activation = Between(0, 1) == 0 ? Activation::kHardSigmoid : AnyActivation();
      network.layers.push_back(layer);
    }
    Layer scale = Behind(network, LayerKind::kScale);
    Read(network, map, scale);
    scale.inputs.push_back(static_cast<int>(network.layers.size()) - 1);
    scale.output = scale.input;
    network.layers.push_back(scale);
  }

  Layer Behind(const Network& network, LayerKind kind) {
    Layer layer;
    layer.kind = kind;
    layer.name = "layer" + std::to_string(network.layers.size());
    Read(network, static_cast<int>(network.layers.size()) - 1, layer);
    layer.output = {1, 1, kind == LayerKind::kGlobalAveragePool ? layer.input.channels : 3};
    return layer;
  }

  static void Read(const Network& network, std::ptrdiff_t from, Layer& layer) {
    layer.inputs = {static_cast<int>(from)};
    layer.input =
        from == kNetworkInput ? network.input : network.layers[static_cast<std::size_t>(from)].output;
  }

  Random random_;
};

std::string TextOf(const Network& network) {
  std::string text;
  for (const Layer& l : network.layers) {
    text += std::string(NameOf(l.kind)) + " of " + std::to_string(l.inputs.front()) + " " +
            std::to_string(l.inputs.back()) + ": " + std::to_string(l.input.height) + "x" +
            std::to_string(l.input.width) + "x" + std::to_string(l.input.channels) + " -> " +
            std::to_string(l.output.height) + "x" + std::to_string(l.output.width) + "x" +
            std::to_string(l.output.channels) + ", kernel " + std::to_string(l.kernel) + ", stride " +
            std::to_string(l.stride.down) + " " + std::to_string(l.stride.across) + ", padding " +
            std::to_string(l.padding.top) + " " + std::to_string(l.padding.left) + "\n";
  }
  return text;
}

void CheckRuns(const Network& network, std::span<const std::string_view> targets) {
  SCOPED_TRACE(TextOf(network));
  const Weights weights = RandomWeights(network, 3);
  const auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 4);
  const std::vector<float> expected = ReferenceRun(network, weights, input);
  double scale = 1;
  for (const float value : expected) scale = std::max(scale, std::abs(double{value}));
  for (const std::string_view target : targets) {
    for (const MemoryUse memory : {MemoryUse::kFast, MemoryUse::kLeast}) {
      const Plan plan(network, weights, {.target = target, .memory = memory});
      EXPECT_EQ(static_cast<std::int64_t>(plan.activation_bytes()),
                CostOf(network, Precision::kFloat32, memory).peak_activation_bytes);
      for (const int threads : {1, 3}) {
        std::vector<float> output(expected.size());
        ASSERT_TRUE(Runner(plan, {.threads = threads}).Run(input, output));
        for (std::size_t i = 0; i < output.size(); ++i) {
          ASSERT_NEAR(output[i], expected[i], 1e-4 * scale)
              << "at " << i << ", " << target << ", " << NameOf(memory) << " memory, " << threads
              << " threads";
        }
      }
    }
  }
}

// In 16 bits, values are near to those of float32, and the same with whatever memory and threads.
void CheckRounded(const Network& network, std::span<const std::string_view> targets) {
  SCOPED_TRACE(TextOf(network));
  const Weights weights = RandomWeights(network, 3);
  const auto input = RandomValues(static_cast<std::size_t>(network.input.size()), 4);
  const std::vector<float> exact = ReferenceRun(network, weights, input);
  double scale = 1;
  for (const float value : exact) scale = std::max(scale, std::abs(double{value}));
  for (const std::string_view target : targets) {
    for (const Precision precision : {Precision::kBfloat16, Precision::kFloat16}) {
      const Plan plan(network, weights, {.target = target, .precision = precision});
      std::vector<float> output(exact.size());
      ASSERT_TRUE(Runner(plan, {.threads = 2}).Run(input, output));
      for (std::size_t i = 0; i < output.size(); ++i)
        ASSERT_NEAR(output[i], exact[i], 0.1 * scale)
            << "at " << i << ", " << target << ", " << NameOf(precision);
    }
  }
}

TEST(RandomNetworks, RunAsTheReferenceDoes) {
  const auto targets = AvailableTargets();
  Drawer drawer(1);
  for (int i = 0; i < 60; ++i) {
    const Network network = drawer.Draw(false);
    ASSERT_NO_FATAL_FAILURE(CheckRuns(network, targets));
    ASSERT_NO_FATAL_FAILURE(CheckRounded(network, targets));
  }
}

TEST(RandomNetworks, RunDepthFirstAsTheReferenceDoes) {
  const std::string_view fastest[] = {AvailableTargets().front()};
  Drawer drawer(2);
  for (int i = 0; i < 8; ++i) ASSERT_NO_FATAL_FAILURE(CheckRuns(drawer.Draw(true), fastest));
}

// A pointwise layer at the head of what runs depth first: it has rows, too, and not only pixels.
TEST(RandomNetworks, APointwiseLayerMayHeadAGroup) {
  for (const Shape& shape : {Shape{112, 112, 24}, Shape{56, 56, 96}}) {
    Network network;
    network.input = {shape.height, shape.width, 4};
    const auto add = [&](LayerKind kind, Shape output, int kernel, int stride, int padding) {
      Layer layer;
      layer.name = "layer" + std::to_string(network.layers.size());
      layer.kind = kind;
      layer.inputs = {static_cast<int>(network.layers.size()) - 1};
      layer.input = network.layers.empty() ? network.input : network.output();
      layer.output = output;
      layer.kernel = kernel;
      layer.stride = stride;
      layer.padding = {padding, padding, padding, padding};
      network.layers.push_back(layer);
    };
    add(LayerKind::kPointwise, shape, 1, 1, 0);
    add(LayerKind::kDepthwise, {shape.height / 2, shape.width / 2, shape.channels}, 3, 2, 1);
    add(LayerKind::kPointwise, {shape.height / 2, shape.width / 2, 5}, 1, 1, 0);
    CheckRuns(network, AvailableTargets());
  }
}

// One field changed at random: refused by a sentence that names a layer, or a network that holds together
// still.
TEST(RandomNetworks, WhatDoesNotHoldTogetherIsRefused) {
  Drawer drawer(3);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    Network network = drawer.Draw(false);
    Layer& layer =
        network
            .layers[static_cast<std::size_t>(drawer.Between(0, static_cast<int>(network.layers.size()) - 1))];
    int* const fields[] = {&layer.kernel,         &layer.stride.down,  &layer.padding.top,
                           &layer.padding.bottom, &layer.padding.left, &layer.padding.right,
                           &layer.input.height,   &layer.input.width,  &layer.input.channels,
                           &layer.output.height,  &layer.output.width, &layer.output.channels,
                           &layer.inputs.front()};
    constexpr int kValues[] = {-1, 0, 1, 2, 3, 9, 1 << 20, -(1 << 30), 2147483647};
    *fields[drawer.Between(0, 12)] = kValues[drawer.Between(0, 8)];
    const std::string complaint = Complaint([&] { CheckNetwork(network); });
    if (complaint != "no error") {
      ++refused;
      EXPECT_THAT(complaint, HasSubstr("the layer layer"));
      EXPECT_EQ(Complaint([&] { CostOf(network); }), complaint);
      EXPECT_EQ(Complaint([&] { RandomWeights(network, 1); }), complaint);
      EXPECT_EQ(Complaint([&] { Plan(network, {}); }), complaint);
    } else if (const Cost cost = CostOf(network); cost.params < 100'000 && cost.macs < 10'000'000) {
      ASSERT_NO_FATAL_FAILURE(CheckRuns(network, std::vector<std::string_view>{AvailableTargets().front()}));
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(RandomNetworks, ComplaintsNameTheLayerAndWhatWasExpected) {
  const auto complaint = [](auto edit) {
    Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
    edit(network);
    return Complaint([&] { CheckNetwork(network); });
  };
  EXPECT_EQ(complaint([](auto&) {}), "no error");
  EXPECT_THAT(complaint([](auto& n) { n.layers[3].name = ""; }),
              HasSubstr("layer 3 of the network has no name"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[3].name = "conv1"; }),
              HasSubstr("two layers of the network have the name conv1"));
  EXPECT_THAT(complaint([](auto& n) {
                n.layers[3].inputs = {2, 1};
              }),
              HasSubstr("has 2 inputs, expected one"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[3].inputs = {}; }), HasSubstr("has 0 inputs"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[3].inputs = {3}; }),
              HasSubstr("block2.depthwise reads layer 3, expected"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[1].inputs = {kNetworkInput}; }),
              HasSubstr("but that is of 32 x 32 x 3"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[1].activation = static_cast<Activation>(9); }),
              HasSubstr("the activation 9"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[1].kind = static_cast<LayerKind>(9); }),
              HasSubstr("of kind 9"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[2].stride = 2; }),
              HasSubstr("is pointwise, expected a kernel and a stride of 1"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[1].epsilon = 0; }), HasSubstr("the epsilon 0"));
  EXPECT_THAT(complaint([](auto& n) { n.layers.back().epsilon = std::nanf(""); }),
              HasSubstr("classifier has the epsilon nan"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[0].stride = 256; }), HasSubstr("expected 1 to 255"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[1].kernel = 9; }),
              HasSubstr("a kernel of 9, expected 1 to 7"));
  EXPECT_THAT(complaint([](auto& n) { n.layers.resize(1001, n.layers[0]); }),
              HasSubstr("has 1001 layers, expected at most 1000"));
  EXPECT_THAT(complaint([](auto& n) {
                Layer wide = n.layers[2];
                wide.name = "wide";
                wide.inputs = {kNetworkInput};
                wide.input = n.input = {1, 1, 1 << 20};
                wide.output = {1, 1, 1 << 20};
                n.layers = {wide};
              }),
              HasSubstr("weights, expected at most 2147483648"));
  EXPECT_THAT(complaint([](auto& n) { n.layers[1].padding.top = 0; }),
              HasSubstr("makes a map of 16 x 16 x 8, expected 15 x 16 x 8"));
  EXPECT_THAT(complaint([](auto& n) { n.layers.back().input = n.layers.front().output; }),
              HasSubstr("classifier reads a map"));
}

}  // namespace
}  // namespace mobilenet
