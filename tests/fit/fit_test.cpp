#include "mobilenet/fit.h"

#include <algorithm>
#include <cmath>

#include "complaint.h"
#include "fit/latency_model.h"
#include "fit/timed_group.h"
#include "gmock/gmock.h"
#include "mobilenet/benchmark.h"
#include "network/schedule.h"

namespace mobilenet {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(Accuracy, IsThePublishedOneAtTheCheckpoints) {
  for (const auto& [alpha, resolution, top1] :
       {std::tuple(1.0, 224, 0.709), std::tuple(1.0, 128, 0.652), std::tuple(0.75, 192, 0.672),
        std::tuple(0.5, 160, 0.591), std::tuple(0.25, 128, 0.415), std::tuple(0.25, 224, 0.498)}) {
    const auto accuracy = ImagenetAccuracy(alpha, resolution);
    ASSERT_TRUE(accuracy);
    EXPECT_NEAR(accuracy->top1, top1, 1e-9) << alpha << " " << resolution;
    EXPECT_TRUE(accuracy->published);
  }
}

TEST(Accuracy, RisesBetweenThemAndSaysSo) {
  double before = 0;
  for (double alpha = 0.26; alpha < 1; alpha += 0.02) {
    const auto accuracy = ImagenetAccuracy(alpha, 200);
    EXPECT_GT(accuracy->top1, before);
    EXPECT_FALSE(accuracy->published);
    before = accuracy->top1;
  }
  EXPECT_FALSE(ImagenetAccuracy(1, 200)->published);
  EXPECT_FALSE(ImagenetAccuracy(0.6, 224)->published);
  // Half way in logarithms: sqrt(0.25 * 0.5).
  EXPECT_NEAR(ImagenetAccuracy(std::sqrt(0.125), 224)->top1, (0.498 + 0.633) / 2, 1e-9);
}

TEST(Accuracy, DoesNotGuessOutside) {
  EXPECT_FALSE(ImagenetAccuracy(0.2, 224));
  EXPECT_FALSE(ImagenetAccuracy(1.01, 224));
  EXPECT_FALSE(ImagenetAccuracy(0.5, 127));
  EXPECT_FALSE(ImagenetAccuracy(0.5, 225));
  EXPECT_FALSE(ImagenetAccuracy(std::nan(""), 224));
}

TEST(NonNegativeLeastSquares, SolvesWhatHasASolution) {
  const std::vector<std::vector<double>> rows = {{1, 2, 0}, {3, 1, 1}, {0, 1, 4}, {2, 2, 2}};
  const std::vector<double> x = {0.5, 0, 2};
  std::vector<double> targets;
  for (const auto& row : rows) targets.push_back(row[0] * x[0] + row[1] * x[1] + row[2] * x[2]);
  const std::vector<double> found = NonNegativeLeastSquares(rows, targets);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], x[i], 1e-6);
}

TEST(NonNegativeLeastSquares, StopsAtZero) {
  // Without the bound x = (2, -1); with it, the best is (4 / 2.5, 0): minimise (x - 1)^2 + (x - 3)^2 + x^2
  // / 2.
  const double root = std::sqrt(0.5);
  const std::vector<std::vector<double>> rows = {{1, 1}, {1, -1}, {root, root}};
  const std::vector<double> found = NonNegativeLeastSquares(rows, std::vector<double>{1, 3, 0});
  EXPECT_NEAR(found[0], 1.6, 1e-6);
  EXPECT_EQ(found[1], 0);
  EXPECT_THAT(NonNegativeLeastSquares({}, {}), IsEmpty());
}

// A machine on which each mult-add and each value written has its price.
struct Machine {
  double product = 2e-8;  // ms for a mult-add
  double depthwise = 2e-8;
  double depthwise_by_two = 2e-8;  // with a stride of 2
};

double PriceOf(const Layer& layer, const Machine& machine) {
  if (layer.kind != LayerKind::kDepthwise) return machine.product;
  return layer.stride == 1 ? machine.depthwise : machine.depthwise_by_two;
}

LatencyModel::Sample Pretend(double alpha, int resolution, const Machine& machine) {
  LatencyModel::Sample sample{V1({.alpha = alpha, .resolution = resolution, .classes = 10}), {}, 0};
  const Cost cost = CostOf(sample.network);
  for (const StepLayers& step : StepsOf(sample.network)) {
    double ms = 0.001 + 1e-7 * static_cast<double>(sample.network.layers[step.last()].output.size());
    for (std::size_t i = step.first(); i <= step.last(); ++i)
      ms += PriceOf(sample.network.layers[i], machine) * static_cast<double>(cost.layers[i].macs);
    sample.step_ms.push_back(ms);
    sample.total_ms += ms;
  }
  return sample;
}

