// Choosing a MobileNet: the most accurate one that this machine runs within given limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/cost.h"
#include "mobilenet/energy.h"
#include "mobilenet/export.h"
#include "mobilenet/network.h"

namespace mobilenet {

// Whose training an accuracy tells of. What was trained differs in how it is padded, and in V3 in a few
// widths.
enum class TrainingRecipe {
  kOriginal,  // by the papers' authors: TF-Slim's checkpoints of V1, V2 and V3, and V4's paper
  kTimm,      // timm's: longer, and with more augmentation, but of fewer networks
};

// "original", "timm".
MOBILENET_EXPORT std::string_view NameOf(TrainingRecipe training);

// ImageNet accuracy, from 0 to 1.
struct Accuracy {
  double top1 = 0;
  // True: published for just this network at this resolution. False: interpolated between those that are.
  bool published = false;
  std::string_view source;  // who published it: "TF-Slim", "the V4 paper", "timm"
};

// What is published of a network that was trained so; docs/choosing.md says where. Between TF-Slim's
// checkpoints of V1 (alpha 0.25 to 1, resolution 128 to 224) and of V2 (alpha 0.35 to 1, resolution 96 to
// 224) it is interpolated, bilinear in log alpha and log resolution. Leaving out one checkpoint and
// interpolating it between its neighbours, twice as far apart as in use, misses it by -1.8 to +0.2 percentage
// points for V1 and by -2.3 to +0.5 for V2. Nothing for any other network: there it would be a guess. The
// number of classes, batch norms and their epsilon don't matter; all else does, padding too. Throws Error for
// an option out of its range.
MOBILENET_EXPORT std::optional<Accuracy> ImagenetAccuracy(
    const Recipe& recipe, TrainingRecipe training = TrainingRecipe::kOriginal);

// What a network must stay within; a limit left out doesn't bind.
struct Limits {
  std::optional<double> latency_ms = std::nullopt;  // median of one image
  std::optional<double> size_bytes = std::nullopt;  // weights
  // Weights and feature maps together. Where it is given, plans are made for the least memory, which takes
  // more time.
  std::optional<double> memory_bytes = std::nullopt;
  std::optional<double> macs = std::nullopt;  // mult-adds of one image
  std::optional<double> energy_mj =
      std::nullopt;  // of one image, measured or estimated as the machine allows
};

// What was measured of one network.
struct Timing {
  double median_ms = 0;
  double low_ms = 0;   // a quarter of the runs were faster
  double high_ms = 0;  // a quarter were slower
  int runs = 0;
};

// One network of the grid. Batch norms are folded into the weights, as they run.
struct Candidate {
  Recipe recipe;  // as it was trained that the accuracy is of
  Precision precision = Precision::kFloat32;
  MemoryUse memory = MemoryUse::kFast;
  Accuracy accuracy;
  std::int64_t macs = 0;
  std::int64_t size_bytes = 0;    // Limits::size_bytes
  std::int64_t memory_bytes = 0;  // Limits::memory_bytes
  double predicted_ms = 0;        // by the latency model; 0 where it was not needed
  std::optional<Timing> timing;   // of those that were timed
  Energy energy;

  // The median where it was timed, otherwise what the model predicts.
  [[nodiscard]] double latency_ms() const { return timing ? timing->median_ms : predicted_ms; }
};

// A limit, by the name that Limits gives it ("latency"), and what the candidate has of it.
struct Excess {
  std::string limit;
  double value = 0;
  double allowed = 0;
};

// The limits that the candidate breaks, in the order of Limits.
MOBILENET_EXPORT std::vector<Excess> BrokenLimits(const Candidate& candidate, const Limits& limits);

// Dozens of networks are in memory at once, each with its classifier.
constexpr int kMostFitClasses = 25'000;

struct FitOptions {
  Limits limits = {};
  // Which versions to choose from, by the names of RecipeNames, or "v3" and "v4" for all of theirs; where
  // none is named, all of the family.
  std::vector<std::string> versions = {};
  TrainingRecipe training = TrainingRecipe::kOriginal;
  int classes = 1000;  // up to kMostFitClasses
  int threads = 1;
  std::size_t choices = 5;  // at most so many, and perhaps a published checkpoint more
  double seconds = 20;      // about how long to measure, all in all
  bool check = false;       // also time networks that the model didn't see, to tell how well it predicts
  // Called between measurements with the share done, rising from 0 to 1, on the caller's thread. May be
  // empty.
  std::function<void(double share)> progress = nullptr;
};

struct FitResult {
  // The best that meet the limits, each timed: the most accurate first, and each further one faster than
  // those before it. Where none of them is a published checkpoint though one was found to meet the limits,
  // the most accurate of these follows as one more. Empty where nothing meets the limits, and only then.
  std::vector<Candidate> choices;
  // The whole grid, by precision, version, alpha and resolution: what was chosen from.
  std::vector<Candidate> grid;
  // Where nothing meets the limits: the network that exceeds them by the smallest factor (timed, unless it
  // breaks a limit that needs no clock), and the limits that it breaks, at least one. These bind.
  std::optional<Candidate> nearest;
  std::vector<Excess> binding;
  // With `check`: networks that the model was not fitted to, with prediction and timing.
  std::vector<Candidate> checked;
  // How much longer the same networks took while the choices were verified than while the model learned; the
  // predictions are in the later pace. Far from 1, something else kept the machine busy.
  double pace = 1;
};

// What FitOptions::versions may name, in order: "v1", "v2", "v3", "v3-large", ...
MOBILENET_EXPORT std::vector<std::string> FitVersions();

// The networks that Fit chooses from with these options: all whose accuracy is known (ImagenetAccuracy), of
// V1 and V2 in steps of an eighth of alpha and 16 pixels, in float32 and in the 16 bits that this machine
// multiplies best: float16 where it has arithmetic of half precision, else bfloat16. The accuracy of all is
// the published one: 16 bits cost less than can be told. Nothing is timed. Throws Error for an option out of
// range, and where nothing is published of the versions.
MOBILENET_EXPORT std::vector<Candidate> FitGrid(const FitOptions& options = {});

// Times networks of random weights of all the versions in each precision, fits a latency model to their
// steps, predicts the grid, and times those that look best. Limits that need no clock are tried first. Throws
// Error as FitGrid does.
MOBILENET_EXPORT FitResult Fit(const FitOptions& options);

// The largest |predicted - measured| / measured of timed candidates; 0 where there are none.
MOBILENET_EXPORT double LargestError(const std::vector<Candidate>& candidates);

}  // namespace mobilenet
