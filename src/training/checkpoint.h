// Everything that training needs to go on as if it had never stopped, in one safetensors file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mobilenet/training.h"

namespace mobilenet {

// Where training is. Nothing random has a state: what is random follows from the seed, the epoch and the
// index.
struct TrainingState {
  std::vector<float> values;    // all weights (WeightLayout)
  std::vector<float> average;   // of them; empty without averaging
  std::vector<float> first;     // those that training began with, where they are blended in the end
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
  std::vector<std::string> changes;  // TrainingResult's
};

// Something that the weights depend on: an option, or the fingerprint of data.
struct Trait {
  std::string name;
  std::string value;
  bool fixed = true;  // training can't go on with another one; else it can, but gives other weights
};
using Identity = std::vector<Trait>;  // where two differ, the first to do so is named

// Writes the whole file or, with an Error thrown, leaves the old one as it was; also where a weight is no
// number.
void SaveCheckpoint(const std::filesystem::path& path, const TrainingState& state, const Identity& identity);

// A trait that is not the checkpoint's, and needn't be.
struct Difference {
  std::string name;
  std::string before;
  std::string now;
};
// Throws Error where a trait that is fixed differs, or where the file is damaged. Traits that `identity`
// hasn't are not looked at.
std::vector<Difference> Differences(const std::filesystem::path& path, const Identity& identity);

// The value of a trait of the checkpoint's. Throws Error where it has none.
std::string SavedTrait(const std::filesystem::path& path, const std::string& name);

// Throws Error where the file is damaged. `weights` is how many there must be.
TrainingState LoadCheckpoint(const std::filesystem::path& path, std::size_t weights);

}  // namespace mobilenet
