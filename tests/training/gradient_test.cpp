// Every gradient beside a numerical one of the plain loss in double precision.
#include <algorithm>
#include <cmath>

#include "complaint.h"
#include "gmock/gmock.h"
#include "kernels/kernels.h"
#include "mobilenet/runtime.h"
#include "network/shapes.h"
#include "random.h"
#include "training/plain_loss.h"
#include "training/training_pass.h"

namespace mobilenet {
namespace {

// A small network of the layers that are asked for, between a first convolution and a classifier.
class Chain {
 public:
  Chain(int height, int width, PaddingStyle padding, Activation activation)
      : padding_(padding), activation_(activation) {
    network_.version = "v1";
    network_.options.classes = 3;
    network_.input = {height, width, 3};
  }
  Chain& Add(LayerKind kind, int channels, int kernel = 1, int stride = 1, bool batch_norm = true) {
    Layer layer;
    layer.name = "layer" + std::to_string(network_.layers.size());
    layer.kind = kind;
    layer.inputs = {static_cast<int>(network_.layers.size()) - 1};
    layer.input = network_.layers.empty() ? network_.input : network_.output();
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
  Network Finish() {
    Layer pool;
    pool.name = "pool";
    pool.kind = LayerKind::kGlobalAveragePool;
    pool.inputs = {static_cast<int>(network_.layers.size()) - 1};
    pool.input = network_.output();
    pool.output = {1, 1, pool.input.channels};
    network_.layers.push_back(pool);
    Add(LayerKind::kFullyConnected, 3, 1, 1, false);
    network_.layers.back().activation = Activation::kNone;
    return network_;
  }

 private:
  Network network_;
  PaddingStyle padding_;
  Activation activation_;
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
    const int classes = network.options.classes;
    for (int i = 0; i < batch; ++i)
      targets.push_back({i % classes, (i + 1) % classes, i % 2 == 0 ? 1.0F : 0.7F});
  }

  double Numerical(std::size_t index, double label_smoothing) const {
    std::vector<double> moved(values.begin(), values.end());
    const double step = 1e-8;
    moved[index] += step;
    const double above = PlainLoss(network, moved, images, targets, label_smoothing);
    moved[index] -= 2 * step;
    return (above - PlainLoss(network, moved, images, targets, label_smoothing)) / (2 * step);
  }
};

// Compares every weight, or one of every seventh slot; errors relative to the slot's largest gradient.
void CheckGradients(const Case& c, int threads, std::string_view target, bool all = true) {
  SCOPED_TRACE(testing::Message() << target << ", " << threads << " threads");
  constexpr float kSmoothing = 0.1F;
  ThreadPool pool(threads);
  TrainingPass pass(
      c.network,
      {.batch = static_cast<int>(c.targets.size()), .label_smoothing = kSmoothing, .target = target}, pool);
  std::vector<float> values = c.values;
  std::vector<float> gradient(values.size());
  const PassResult result = pass.Run(c.images, c.targets, values, gradient);
  const std::vector<double> exact(c.values.begin(), c.values.end());
  EXPECT_NEAR(result.loss, PlainLoss(c.network, exact, c.images, c.targets, kSmoothing), 1e-5);
  const WeightLayout layout(c.network);
  for (const Slot& slot : layout.slots()) {
    const std::span<const float> part(gradient.data() + slot.offset, slot.size);
    if (slot.role == Role::kRunning) {
      EXPECT_THAT(part, testing::Each(0.0F));
      continue;
    }
    double largest = 0;
    for (const float g : part) largest = std::max(largest, std::abs(double{g}));
    ASSERT_GT(largest, 0) << slot.parameter.name;
    if (!all && (&slot - layout.slots().data()) % 7 != 0) continue;
    for (std::size_t i = 0; i < slot.size; i += all ? 1 : slot.size) {
      ASSERT_NEAR(part[i], c.Numerical(slot.offset + i, kSmoothing), 1e-3 * largest + 1e-7)
          << slot.parameter.name << " at " << i;
    }
  }
}

TEST(TrainingPassTest, EveryLayerHasTheGradientOfThePlainLoss) {
  for (const auto target : AvailableTargets()) {
    for (const PaddingStyle padding : {PaddingStyle::kSame, PaddingStyle::kSymmetric}) {
      for (const int stride : {1, 2}) {
        SCOPED_TRACE(testing::Message() << "stride " << stride);
        CheckGradients(Case(Chain(7, 6, padding, Activation::kRelu6)
                                .Add(LayerKind::kConvolution, 9, 3, stride)
                                .Add(LayerKind::kDepthwise, 9, 3, stride)
                                .Add(LayerKind::kPointwise, 17)
                                .Add(LayerKind::kDepthwise, 17, 5, stride)
                                .Add(LayerKind::kPointwise, 5, 1, 1, false)
                                .Add(LayerKind::kConvolution, 6, 3, stride)
                                .Finish(),
                            5),
                       2, target);
      }
    }
  }
}

TEST(TrainingPassTest, AWholeNetworkHasTheGradientOfThePlainLoss) {
  for (const bool separable : {true, false}) {
    // Few values, so that float32 and float64 don't come down on different sides of an activation's edge, but
    // enough images for the statistics of 1 x 1 maps.
    const Case c(V1({.alpha = 0.25, .resolution = 32, .classes = 3, .separable = separable}), 24);
    CheckGradients(c, 2, AvailableTargets().front(), false);
  }
}

}  // namespace
}  // namespace mobilenet
