// Everything that training needs to go on as if it had never stopped, in one safetensors file.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "mobilenet/training.h"

namespace mobilenet {

// Where training is. Nothing random has a state: what is random follows from the seed, the epoch and the
// index.
struct TrainingState {
  std::vector<float> values;    // all weights (WeightLayout)
  std::vector<float> average;   // of them; empty without averaging
  std::vector<float> velocity;  // the optimiser's, empty where it has none
  std::vector<float> squares;
  std::int64_t step = 0;  // steps done
  int epoch = 0;          // epochs done
  // Of the epoch that is under way.
  int step_in_epoch = 0;
  double loss_sum = 0;
  std::int64_t correct = 0;
  std::int64_t seen = 0;
  double seconds = 0;
  std::vector<EpochRecord> history;
};

// What must be the same for training to go on: options by name, and fingerprints of data and of the model to
// start from.
using Identity = std::map<std::string, std::string>;

// Writes the whole file or, with an Error thrown, leaves the old one as it was.
void SaveCheckpoint(const std::filesystem::path& path, const TrainingState& state, const Identity& identity);

// Throws Error where the file is damaged, or names what differs from `identity`. `weights` is how many there
// must be.
TrainingState LoadCheckpoint(const std::filesystem::path& path, const Identity& identity,
                             std::size_t weights);

}  // namespace mobilenet
