// Published accuracies, and what lies between them.
#include "fit/accuracy.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "mobilenet/fit.h"

namespace mobilenet {
namespace {

// Of the network as it was trained.
std::optional<Accuracy> AccuracyOf(std::string_view version, double alpha, int resolution,
                                   TrainingRecipe training = TrainingRecipe::kOriginal) {
  return ImagenetAccuracy(TrainedRecipe(version, alpha, resolution, training), training);
}

TEST(Accuracy, IsThePublishedOneAtTheCheckpoints) {
  for (const auto& [version, alpha, resolution, top1, source] :
       {std::tuple("v1", 1.0, 224, 0.709, "TF-Slim"), std::tuple("v1", 1.0, 128, 0.652, "TF-Slim"),
        std::tuple("v1", 0.75, 192, 0.672, "TF-Slim"), std::tuple("v1", 0.25, 224, 0.498, "TF-Slim"),
        std::tuple("v2", 1.4, 224, 0.750, "TF-Slim"), std::tuple("v2", 1.3, 224, 0.744, "TF-Slim"),
        std::tuple("v2", 1.0, 224, 0.718, "TF-Slim"), std::tuple("v2", 0.75, 160, 0.664, "TF-Slim"),
        std::tuple("v2", 0.5, 128, 0.577, "TF-Slim"), std::tuple("v2", 0.35, 96, 0.455, "TF-Slim"),
        std::tuple("v3-large", 1.0, 224, 0.752, "TF-Slim"),
        std::tuple("v3-small", 0.75, 224, 0.654, "TF-Slim"),
        std::tuple("v3-large-minimalistic", 1.0, 224, 0.723, "TF-Slim"),
        std::tuple("v3-small-minimalistic", 1.0, 224, 0.619, "TF-Slim"),
        std::tuple("v4-conv-small", 1.0, 224, 0.738, "the V4 paper"),
        std::tuple("v4-conv-medium", 1.0, 256, 0.799, "the V4 paper"),
        std::tuple("v4-conv-large", 1.0, 384, 0.829, "the V4 paper")}) {
    const auto accuracy = AccuracyOf(version, alpha, resolution);
    ASSERT_TRUE(accuracy) << version << " " << alpha << " " << resolution;
    EXPECT_NEAR(accuracy->top1, top1, 1e-9) << version << " " << alpha << " " << resolution;
    EXPECT_TRUE(accuracy->published);
    EXPECT_EQ(accuracy->source, source);
  }
}

TEST(Accuracy, OfTimmIsOnlyWhatItPublishes) {
  constexpr auto kTimm = TrainingRecipe::kTimm;
  EXPECT_NEAR(AccuracyOf("v1", 1, 224, kTimm)->top1, 0.75382, 1e-9);
  EXPECT_NEAR(AccuracyOf("v2", 1, 224, kTimm)->top1, 0.72976, 1e-9);
  EXPECT_NEAR(AccuracyOf("v3-large", 1, 256, kTimm)->top1, 0.7716, 1e-9);
  EXPECT_NEAR(AccuracyOf("v4-conv-large", 1, 448, kTimm)->top1, 0.83392, 1e-9);
  EXPECT_EQ(AccuracyOf("v4-conv-small", 0.5, 224, kTimm)->source, "timm");
  EXPECT_FALSE(AccuracyOf("v1", 0.75, 224, kTimm));
  EXPECT_FALSE(AccuracyOf("v2", 1, 192, kTimm));
  EXPECT_FALSE(AccuracyOf("v3-large-minimalistic", 1, 224, kTimm));
}

TEST(Accuracy, RisesBetweenThemAndSaysSo) {
  for (const auto& [version, lowest] : {std::pair("v1", 0.26), std::pair("v2", 0.36)}) {
    double before = 0;
    for (double alpha = lowest; alpha < 1; alpha += 0.02) {
      const auto accuracy = AccuracyOf(version, alpha, 200);
      EXPECT_GT(accuracy->top1, before);
      EXPECT_FALSE(accuracy->published);
      before = accuracy->top1;
    }
    EXPECT_FALSE(AccuracyOf(version, 1, 200)->published);
    EXPECT_FALSE(AccuracyOf(version, 0.6, 224)->published);
  }
  // Half way in logarithms: sqrt(0.25 * 0.5).
  EXPECT_NEAR(AccuracyOf("v1", std::sqrt(0.125), 224)->top1, (0.498 + 0.633) / 2, 1e-9);
}

TEST(Accuracy, DoesNotGuessOutside) {
  for (const auto& [version, alpha, resolution] :
       {std::tuple("v1", 0.2, 224), std::tuple("v1", 1.01, 224), std::tuple("v1", 0.5, 127),
        std::tuple("v1", 0.5, 225), std::tuple("v1", std::nan(""), 224), std::tuple("v2", 0.34, 224),
        std::tuple("v2", 1.2, 224), std::tuple("v2", 1.4, 192), std::tuple("v2", 0.5, 95),
        std::tuple("v3-large", 0.9, 224), std::tuple("v3-large", 1.0, 192),
        std::tuple("v4-conv-small", 1.0, 256)}) {
    EXPECT_FALSE(AccuracyOf(version, alpha, resolution)) << version << " " << alpha << " " << resolution;
  }
}

// What was trained is a network of just these layers.
TEST(Accuracy, IsOfTheNetworkThatWasTrained) {
  EXPECT_TRUE(ImagenetAccuracy(V1Options{.classes = 10, .epsilon = 1e-5F}));
  EXPECT_FALSE(ImagenetAccuracy(V1Options{.separable = false}));
  EXPECT_FALSE(ImagenetAccuracy(V1Options{.output_stride = 16}));
  EXPECT_FALSE(ImagenetAccuracy(V1Options{.resolution = {224, 192}}));
  EXPECT_FALSE(ImagenetAccuracy(V1Options{.padding = PaddingStyle::kSymmetric}));
  EXPECT_TRUE(ImagenetAccuracy(V1Options{.padding = PaddingStyle::kSymmetric}, TrainingRecipe::kTimm));
  // At alpha 1 all widths are the same, at 0.5 timm's are its own.
  const V3Options small{.variant = V3Variant::kSmall, .padding = PaddingStyle::kSymmetric};
  EXPECT_TRUE(ImagenetAccuracy(small, TrainingRecipe::kTimm));
  V3Options half = small;
  half.alpha = 0.5;
  EXPECT_FALSE(ImagenetAccuracy(half, TrainingRecipe::kTimm));
  half.widths = V3Widths::kTimm;
  EXPECT_TRUE(ImagenetAccuracy(half, TrainingRecipe::kTimm));
}

// By how much the accuracies of `version` at these knots are missed between their neighbours' along one axis:
// the least and the most, in percentage points.
std::pair<double, double> LeavingOneOut(std::string_view version, const std::vector<double>& alphas,
                                        const std::vector<double>& resolutions) {
  std::vector<double> errors;
  const auto top1 = [&](double alpha, double resolution) {
    return 100 * AccuracyOf(version, alpha, static_cast<int>(resolution))->top1;
  };
  const auto leave_out = [&](const std::vector<double>& knots, auto&& at) {
    for (std::size_t i = 1; i + 1 < knots.size(); ++i) {
      const double share = std::log(knots[i] / knots[i - 1]) / std::log(knots[i + 1] / knots[i - 1]);
      errors.push_back(std::lerp(at(knots[i - 1]), at(knots[i + 1]), share) - at(knots[i]));
    }
  };
  for (const double alpha : alphas) leave_out(resolutions, [&](double r) { return top1(alpha, r); });
  for (const double side : resolutions) leave_out(alphas, [&](double a) { return top1(a, side); });
  const auto [least, most] = std::ranges::minmax(errors);
  return {least, most};
}

TEST(Accuracy, IsInterpolatedAsWellAsIsSaid) {
  const auto [v1_least, v1_most] = LeavingOneOut("v1", {0.25, 0.5, 0.75, 1}, {128, 160, 192, 224});
  EXPECT_NEAR(v1_least, -1.8, 0.05);
  EXPECT_NEAR(v1_most, 0.2, 0.05);
  const auto [v2_least, v2_most] = LeavingOneOut("v2", {0.35, 0.5, 0.75, 1}, {96, 128, 160, 192, 224});
  EXPECT_NEAR(v2_least, -2.3, 0.05);
  EXPECT_NEAR(v2_most, 0.5, 0.05);
}

}  // namespace
}  // namespace mobilenet
