// Every public function with arguments out of range: an Error that says which, and nothing else happens.
// (Those that take pictures and files are in the tests of their own.)
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/core.h"
#include "random.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

const Network& Small() {
  static const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
  return network;
}

std::string ComplaintOfV1(auto edit) {
  V1Options options;
  edit(options);
  return Complaint([&] { V1(options); });
}

TEST(Arguments, OfNetworks) {
  for (const double alpha : {0.0, -1.0, 1.0001, kNan, kInfinity})
    EXPECT_THAT(ComplaintOfV1([&](auto& o) { o.alpha = alpha; }), HasSubstr("alpha is"));
  for (const int resolution : {31, 4097, -1})
    EXPECT_THAT(ComplaintOfV1([&](auto& o) { o.resolution = resolution; }), HasSubstr("resolution is"));
  for (const int classes : {-1, 1'000'001})
    EXPECT_THAT(ComplaintOfV1([&](auto& o) { o.classes = classes; }), HasSubstr("classes is"));
  for (const int channels : {0, 2, 4})
    EXPECT_THAT(ComplaintOfV1([&](auto& o) { o.input_channels = channels; }), HasSubstr("channels"));
  for (const int stride : {0, 2, 12, 64})
    EXPECT_THAT(ComplaintOfV1([&](auto& o) { o.output_stride = stride; }), HasSubstr("stride"));
  for (const float epsilon : {0.0F, -1e-3F, static_cast<float>(kNan), static_cast<float>(kInfinity)})
    EXPECT_THAT(ComplaintOfV1([&](auto& o) { o.epsilon = epsilon; }), HasSubstr("epsilon"));
  EXPECT_THAT(Complaint([] { (void)Network().output(); }), HasSubstr("no layers"));
  EXPECT_THAT(Complaint([] { EstimateEnergy(Network()); }), HasSubstr("no layers"));
  EXPECT_THAT(Complaint([] { CostOf(Network()); }), HasSubstr("no layers"));
  EXPECT_THAT(Complaint([] { CostByKind(Network()); }), HasSubstr("no layers"));
  EXPECT_THAT(Complaint([] { CompareWithStandard(Network()); }), HasSubstr("no layers"));
}

