// Small networks to train, each with weights, a batch and what that should be.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "network/shapes.h"
#include "random.h"
#include "training/plain_loss.h"
#include "training/training_pass.h"

namespace mobilenet {

// A small network of the layers that are asked for, from a first convolution to a classifier. Each reads the
// one before it, unless Read says otherwise.
class Chain {
 public:
  Chain(int height, int width, PaddingStyle padding, Activation activation)
      : padding_(padding), activation_(activation) {
    network_.input = {height, width, 3};
  }
  Chain& Add(LayerKind kind, int channels, int kernel = 1, int stride = 1, bool batch_norm = true) {
    Layer layer = Next(kind);
    layer.kernel = kernel;
    layer.stride = stride;
    layer.batch_norm = batch_norm;
    layer.bias = !batch_norm;
    layer.activation = activation_;
    layer.output.channels = channels;
    PlaceWindow(padding_, layer);
    network_.layers.push_back(layer);
    return *this;
  }
  // The layer before this has no activation.
  Chain& Linear() {
    network_.layers.back().activation = Activation::kNone;
    return *this;
  }
  // The layer after this reads that one.
  Chain& Read(int layer) {
    read_ = layer;
    return *this;
  }
  Chain& Sum(int first, int second, Activation activation = Activation::kNone) {
    Layer layer = Read(first).Next(LayerKind::kAdd);
    layer.inputs.push_back(second);
    layer.output = layer.input;
    layer.activation = activation;
    network_.layers.push_back(layer);
    return *this;
  }
  // The last map times a gate of `squeezed` values that are made of its average.
  Chain& SqueezeExcite(int squeezed) {
    const int map = static_cast<int>(network_.layers.size()) - 1;
    const int channels = network_.output().channels;
    Pool().Add(LayerKind::kFullyConnected, squeezed, 1, 1, false);
    Add(LayerKind::kFullyConnected, channels, 1, 1, false);
    network_.layers.back().activation = Activation::kHardSigmoid;
    return Scale(map, map + 3);
  }
  Chain& Scale(int map, int gate) {
    Layer layer = Read(map).Next(LayerKind::kScale);
    layer.inputs.push_back(gate);
    layer.output = layer.input;
    network_.layers.push_back(layer);
    return *this;
  }
  Chain& Pool() {
    Layer layer = Next(LayerKind::kGlobalAveragePool);
    layer.output = {1, 1, layer.input.channels};
    network_.layers.push_back(layer);
    return *this;
  }
  Network Classify() { return Add(LayerKind::kFullyConnected, 3, 1, 1, false).Linear().network_; }
  Network Finish() { return Pool().Classify(); }

 private:
  Layer Next(LayerKind kind) {
    Layer layer;
    layer.name = "layer" + std::to_string(network_.layers.size());
    layer.kind = kind;
    const int before = static_cast<int>(network_.layers.size()) - 1;
    layer.inputs = {std::exchange(read_, std::nullopt).value_or(before)};
    const int from = layer.inputs.front();
    layer.input = from == kNetworkInput ? network_.input : network_.layers[from].output;
    return layer;
  }

  Network network_;
  PaddingStyle padding_;
  Activation activation_;
  std::optional<int> read_;
};

struct Case {
  Network network;
  std::vector<float> values;
  std::vector<float> images;
  std::vector<Target> targets;

  Case(Network the_network, int batch) : network(std::move(the_network)) {
    const WeightLayout layout(network);
    values = layout.Flatten(network, RandomWeights(network, 7));
    for (const Slot& slot : layout.slots()) {  // no gamma of exactly 1, no beta of 0
      if (slot.role != Role::kNorm && slot.role != Role::kBias) continue;
      const auto noise = RandomValues(slot.size, static_cast<int>(slot.offset) + 1);
      for (std::size_t i = 0; i < slot.size; ++i) values[slot.offset + i] += 0.3F * noise[i];
    }
    images = RandomValues(static_cast<std::size_t>(batch) * network.input.size(), 3);
    const int classes = network.classes();
    for (int i = 0; i < batch; ++i)
      targets.push_back({i % classes, (i + 1) % classes, i % 2 == 0 ? 1.0F : 0.7F});
  }

  [[nodiscard]] double Numerical(std::size_t index) const {
    std::vector<double> moved(values.begin(), values.end());
    const double step = 1e-8;
    moved[index] += step;
    const double above = PlainLoss(network, moved, images, targets, kSmoothing);
    moved[index] -= 2 * step;
    return (above - PlainLoss(network, moved, images, targets, kSmoothing)) / (2 * step);
  }

  static constexpr float kSmoothing = 0.1F;
};

}  // namespace mobilenet
