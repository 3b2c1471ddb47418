// What is dropped at random: features and branches.
#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "training/small_networks.h"

namespace mobilenet {
namespace {

class Dropping {
 public:
  Dropping(const Network& network, const PassOptions& options)
      : case_(network, options.batch), layout_(network), pool_(2), pass_(network, options, pool_) {
    gradient_.resize(case_.values.size());
  }

  double Loss(std::uint64_t seed) { return Loss(seed, case_.values); }
  double Loss(std::uint64_t seed, std::vector<float> values) {
    return pass_.Run(case_.images, case_.targets, values, gradient_, seed).loss;
  }

  // What is dropped is the same in forward and backward: the gradient is that of the loss that the pass
  // itself gives for the same seed.
  void ExpectGradientOfItsLoss(const std::vector<std::size_t>& weights) {
    EXPECT_NE(Loss(1), Loss(2));
    EXPECT_EQ(Loss(1), Loss(1));
    const std::vector<float> computed = gradient_;
    for (const std::size_t layer : weights) {
      const Slot& slot = *layout_.Find(layer, ".weight");
      const auto part = std::span(computed).subspan(slot.offset, slot.size);
      const auto largest = std::ranges::max_element(part, {}, [](float g) { return std::abs(g); });
      const std::size_t index = slot.offset + static_cast<std::size_t>(largest - part.begin());
      constexpr float kStep = 1e-3F;
      std::vector<float> above = case_.values;
      std::vector<float> below = case_.values;
      above[index] += kStep;
      below[index] -= kStep;
      EXPECT_NEAR((Loss(1, above) - Loss(1, below)) / (double{above[index]} - below[index]), *largest,
                  0.02 * std::abs(*largest))
          << slot.parameter.name;
    }
  }

  // The weights with what the batch norms of layers make times a number.
  [[nodiscard]] std::vector<float> Scaled(const std::map<std::size_t, float>& factors) const {
    std::vector<float> values = case_.values;
    for (const auto& [layer, by] : factors) {
      for (const char* end : {".gamma", ".beta"}) {
        const Slot& slot = *layout_.Find(layer, end);
        for (std::size_t i = 0; i < slot.size; ++i) values[slot.offset + i] *= by;
      }
    }
    return values;
  }

 private:
  Case case_;
  WeightLayout layout_;
  ThreadPool pool_;
  TrainingPass pass_;
  std::vector<float> gradient_;
};

TEST(TrainingPassTest, WithDropoutTheGradientIsThatOfItsLoss) {
  const Network network = Chain(5, 5, PaddingStyle::kSame, Activation::kRelu)
                              .Add(LayerKind::kConvolution, 12, 3)
                              .Pool()  // narrower than what the classifier reads
                              .Add(LayerKind::kPointwise, 24)
                              .Classify();
  Dropping(network, {.batch = 6, .dropout = 0.5F}).ExpectGradientOfItsLoss({0, 2, 3});
}

// Two blocks that are skipped.
Network TwoSkips() {
  return Chain(9, 7, PaddingStyle::kSame, Activation::kRelu6)
      .Add(LayerKind::kConvolution, 9, 3)
      .Add(LayerKind::kPointwise, 9)
      .Linear()
      .Sum(1, 0)
      .Add(LayerKind::kDepthwise, 9, 3)
      .Linear()
      .Sum(3, 2)
      .Finish();
}

TEST(TrainingPassTest, WithDropPathTheGradientIsThatOfItsLoss) {
  Dropping(TwoSkips(), {.batch = 6, .drop_path = 0.5F}).ExpectGradientOfItsLoss({0, 1, 3, 6});
}

// Of one image: a branch that is dropped is one that makes zeros, and one that is kept counts for
// 1 / (1 - its share). The last sum has the whole share, the first of two half of it.
TEST(TrainingPassTest, ADroppedBranchAddsNothingAndAKeptOneMore) {
  constexpr float kShare = 0.5F;
  Dropping plain(TwoSkips(), {.batch = 1});
  std::vector<double> losses;  // by whether the first is dropped, and whether the last is
  for (const bool first : {false, true}) {
    for (const bool last : {false, true})
      losses.push_back(plain.Loss(
          0, plain.Scaled({{1, first ? 0 : 1 / (1 - kShare / 2)}, {3, last ? 0 : 1 / (1 - kShare)}})));
  }
  Dropping dropping(TwoSkips(), {.batch = 1, .drop_path = kShare});
  std::vector<int> times(losses.size());
  constexpr int kSeeds = 200;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const double loss = dropping.Loss(static_cast<std::uint64_t>(seed));
    const auto nearest = std::ranges::min_element(losses, {}, [&](double l) { return std::abs(l - loss); });
    ASSERT_NEAR(*nearest, loss, 1e-5) << seed;
    ++times[static_cast<std::size_t>(nearest - losses.begin())];
  }
  EXPECT_NEAR(times[2] + times[3], kSeeds * kShare / 2, 25) << "the first";
  EXPECT_NEAR(times[1] + times[3], kSeeds * kShare, 28) << "the last";
}

}  // namespace
}  // namespace mobilenet