TEST(LatencyModel, PredictsSimpleMachines) {
  for (const Machine& machine : {Machine{}, Machine{.depthwise = 1e-6}, Machine{.depthwise_by_two = 1e-6}}) {
    std::vector<LatencyModel::Sample> samples;
    for (const double alpha : {0.25, 0.5, 1.0}) {
      for (const int resolution : {128, 192, 224}) samples.push_back(Pretend(alpha, resolution, machine));
    }
    const LatencyModel model(samples);
    for (const auto& [alpha, resolution] :
         {std::pair(0.75, 160), std::pair(0.375, 208), std::pair(1.0, 144)}) {
      const LatencyModel::Sample truth = Pretend(alpha, resolution, machine);
      EXPECT_NEAR(model.Predict(truth.network) / truth.total_ms, 1, 0.03)
          << alpha << " " << resolution << " " << machine.depthwise << " " << machine.depthwise_by_two;
    }
  }
}

// However short the time is: each network in turn, twice.
TEST(TimedGroup, RunsTwoRoundsAtLeast) {
  EnergyMeter meter;
  TimedGroup group(1, meter);
  const Candidate smallest = FitGrid(2).front();
  for (int i = 0; i < 2; ++i) group.Add(smallest);
  std::vector<double> shares;
  group.Run(1e-9, [&](double share) { shares.push_back(share); });
  EXPECT_THAT(shares, ElementsAre(0.25, 0.5, 0.75, 1));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_GE(group.TimingOf(i).runs, 2);
}

TEST(Fit, GridIsCountedRight) {
  const std::vector<Candidate> grid = FitGrid(1000);
  ASSERT_THAT(grid, SizeIs(98));
  EXPECT_EQ(std::ranges::count_if(grid, [](const Candidate& c) { return c.accuracy.published; }), 32);
  const Candidate& last = grid[48];  // in float32
  EXPECT_EQ(last.precision, Precision::kFloat32);
  EXPECT_THAT(grid[49].precision, testing::AnyOf(Precision::kBfloat16, Precision::kFloat16));
  EXPECT_LT(grid[97].size_bytes, 0.51 * static_cast<double>(last.size_bytes));
  EXPECT_EQ(last.options.alpha, 1);
  EXPECT_EQ(last.options.resolution, Resolution(224));
  EXPECT_EQ(last.macs, 568'740'352);
  EXPECT_EQ(last.memory_bytes - last.size_bytes, CostOf(V1()).peak_activation_bytes);
  EXPECT_LT(FitGrid(10)[48].size_bytes, last.size_bytes);
}

TEST(Fit, NamesTheLimitsThatAreBroken) {
  Candidate c = FitGrid(1000).front();
  c.predicted_ms = 3;
  EXPECT_THAT(BrokenLimits(c, {}), IsEmpty());
  EXPECT_THAT(BrokenLimits(c, {.latency_ms = 3, .macs = 1e9}), IsEmpty());
  const auto broken =
      BrokenLimits(c, {.latency_ms = 2, .size_bytes = 1000, .memory_bytes = 1e9, .energy_mj = 1e-6});
  EXPECT_THAT(broken, ElementsAre(Field(&Excess::limit, "latency"), Field(&Excess::limit, "size"),
                                  Field(&Excess::limit, "energy")));
  EXPECT_EQ(broken[0].value, 3);
  EXPECT_EQ(broken[0].allowed, 2);
  c.timing = Timing{1.5, 1.4, 1.6, 10};
  EXPECT_THAT(BrokenLimits(c, {.latency_ms = 2}), IsEmpty());
}

// A limit that a clock has no part in is exact: what exceeds it by a little takes no place from what meets
// it.
TEST(Fit, SaysWhichLimitBindsWithoutAClock) {
  const FitResult result = Fit({.limits = {.latency_ms = 1e-6, .size_bytes = 1000}, .seconds = 3600});
  EXPECT_THAT(result.choices, IsEmpty());
  ASSERT_TRUE(result.nearest);
  EXPECT_EQ(result.nearest->options.alpha, 0.25);
  EXPECT_THAT(result.binding, ElementsAre(Field(&Excess::limit, "size")));
}

TEST(Fit, RefusesOptionsOutOfRange) {
  EXPECT_THAT(Complaint([] { (void)Fit({.limits = {.latency_ms = 0}}); }),
              HasSubstr("the limit on latency is 0, expected a finite number above 0"));
  EXPECT_THAT(Complaint([] { (void)Fit({.limits = {.energy_mj = std::nan("")}}); }), HasSubstr("energy"));
  EXPECT_THAT(Complaint([] { (void)Fit({.choices = 0}); }), HasSubstr("choices"));
  EXPECT_THAT(Complaint([] { (void)Fit({.seconds = -1}); }), HasSubstr("seconds"));
  EXPECT_THAT(Complaint([] { (void)Fit({.classes = 0}); }), HasSubstr("classes"));
  EXPECT_THAT(Complaint([] { (void)Fit({.threads = 0}); }), HasSubstr("threads"));
}

}  // namespace
}  // namespace mobilenet
