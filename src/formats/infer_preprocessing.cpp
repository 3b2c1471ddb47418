#include "formats/infer_preprocessing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string_view>

#include "base/fail.h"
#include "formats/fold_graph.h"
#include "formats/pixel_statistics.h"

namespace mobilenet {
namespace {

constexpr std::array<const char*, 5> kPresets = {"tensorflow", "unit", "pytorch", "caffe", "raw"};
using Shares = std::array<double, kPresets.size()>;

// How often each is what files of a kind were trained on. By judgement: nobody has counted. Published weights
// of Keras and TF-Slim are all x / 127.5 - 1; what people train on their own data begins with those, or with
// a tutorial's x / 255, or with nothing; PyTorch's users follow torchvision.
constexpr Shares kPublished = {0.94, 0.02, 0.02, 0.01, 0.01};
constexpr Shares kOwnClasses = {0.50, 0.32, 0.04, 0.03, 0.11};
constexpr Shares kCustom = {0.35, 0.40, 0.08, 0.05, 0.12};
constexpr Shares kAnyFormat = {0.30, 0.20, 0.40, 0.04, 0.06};
constexpr double kUsual = 0.92;  // of what nearly all files of a kind have

Shares PriorOf(const Graph& graph, const Network& network) {
  if (graph.preprocessing) {
    Shares shares;
    const std::string_view usual = PresetName(*graph.preprocessing);
    for (std::size_t i = 0; i < shares.size(); ++i)
      shares[i] = kPresets[i] == usual ? kUsual : (1 - kUsual) / (kPresets.size() - 1);
    return shares;
  }
  const bool keras = graph.format.starts_with("Keras") || graph.format.starts_with("TensorFlow");
  if (!keras) return kAnyFormat;
  if (!network.recipe) return kCustom;
  const int classes = network.output().channels;
  return classes == 1000 || classes == 1001 ? kPublished : kOwnClasses;
}

// What pictures people train on are like: the mean of their pixels, from 0 to 255, and their deviation.
// Photos lie close together: those behind five networks had means of 82 to 115 and deviations of 64 to 72;
// objects on white had 206 and 73. The last stands for what nobody thought of, and keeps probabilities
// from 1.
struct PictureKind {
  double share;
  double mean, mean_spread;
  double deviation, log_deviation_spread;
};
constexpr std::array<PictureKind, 3> kKinds = {
    {{0.80, 115, 20, 68, 0.15}, {0.18, 128, 60, 65, 0.30}, {0.02, 128, 120, 60, 1.0}}};

double Normal(double x, double mean, double spread) {
  const double z = (x - mean) / spread;
  return std::exp(-z * z / 2) / (spread * std::sqrt(2 * std::numbers::pi));
}

// Statistics in units of 0 to 255.
struct Pixels {
  double mean, mean_error;
  std::optional<double> log_deviation;
  double log_deviation_error;
};

Pixels Undone(const PixelStatistics& s, double mean, double scale) {
  Pixels pixels = {s.mean / scale + mean, s.mean_error / scale, s.log_deviation, s.log_deviation_error};
  if (pixels.log_deviation) *pixels.log_deviation -= std::log(scale);
  return pixels;
}

// Pixels lie in 0 to 255, so that their mean does, and their deviation is at most sqrt(mean (255 - mean)):
// from 1 for what is possible to 0 for what no error of measurement explains.
double Possible(const Pixels& p) {
  constexpr double kLeastError = 5;
  const double inside = std::clamp(p.mean, kLeastError, 255 - kLeastError);
  const double outside = std::max({0.0, -p.mean, p.mean - 255}) / std::hypot(p.mean_error, kLeastError);
  double excess = 0;
  if (p.log_deviation)
    excess = std::max(0.0, *p.log_deviation - std::log(inside * (255 - inside)) / 2) / p.log_deviation_error;
  return std::exp(-(outside * outside + excess * excess) / 2);
}

// The density of what was found in the network's units where they are those of a preset.
double Likelihood(const PixelStatistics& found, const Preprocessing& p) {
  const double scale = (double{p.scale[0]} + p.scale[1] + p.scale[2]) / 3;
  const Pixels pixels = Undone(found, (double{p.mean[0]} + p.mean[1] + p.mean[2]) / 3, scale);
  double density = 0;
  for (const PictureKind& kind : kKinds) {
    double part =
        kind.share * Normal(pixels.mean, kind.mean, std::hypot(kind.mean_spread, pixels.mean_error));
    if (pixels.log_deviation)
      part *= Normal(*pixels.log_deviation, std::log(kind.deviation),
                     std::hypot(kind.log_deviation_spread, pixels.log_deviation_error));
    density += part;
  }
  return density * Possible(pixels) / scale;
}

Shares Posterior(Shares shares, const std::optional<PixelStatistics>& found) {
  const Shares prior = shares;
  double sum = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (found) shares[i] *= Likelihood(*found, PreprocessingPreset(kPresets[i]));
    sum += shares[i];
  }
  if (!(sum > 0) || !std::isfinite(sum)) return prior;  // nothing that anybody would have trained on
  for (double& share : shares) share /= sum;
  return shares;
}

// Whole percent, rounded down, and never 100.
int Percent(double probability) { return static_cast<int>(std::clamp(100 * probability + 1e-6, 0.0, 99.0)); }

std::string EvidenceText(const std::optional<PixelStatistics>& found, bool norm) {
  if (!found) return "the first layer doesn't tell";
  if (!found->log_deviation)
    return Concat(norm ? "the first batch norm" : "the first layer's bias",
                  " tells of pixels with a mean of ", found->mean, ", give or take ", found->mean_error);
  return Concat("the first batch norm tells of pixels with a mean of ", found->mean, " and a deviation of ",
                std::exp(*found->log_deviation));
}

constexpr std::string_view kGuessed = "guessed, ";

}  // namespace