TEST(Arguments, OfV2AndOfWhatChangesANetwork) {
  const auto complaint = [](const V2Options& options) { return Complaint([&] { V2(options); }); };
  for (const double alpha : {0.0, 0.09, 1.41, kNan})
    EXPECT_THAT(complaint({.alpha = alpha}), HasSubstr("alpha is"));
  EXPECT_THAT(complaint({.resolution = {224, 31}}), HasSubstr("resolution is 31"));
  EXPECT_THAT(complaint({.resolution = {4097, 224}}), HasSubstr("resolution is 4097"));
  EXPECT_THAT(complaint({.padding = static_cast<PaddingStyle>(7)}), HasSubstr("the padding 7"));
  EXPECT_THAT(complaint({.activation = static_cast<Activation>(7)}), HasSubstr("the activation 7"));
  Network custom = Small();
  for (const Network& network : {Small(), custom}) {
    for (const int classes : {-1, 1'000'001})
      EXPECT_THAT(Complaint([&] { WithClasses(network, classes); }), HasSubstr("classes is"));
    custom.recipe.reset();
  }
  EXPECT_THAT(Complaint([&] { WithResolution(Small(), 31); }), HasSubstr("resolution is 31"));
  for (const int side : {0, -1, 65'537, std::numeric_limits<int>::max()})
    EXPECT_THAT(Complaint([&] { WithResolution(custom, side); }), HasSubstr("expected 1 to 65536 pixels"));
  custom.layers.pop_back();
  EXPECT_EQ(Complaint([&] { WithClasses(custom, 3); }), "no error") << "the average may have a classifier";
  custom.layers.pop_back();
  EXPECT_EQ(Complaint([&] { WithClasses(custom, 3); }), "no error") << "and so may a map of one pixel";
  Network map = V1({.alpha = 0.25, .resolution = 64, .classes = 0});
  map.layers.pop_back();
  EXPECT_THAT(Complaint([&] { WithClasses(map, 3); }), HasSubstr("ends with block13.pointwise"));
  EXPECT_THAT(Complaint([] { WithClasses(Network(), 3); }), HasSubstr("no layers"));
  EXPECT_FALSE(RecipeNamed("v9").has_value());
  EXPECT_THAT(Complaint([] { V3({.variant = static_cast<V3Variant>(7)}); }),
              HasSubstr("the variant is none"));
  EXPECT_THAT(Complaint([] { V3({.widths = static_cast<V3Widths>(7)}); }),
              HasSubstr("the widths 7 is none that there is"));
  EXPECT_THAT(Complaint([] { V4({.alpha = 1.5}); }), HasSubstr("alpha is 1.5, expected 0.1 to 1.4"));
  EXPECT_THAT(Complaint([] { V4({.variant = static_cast<V4Variant>(7)}); }),
              HasSubstr("the variant is none"));
}

TEST(Arguments, OfPlansAndRunners) {
  const Weights weights = RandomWeights(Small(), 1);
  EXPECT_THAT(Complaint([&] { Plan(Network(), weights); }), HasSubstr("no layers"));
  EXPECT_THAT(Complaint([&] { Plan(Small(), {}); }), HasSubstr("conv1.weight is missing"));
  EXPECT_THAT(Complaint([&] { Plan(Small(), weights, {.target = "mmx"}); }), HasSubstr("mmx"));
  EXPECT_THAT(Complaint([&] { Plan(Small(), weights, {.precision = Precision::kInt8}); }), HasSubstr("int8"));
  EXPECT_THAT(Complaint([&] { Plan(Small(), weights, {.precision = static_cast<Precision>(9)}); }),
              HasSubstr("the precision 9"));
  EXPECT_THAT(Complaint([&] { Plan(Small(), weights, {.memory = static_cast<MemoryUse>(9)}); }),
              HasSubstr("the memory 9"));
  const Plan plan(Small(), weights);
  for (const int threads : {-1, 0, 257})
    EXPECT_THAT(Complaint([&] { Runner(plan, {.threads = threads}); }), HasSubstr("expected 1 to 256"));
  Runner runner(plan);
  std::vector<float> logits(3, 7.0F);
  const std::vector<float> input(static_cast<std::size_t>(plan.input().size()));
  EXPECT_FALSE(runner.Run({}, logits));
  EXPECT_FALSE(runner.Run(input, {}));
  std::vector<double> seconds(plan.steps().size() + 1);
  EXPECT_FALSE(runner.RunTimed(input, logits, seconds));
  EXPECT_THAT(logits, testing::Each(7.0F));
  Softmax({});
}

TEST(Arguments, OfBenchmarks) {
  const Plan plan(Small(), RandomWeights(Small(), 1));
  const auto complaint = [&](const BenchmarkOptions& options) {
    return Complaint([&] { RunBenchmark(plan, options); });
  };
  for (const int batch : {1, 2}) {
    for (const int threads : {-1, 0, 257})
      EXPECT_THAT(complaint({.threads = threads, .seconds = 0.01, .batch = batch}), HasSubstr("threads is"));
  }
  for (const int batch : {-1, 0, 4097})
    EXPECT_THAT(complaint({.seconds = 0.01, .batch = batch}), HasSubstr("batch is"));
  for (const double seconds : {0.0, -1.0, 3601.0, kNan, kInfinity})
    EXPECT_THAT(complaint({.seconds = seconds}), HasSubstr("seconds is"));
  EXPECT_EQ(complaint({.threads = 2, .seconds = 0.01, .batch = 2}), "no error");
}

TEST(Arguments, OfChoosing) {
  for (const int classes : {-1, 0, kMostFitClasses + 1}) {
    EXPECT_THAT(Complaint([&] { FitGrid({.classes = classes}); }), HasSubstr("classes is"));
    EXPECT_THAT(Complaint([&] { Fit({.classes = classes}); }), HasSubstr("classes is"));
  }
  EXPECT_THAT(Complaint([] { Fit({.threads = 0}); }), HasSubstr("threads is 0"));
  EXPECT_THAT(Complaint([] { Fit({.choices = 0}); }), HasSubstr("choices is 0"));
  for (const double seconds : {0.0, kNan, 3601.0})
    EXPECT_THAT(Complaint([&] { Fit({.seconds = seconds}); }), HasSubstr("seconds is"));
  for (const double limit : {0.0, -1.0, kNan, kInfinity}) {
    EXPECT_THAT(Complaint([&] { Fit({.limits = {.latency_ms = limit}}); }),
                HasSubstr("the limit on latency"));
    EXPECT_THAT(Complaint([&] { Fit({.limits = {.memory_bytes = limit}}); }),
                HasSubstr("the limit on memory"));
  }
  for (const double alpha : {0.0, 0.24, 1.01, kNan})
    EXPECT_FALSE(ImagenetAccuracy(V1Options{.alpha = alpha})) << alpha;
  for (const int resolution : {0, 127, 225})
    EXPECT_FALSE(ImagenetAccuracy(V1Options{.resolution = resolution}));
  for (const std::string version : {"", "V1", "v9", "custom"})
    EXPECT_THAT(Complaint([&] { Fit({.versions = {version}}); }), HasSubstr("is none that there is"));
  EXPECT_THAT(Complaint([] { FitGrid({.training = static_cast<TrainingRecipe>(7)}); }),
              HasSubstr("the recipe 7 is none that there is"));
  EXPECT_EQ(LargestError({}), 0);
}

TEST(Arguments, OfModelsAndTensors) {
  const TemporaryDirectory directory;
  const Model model = {Small(), RandomWeights(Small(), 1), {}, {}, {}};
  const auto file = directory.path() / "m.safetensors";
  EXPECT_THAT(Complaint([&] { model.Save(file, Precision::kInt8); }), HasSubstr("can't be written in int8"));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_THAT(Complaint([&] { Model().Save(file); }), HasSubstr("no layers"));
  EXPECT_THAT(Complaint([&] { LoadLabels(directory.path() / "none", 3); }), HasSubstr("can't be opened"));
  EXPECT_EQ(LabelOf({}, -1), "-1");
  EXPECT_THAT(Complaint([] { Tensor::Of({2, 3}, std::vector<float>(5)); }), HasSubstr("was given 5 values"));
  EXPECT_THAT(Complaint([] { Tensor::Of({-1}, {}); }), HasSubstr("[-1]"));
  EXPECT_THAT(Complaint([] { RandomWeights(Network(), 1); }), HasSubstr("no layers"));
  EXPECT_THAT(Complaint([] { CheckWeights(Network(), {}); }), HasSubstr("no layers"));
  EXPECT_THAT(Complaint([] { PreprocessingPreset("mxnet"); }), HasSubstr("expected one of"));
}

}  // namespace
}  // namespace mobilenet
