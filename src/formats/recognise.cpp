#include "formats/recognise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/enum_names.h"
#include "mobilenet/error.h"

namespace mobilenet {
namespace {

bool SameButNames(const Layer& a, Layer b) {
  b.name = a.name;
  return a == b;
}

bool Builds(const Recipe& recipe, const Network& network) {
  try {
    const Network built = Build(recipe);
    return built.input == network.input && std::ranges::equal(built.layers, network.layers, SameButNames);
  } catch (const Error&) {  // an option out of its range
    return false;
  }
}

// What recipes have in common, as the first layer and the last tell it.
template <typename Options>
Options CommonOptions(const Network& network) {
  const Layer& first = network.layers.front();
  Options o;
  o.resolution = {network.input.height, network.input.width};
  o.classes = network.classes();
  o.input_channels = network.input.channels;
  if constexpr (requires { o.activation; }) o.activation = first.activation;
  o.batch_norm = first.batch_norm;
  o.epsilon = first.epsilon;
  return o;
}

// The first of the paddings and output strides with which the options build the network.
template <typename Options>
std::optional<Recipe> Completed(Options options, PaddingStyle padding, const Network& network) {
  std::vector<PaddingStyle> styles = AllOf<PaddingStyle>();
  // The function of ranges that does this has a result that Clang 14 doesn't compile.
  std::stable_partition(styles.begin(), styles.end(), [padding](PaddingStyle s) { return s == padding; });
  for (const PaddingStyle style : styles) {
    for (const int output_stride : {32, 16, 8, 4}) {
      options.padding = style;
      options.output_stride = output_stride;
      if (Builds(options, network)) return options;
    }
  }
  return std::nullopt;
}

// int(alpha * 1024) is the number of channels at V1's end, so alpha lies in an interval of 1/1024: a round
// number in it is what its maker meant.
std::vector<double> AlphasOfV1(const Network& network) {
  constexpr int kLastChannels = 1024;
  const int channels = network.layers.back().input.channels;
  const double low = double{1} * channels / kLastChannels;
  std::vector<double> alphas;
  for (const double parts_of_one : {4, 20, 100, 1000, 1024}) {
    const double alpha = std::ceil(low * parts_of_one) / parts_of_one;
    if (alpha <= 1 && V1Channels(alpha, kLastChannels) == channels) alphas.push_back(alpha);
  }
  return alphas;
}

// Widths are rounded to multiples of 8, so that several alphas may explain them: those that have been
// published first, then the roundest.
template <typename Explains>
std::vector<double> RoundAlphas(const Explains& explains) {
  std::vector<double> alphas;
  for (const double published : {1.0, 0.75, 0.5, 0.25, 0.35, 1.25, 1.3, 1.4}) {
    if (explains(published)) alphas.push_back(published);
  }
  for (const int parts_of_one : {20, 100}) {
    for (int part = parts_of_one / 10; part <= parts_of_one * 14 / 10; ++part) {
      const double alpha = double{1} * part / parts_of_one;
      if (explains(alpha)) alphas.push_back(alpha);
    }
  }
  return alphas;
}

std::vector<double> AlphasOfV2(const Network& network) {
  constexpr int kFirstChannels = 32;
  constexpr int kLastChannels = 1280;
  const int first = network.layers.front().output.channels;
  const int last = network.layers.back().input.channels;
  return RoundAlphas([=](double alpha) {
    return V2Channels(alpha, kFirstChannels) == first &&
           V2Channels(std::max(1.0, alpha), kLastChannels) == last;
  });
}

// By the average's channels: those before and behind it are not widened with alpha as the others are.
std::vector<double> AlphasOfV4(const Network& network) {
  constexpr int kSecondLastChannels = 960;
  const auto average = std::ranges::find(network.layers, LayerKind::kGlobalAveragePool, &Layer::kind);
  if (average == network.layers.end()) return {};
  const int channels = average->input.channels;
  return RoundAlphas([=](double alpha) { return V2Channels(alpha, kSecondLastChannels) == channels; });
}

std::optional<Recipe> FindV1(const Network& network, PaddingStyle padding) {
  const auto has = [&](LayerKind kind) { return std::ranges::count(network.layers, kind, &Layer::kind) > 0; };
  auto v1 = CommonOptions<V1Options>(network);
  v1.separable = has(LayerKind::kDepthwise);
  // 13 blocks of one or two layers, or 8 where it is shallow, before them one layer and behind them two.
  v1.shallow = network.layers.size() <= (v1.separable ? 19 : 11);
  for (const double alpha : AlphasOfV1(network)) {
    v1.alpha = alpha;
    if (auto recipe = Completed(v1, padding, network)) return recipe;
  }
  return std::nullopt;
}

std::optional<Recipe> FindV2(const Network& network, PaddingStyle padding) {
  auto v2 = CommonOptions<V2Options>(network);
  for (const double alpha : AlphasOfV2(network)) {
    v2.alpha = alpha;
    if (auto recipe = Completed(v2, padding, network)) return recipe;
  }
  return std::nullopt;
}

// Of the depthwise layers, which are the same under every alpha and stride: skips are not.
std::vector<std::pair<int, Activation>> DepthwiseOf(const Network& network) {
  std::vector<std::pair<int, Activation>> layers;
  for (const Layer& layer : network.layers) {
    if (layer.kind == LayerKind::kDepthwise) layers.emplace_back(layer.kernel, layer.activation);
  }
  return layers;
}

std::optional<V3Variant> VariantOfV3(const Network& network) {
  const auto depthwise = DepthwiseOf(network);
  for (const V3Variant variant : AllOf<V3Variant>()) {
    if (DepthwiseOf(V3({.variant = variant})) == depthwise) return variant;
  }
  return std::nullopt;
}

// By the channels that are averaged at the end: six times those of the last block, rounded there or here.
std::vector<double> AlphasOfV3(const Network& network) {
  const auto average = std::ranges::find(network.layers.rbegin(), network.layers.rend(),
                                         LayerKind::kGlobalAveragePool, &Layer::kind);
  if (average == network.layers.rend()) return {};
  const int channels = average->input.channels;
  return RoundAlphas([=](double alpha) {
    return std::ranges::any_of(std::array{160, 96}, [=](int last) {
      return V2Channels(alpha, 6 * last) == channels || 6 * V2Channels(alpha, last) == channels;
    });
  });
}

std::optional<Recipe> FindV3(const Network& network, PaddingStyle padding) {
  const std::optional<V3Variant> variant = VariantOfV3(network);
  if (!variant) return std::nullopt;
  auto v3 = CommonOptions<V3Options>(network);
  v3.variant = *variant;
  for (const double alpha : AlphasOfV3(network)) {
    for (const V3Widths widths : AllOf<V3Widths>()) {
      v3.alpha = alpha;
      v3.widths = widths;
      if (auto recipe = Completed(v3, padding, network)) return recipe;
    }
  }
  return std::nullopt;
}

std::optional<Recipe> FindV4(const Network& network, PaddingStyle padding) {
  auto v4 = CommonOptions<V4Options>(network);
  for (const double alpha : AlphasOfV4(network)) {
    for (const V4Variant variant : AllOf<V4Variant>()) {
      v4.alpha = alpha;
      v4.variant = variant;
      if (auto recipe = Completed(v4, padding, network)) return recipe;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Recipe> FindRecipe(const Network& network, PaddingStyle padding, bool any_size) {
  if (auto v1 = FindV1(network, padding)) return v1;
  const PaddingStyle of_v2 = padding == PaddingStyle::kKeras && !any_size ? PaddingStyle::kSame : padding;
  if (auto v2 = FindV2(network, of_v2)) return v2;
  if (auto v3 = FindV3(network, of_v2)) return v3;
  return FindV4(network, padding);
}

}  // namespace mobilenet