PreprocessingGuess GuessPreprocessing(const Graph& graph, const FoldedGraph& folded, const Network& network) {
  std::optional<PixelStatistics> found;
  if (folded.first != nullptr) found = StatisticsOf(*folded.first, folded.first_norm);
  const Shares shares = Posterior(PriorOf(graph, network), found);
  std::array<std::size_t, kPresets.size()> order = {0, 1, 2, 3, 4};
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t i) { return shares[i]; });
  PreprocessingGuess guess;
  guess.preprocessing = PreprocessingPreset(kPresets[order[0]]);
  if (graph.preprocessing) {  // which may crop and resize in another way, whatever the pixels
    guess.preprocessing.crop = graph.preprocessing->crop;
    guess.preprocessing.shape = graph.preprocessing->shape;
    guess.preprocessing.filter = graph.preprocessing->filter;
  }
  guess.probability = shares[order[0]];
  guess.evidence = EvidenceText(found, folded.first_norm != nullptr);
  if (Percent(shares[order[1]]) > 0)
    guess.evidence += Concat("; next: ", kPresets[order[1]], ", ", Percent(shares[order[1]]), " %");
  return guess;
}

std::string NoteOf(const PreprocessingGuess& guess) {
  return Concat(kGuessed, Percent(guess.probability), " %: ", guess.evidence);
}

std::optional<double> Model::PreprocessingProbability() const {
  const auto note = provenance.find("preprocessing");
  if (note == provenance.end() || !note->second.starts_with(kGuessed)) return std::nullopt;
  const char* begin = note->second.data() + kGuessed.size();
  int percent = 0;
  const auto [end, error] = std::from_chars(begin, note->second.data() + note->second.size(), percent);
  if (error != std::errc() || percent < 0 || percent > 100) return std::nullopt;
  return percent / 100.0;
}

}  // namespace mobilenet
