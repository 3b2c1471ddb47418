// The pictures of `mobilenet train`: finding them, telling what was found, and testing with those that are
// for that.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/train_options.h"
#include "mobilenet/training.h"
#include "report/training_run.h"

namespace mobilenet::cli {

// Finds them, prints in a line what was taken for what, unless it is to be `quiet`, and warns of what was
// guessed or left out. Throws Error where the run's files or the model would lie among them.
TrainingData FindData(const TrainOptions& options, const CLI::App& command, const RunFiles& run);

// The accuracy on the pictures to test with; of no images where there are none, or none could be read. Those
// that can't be are named, and what goes wrong is only told: the network is trained.
Evaluation Test(const Model& model, const TrainingData& data, const FilesOptions& files);

// "91.20 % of 100 pictures".
std::string TextOf(const Evaluation& tested);

// Adds what is known of the pictures to the JSON of a training. `found` is what Examine told.
void AddPictures(const TrainingData& data, const std::vector<std::string>& found, const Evaluation& tested,
                 nlohmann::ordered_json& json);

}  // namespace mobilenet::cli
