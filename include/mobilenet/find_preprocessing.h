// Which preprocessing a model's weights were trained with, found out by labelled photos. Part of
// libmobilenet.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "mobilenet/classifier.h"

namespace mobilenet {

// One preprocessing that was tried.
struct TriedPreprocessing {
  Preprocessing preprocessing;
  int right = 0;              // photos that are answered rightly
  double log_likelihood = 0;  // of the right class, a mean over the photos, in nats: 0 is the best there is
};

struct FoundPreprocessing {
  // One that was chosen and the best of the others, by their places in `tried`. Within chance: as many other
  // photos could turn them round; their likelihoods, photo by photo, differ by less than two standard errors.
  struct Choice {
    std::size_t best = 0;
    std::size_t second = 0;
    bool within_chance = false;
  };

  // First normalisations and orders of channels, all with the same crop and filter, and then crops and
  // filters with the best of those.
  std::vector<TriedPreprocessing> tried;
  std::size_t normalisations = 0;  // how many are of the first kind
  Choice pixels;                   // among the first
  Choice resize;                   // among the second; its best is the answer
  int images = 0;                  // photos that could be read
  int failed = 0;                  // that could not

  [[nodiscard]] MOBILENET_EXPORT const Preprocessing& preprocessing() const;
};

struct FindPreprocessingOptions {
  int threads = 1;                      // photos in work at once, from 1 to 256
  std::size_t max_pixels = kMaxPixels;  // of a photo, as in DecodeOptions
};

// How far it is: photos done of all that are to be done, in both rounds; `error` tells of a photo that can't
// be read, once.
struct FindPreprocessingProgress {
  std::size_t done = 0;
  std::size_t total = 0;
  std::string error;
};

// Tries the usual normalisations, and the model's own, in both orders of channels, and then crops and
// filters. Where photos are few, their share of right answers hardly tells: the best is the one with the
// greatest likelihood among those whose share is not worse by more than chance. Of crops and filters it is
// the most usual one, 0.875 of each side and bilinear before others, that is not worse than that by more than
// chance. Takes a few dozen photos, and about 35 runs of the network for each. `progress`, which may be
// empty, is called on the calling thread. Throws Error where no photo can be read, a label is no class of the
// model, or the answers are no better than guesses whatever is tried.
MOBILENET_EXPORT FoundPreprocessing FindPreprocessing(
    const Model& model, std::span<const Sample> samples, const FindPreprocessingOptions& options = {},
    const std::function<void(const FindPreprocessingProgress&)>& progress = {});

}  // namespace mobilenet
