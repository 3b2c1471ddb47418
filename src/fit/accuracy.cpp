#include "fit/accuracy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

namespace mobilenet {
namespace {

constexpr std::string_view kSlim = "TF-Slim";
constexpr std::string_view kV4Paper = "the V4 paper";
constexpr std::string_view kTimm = "timm";

// Top-1 in percent of checkpoints that make a grid, a row for each alpha.
template <std::size_t kAlphas, std::size_t kResolutions>
struct Checkpoints {
  std::array<double, kAlphas> alphas;
  std::array<int, kResolutions> resolutions;
  std::array<std::array<double, kResolutions>, kAlphas> top1;
};

// tensorflow/models, research/slim/nets/mobilenet_v1.md, "Pre-trained Models".
constexpr Checkpoints<4, 4> kV1 = {{0.25, 0.5, 0.75, 1},
                                   {128, 160, 192, 224},
                                   {{{41.5, 45.5, 47.7, 49.8},
                                     {56.3, 59.1, 61.7, 63.3},
                                     {62.1, 65.3, 67.2, 68.4},
                                     {65.2, 68.0, 70.0, 70.9}}}};

// tensorflow/models, research/slim/nets/mobilenet/README.md, "Mobilenet V2 Imagenet Checkpoints".
constexpr Checkpoints<4, 5> kV2 = {{0.35, 0.5, 0.75, 1},
                                   {96, 128, 160, 192, 224},
                                   {{{45.5, 50.8, 55.7, 58.2, 60.3},
                                     {51.2, 57.7, 61.0, 63.9, 65.4},
                                     {58.8, 63.2, 66.4, 68.7, 69.8},
                                     {60.3, 65.3, 68.8, 70.7, 71.8}}}};

// One by itself.
struct Checkpoint {
  std::string_view version;
  double alpha;
  int resolution;
  double top1;
  std::string_view source;
};

// V2 and V3: that README, the latter's "Mobilenet V3 Imagenet Checkpoints" (float) and "Minimalistic
// checkpoints". V4: Qin et al. 2024 (arXiv 2404.10518), Table 5; resolutions by its Tables 11, 12 and 14.
constexpr std::array<Checkpoint, 11> kOriginal = {{{"v2", 1.3, 224, 74.4, kSlim},
                                                   {"v2", 1.4, 224, 75.0, kSlim},
                                                   {"v3-large", 0.75, 224, 73.3, kSlim},
                                                   {"v3-large", 1, 224, 75.2, kSlim},
                                                   {"v3-small", 0.75, 224, 65.4, kSlim},
                                                   {"v3-small", 1, 224, 67.5, kSlim},
                                                   {"v3-large-minimalistic", 1, 224, 72.3, kSlim},
                                                   {"v3-small-minimalistic", 1, 224, 61.9, kSlim},
                                                   {"v4-conv-small", 1, 224, 73.8, kV4Paper},
                                                   {"v4-conv-medium", 1, 256, 79.9, kV4Paper},
                                                   {"v4-conv-large", 1, 384, 82.9, kV4Paper}}};

// huggingface/pytorch-image-models, those trained on ImageNet-1k alone, of several weights the best at a
// resolution: results/results-imagenet.csv (V2, V3-Small: *.ra_in1k, *.lamb_in1k), README.md's releases of
// June 12, 2024 (V4: e2400_r224, e500_r224, e500_r256, e600_r384), July 26 (V1: ra4_e3600_r224) and September
// (V3-Large: ra4_e3600_r224; Conv-S 0.5: e3000_r224).
constexpr std::array<Checkpoint, 21> kByTimm = {{{"v1", 1, 224, 75.382, kTimm},
                                                 {"v1", 1, 256, 76.094, kTimm},
                                                 {"v2", 0.5, 224, 65.950, kTimm},
                                                 {"v2", 1, 224, 72.976, kTimm},
                                                 {"v2", 1.4, 224, 76.520, kTimm},
                                                 {"v3-large", 1, 224, 76.31, kTimm},
                                                 {"v3-large", 1, 256, 77.16, kTimm},
                                                 {"v3-small", 0.5, 224, 57.910, kTimm},
                                                 {"v3-small", 0.75, 224, 65.234, kTimm},
                                                 {"v3-small", 1, 224, 67.656, kTimm},
                                                 {"v4-conv-small", 0.5, 224, 64.76, kTimm},
                                                 {"v4-conv-small", 0.5, 256, 65.81, kTimm},
                                                 {"v4-conv-small", 1, 224, 73.756, kTimm},
                                                 {"v4-conv-small", 1, 256, 74.616, kTimm},
                                                 {"v4-conv-medium", 1, 224, 79.094, kTimm},
                                                 {"v4-conv-medium", 1, 256, 79.928, kTimm},
                                                 {"v4-conv-medium", 1, 320, 80.858, kTimm},
                                                 {"v4-conv-large", 1, 256, 81.862, kTimm},
                                                 {"v4-conv-large", 1, 320, 82.674, kTimm},
                                                 {"v4-conv-large", 1, 384, 82.952, kTimm},
                                                 {"v4-conv-large", 1, 448, 83.392, kTimm}}};

std::span<const Checkpoint> CheckpointsOf(TrainingRecipe training) {
  switch (training) {
    case TrainingRecipe::kOriginal:
      return kOriginal;
    case TrainingRecipe::kTimm:
      return kByTimm;
  }
  return {};
}

struct Place {
  std::size_t index;  // of the knot at or below
  double share;       // of the way to the next knot, in logarithms
};

template <typename T, std::size_t kKnots>
std::optional<Place> Locate(const std::array<T, kKnots>& knots, T value) {
  if (!(value >= knots.front() && value <= knots.back())) return std::nullopt;
  std::size_t i = 0;
  while (i + 2 < knots.size() && value >= knots[i + 1]) ++i;
  const double below = knots[i];
  const double above = knots[i + 1];
  return Place{i, std::log(static_cast<double>(value) / below) / std::log(above / below)};
}

template <std::size_t kAlphas, std::size_t kResolutions>
std::optional<Accuracy> Between(const Checkpoints<kAlphas, kResolutions>& checkpoints, double alpha,
                                int resolution) {
  const auto a = Locate(checkpoints.alphas, alpha);
  const auto r = Locate(checkpoints.resolutions, resolution);
  if (!a || !r) return std::nullopt;
  const auto along = [&](std::size_t row) {
    const auto& top1 = checkpoints.top1[row];
    return std::lerp(top1[r->index], top1[r->index + 1], r->share);
  };
  const auto is_knot = [](const Place& place) { return place.share == 0 || place.share == 1; };
  return Accuracy{std::lerp(along(a->index), along(a->index + 1), a->share) / 100, is_knot(*a) && is_knot(*r),
                  kSlim};
}

std::optional<Accuracy> AccuracyOf(std::string_view version, double alpha, int resolution,
                                   TrainingRecipe training) {
  for (const Checkpoint& c : CheckpointsOf(training)) {
    if (c.version == version && c.alpha == alpha && c.resolution == resolution)
      return Accuracy{c.top1 / 100, true, c.source};
  }
  if (training != TrainingRecipe::kOriginal) return std::nullopt;
  if (version == "v1") return Between(kV1, alpha, resolution);
  if (version == "v2") return Between(kV2, alpha, resolution);
  return std::nullopt;
}

// The same layers, whatever their recipes say.
bool IsNetwork(const Recipe& recipe, Recipe trained) {
  std::visit(
      [&](auto& options) {
        const auto& given = std::get<std::remove_cvref_t<decltype(options)>>(recipe);
        options.classes = given.classes;
        options.batch_norm = given.batch_norm;
        options.epsilon = given.epsilon;
      },
      trained);
  const Network network = Build(recipe);
  const Network other = Build(trained);
  return network.layers == other.layers && network.input == other.input;
}

}  // namespace

std::string_view NameOf(TrainingRecipe training) {
  switch (training) {
    case TrainingRecipe::kOriginal:
      return "original";
    case TrainingRecipe::kTimm:
      return "timm";
  }
  return "";
}

// TensorFlow's padding and epsilon are those of V4's authors, too: tensorflow/models,
// official/vision/modeling/backbones/mobilenet.py, Conv2DBNBlock.
Recipe TrainedRecipe(std::string_view version, double alpha, int resolution, TrainingRecipe training) {
  const bool timm = training == TrainingRecipe::kTimm;
  Recipe recipe = *RecipeNamed(version);
  std::visit(
      [&](auto& options) {
        options.alpha = alpha;
        options.resolution = resolution;
        options.padding = timm ? PaddingStyle::kSymmetric : PaddingStyle::kSame;
        options.epsilon = timm ? 1e-5F : 1e-3F;
        if constexpr (requires { options.widths; }) options.widths = timm ? V3Widths::kTimm : V3Widths::kSlim;
      },
      recipe);
  return recipe;
}

std::vector<Recipe> SingleNetworks(TrainingRecipe training) {
  std::vector<Recipe> networks;
  for (const Checkpoint& c : CheckpointsOf(training))
    networks.push_back(TrainedRecipe(c.version, c.alpha, c.resolution, training));
  return networks;
}

std::optional<Accuracy> ImagenetAccuracy(const Recipe& recipe, TrainingRecipe training) {
  const auto [alpha, resolution] = std::visit(
      [](const auto& options) { return std::pair(options.alpha, options.resolution.height); }, recipe);
  const auto accuracy = AccuracyOf(NameOf(recipe), alpha, resolution, training);
  if (!accuracy || !IsNetwork(recipe, TrainedRecipe(NameOf(recipe), alpha, resolution, training)))
    return std::nullopt;
  return accuracy;
}

}  // namespace mobilenet
