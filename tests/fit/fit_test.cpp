#include "mobilenet/fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "complaint.h"
#include "fit/latency_model.h"
#include "fit/samples.h"
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

double AlphaOf(const Recipe& recipe) {
  return std::visit([](const auto& options) { return options.alpha; }, recipe);
}

int SideOf(const Recipe& recipe) {
  return std::visit([](const auto& options) { return options.resolution.height; }, recipe);
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

LatencyModel::Sample Pretend(const Network& network, const Machine& machine) {
  LatencyModel::Sample sample{network, {}, 0};
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

LatencyModel::Sample Pretend(double alpha, int resolution, const Machine& machine) {
  return Pretend(V1({.alpha = alpha, .resolution = resolution, .classes = 10}), machine);
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

// The samples that Fit learns from tell enough of each version.
TEST(LatencyModel, PredictsTheWholeFamilyOnASimpleMachine) {
  const Machine machine{.depthwise = 1e-7, .depthwise_by_two = 3e-7};
  for (const auto training : {TrainingRecipe::kOriginal, TrainingRecipe::kTimm}) {
    const FitOptions options{.training = training};
    const std::vector<Candidate> grid = FitGrid(options);
    std::vector<LatencyModel::Sample> samples;
    for (const Recipe& recipe : SampleNetworks(options, grid))
      samples.push_back(Pretend(Build(recipe), machine));
    const LatencyModel model(samples);
    for (const Candidate& c : grid) {
      const LatencyModel::Sample truth = Pretend(Build(c.recipe), machine);
      EXPECT_NEAR(model.Predict(truth.network) / truth.total_ms, 1, 0.05)
          << NameOf(c.recipe) << " " << AlphaOf(c.recipe) << " " << SideOf(c.recipe);
    }
  }
}

// However short the time is: each network in turn, twice.
TEST(TimedGroup, RunsTwoRoundsAtLeast) {
  EnergyMeter meter;
  TimedGroup group(1, meter);
  const Candidate smallest = FitGrid({.classes = 2}).front();
  for (int i = 0; i < 2; ++i) group.Add(smallest);
  std::vector<double> shares;
  group.Run(1e-9, [&](double share) { shares.push_back(share); });
  EXPECT_THAT(shares, ElementsAre(0.25, 0.5, 0.75, 1));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_GE(group.TimingOf(i).runs, 2);
}

TEST(Fit, GridIsCountedRight) {
  const std::vector<Candidate> grid = FitGrid({.versions = {"v1"}});
  ASSERT_THAT(grid, SizeIs(98));
  EXPECT_EQ(std::ranges::count_if(grid, [](const Candidate& c) { return c.accuracy.published; }), 32);
  const Candidate& last = grid[48];  // in float32
  EXPECT_EQ(last.precision, Precision::kFloat32);
  EXPECT_THAT(grid[49].precision, testing::AnyOf(Precision::kBfloat16, Precision::kFloat16));
  EXPECT_LT(grid[97].size_bytes, 0.51 * static_cast<double>(last.size_bytes));
  EXPECT_EQ(last.recipe, Recipe(V1Options()));
  EXPECT_EQ(last.macs, 568'740'352);
  EXPECT_EQ(last.memory_bytes - last.size_bytes, CostOf(V1()).peak_activation_bytes);
  EXPECT_LT(FitGrid({.versions = {"v1"}, .classes = 10})[48].size_bytes, last.size_bytes);
}

// How many networks of each version the grid has, and how many of their accuracies are published.
std::map<std::string, std::pair<int, int>> NumbersOf(const std::vector<Candidate>& grid) {
  std::map<std::string, std::pair<int, int>> numbers;
  for (const Candidate& c : grid) {
    if (c.precision != Precision::kFloat32) continue;
    auto& [all, published] = numbers[std::string(NameOf(c.recipe))];
    ++all;
    published += c.accuracy.published ? 1 : 0;
  }
  return numbers;
}

TEST(Fit, GridHasTheWholeFamily) {
  using Numbers = std::map<std::string, std::pair<int, int>>;
  const std::vector<Candidate> grid = FitGrid();
  EXPECT_EQ(NumbersOf(grid), (Numbers{{"v1", {49, 16}},
                                      {"v2", {56, 22}},
                                      {"v3-large", {2, 2}},
                                      {"v3-small", {2, 2}},
                                      {"v3-large-minimalistic", {1, 1}},
                                      {"v3-small-minimalistic", {1, 1}},
                                      {"v4-conv-small", {1, 1}},
                                      {"v4-conv-medium", {1, 1}},
                                      {"v4-conv-large", {1, 1}}}));
  for (const Candidate& c : grid) {
    const Network network = Build(c.recipe);
    EXPECT_EQ(c.macs, CostOf(network).macs);
    EXPECT_TRUE(
        std::ranges::all_of(network.layers, [](const Layer& layer) { return layer.epsilon == 1e-3F; }));
  }
  const std::vector<Candidate> timm = FitGrid({.training = TrainingRecipe::kTimm});
  EXPECT_EQ(NumbersOf(timm), (Numbers{{"v1", {2, 2}},
                                      {"v2", {3, 3}},
                                      {"v3-large", {2, 2}},
                                      {"v3-small", {3, 3}},
                                      {"v4-conv-small", {4, 4}},
                                      {"v4-conv-medium", {3, 3}},
                                      {"v4-conv-large", {4, 4}}}));
}

TEST(Fit, GridIsInOrder) {
  const std::vector<Candidate> grid = FitGrid();
  const std::vector<std::string> names = RecipeNames();
  const auto place = [&](const Candidate& c) {
    return std::tuple(c.precision != Precision::kFloat32,
                      std::ranges::find(names, NameOf(c.recipe)) - names.begin(), AlphaOf(c.recipe),
                      SideOf(c.recipe));
  };
  EXPECT_TRUE(std::ranges::is_sorted(grid, {}, place));
}

TEST(Fit, GridHasTheVersionsThatAreNamed) {
  const auto names_of = [](const std::vector<std::string>& versions) {
    std::set<std::string> names;
    for (const Candidate& c : FitGrid({.versions = versions})) names.emplace(NameOf(c.recipe));
    return names;
  };
  using Names = std::set<std::string>;
  EXPECT_EQ(names_of({"v3-large"}), Names({"v3-large"}));
  EXPECT_EQ(names_of({"v3"}),
            Names({"v3-large", "v3-small", "v3-large-minimalistic", "v3-small-minimalistic"}));
  EXPECT_EQ(names_of({"v4", "v2"}), Names({"v2", "v4-conv-small", "v4-conv-medium", "v4-conv-large"}));
  EXPECT_THAT(FitVersions(),
              ElementsAre("v1", "v2", "v3", "v3-large", "v3-small", "v3-large-minimalistic",
                          "v3-small-minimalistic", "v4", "v4-conv-small", "v4-conv-medium", "v4-conv-large"));
  EXPECT_THAT(Complaint([] {
                FitGrid({.versions = {"v2", "v9"}});
              }),
              HasSubstr("the version v9 is none that there is, expected one of v1, v2, v3, v3-large"));
  EXPECT_THAT(
      Complaint([] { FitGrid({.versions = {"v3-large-minimalistic"}, .training = TrainingRecipe::kTimm}); }),
      HasSubstr("no accuracy of v3-large-minimalistic is published with the recipe timm"));
}

// Of the latency model, whatever the machine: it has learned from every kind of step that it predicts.
TEST(Fit, SamplesHaveEveryKindOfStep) {
  for (const FitOptions& options :
       {FitOptions{}, FitOptions{.classes = kMostFitClasses}, FitOptions{.training = TrainingRecipe::kTimm},
        FitOptions{.versions = {"v1"}}, FitOptions{.versions = {"v3-small-minimalistic"}},
        FitOptions{.versions = {"v4-conv-large"}}}) {
    const std::vector<Candidate> grid = FitGrid(options);
    std::vector<LatencyModel::Sample> samples;
    for (const Recipe& recipe : SampleNetworks(options, grid)) {
      LatencyModel::Sample& sample = samples.emplace_back(LatencyModel::Sample{Build(recipe), {}, 0});
      sample.step_ms.assign(StepsOf(sample.network).size(), 1);
      sample.total_ms = static_cast<double>(sample.step_ms.size());
    }
    const LatencyModel model(samples);
    for (const Candidate& c : grid) EXPECT_TRUE(model.Knows(Build(c.recipe))) << NameOf(c.recipe);
    for (const std::size_t check : ChecksOf(grid, SampleNetworks(options, grid)))
      EXPECT_EQ(std::ranges::count(SampleNetworks(options, grid), grid[check].recipe), 0);
  }
}

TEST(Fit, ChecksEachVersion) {
  const std::vector<Candidate> grid = FitGrid();
  std::set<std::string> versions;
  std::set<Precision> precisions;
  const std::vector<std::size_t> checks = ChecksOf(grid, SampleNetworks({}, grid));
  for (const std::size_t check : checks) {
    versions.emplace(NameOf(grid[check].recipe));
    precisions.insert(grid[check].precision);
  }
  EXPECT_THAT(versions, SizeIs(9));
  EXPECT_THAT(precisions, SizeIs(2));
  EXPECT_EQ(std::set(checks.begin(), checks.end()).size(), checks.size());
}

TEST(Fit, NamesTheLimitsThatAreBroken) {
  Candidate c = FitGrid().front();
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
  EXPECT_EQ(AlphaOf(result.nearest->recipe), 0.25);
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
