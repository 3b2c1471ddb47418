// The options of `mobilenet train`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/network_options.h"
#include "mobilenet/training.h"

namespace mobilenet::cli {

struct TrainOptions {
  std::string data;
  std::string out;
  std::string from;
  bool offline = false;
  std::string freeze;
  std::string run;
  std::string optimizer = "sgd";
  std::string schedule;
  std::string crop = "auto";
  std::string precision = "float32";
  std::string decay = "mixing";
  std::optional<double> weight_decay;
  std::optional<double> momentum;
  std::optional<double> cache;
  NetworkArguments network;
  std::optional<Resolution> resolution;  // by default the model's to start from, or kResolution
  int output_stride = 0;                 // 0: 32, or 8 for small inputs
  std::optional<int> folds;
  std::string labels;
  bool validate_with_test = false;
  bool no_flip = false;
  bool force = false;
  bool calibrate = false;
  bool json = false;
  TrainingOptions training;
};

// Adds them to the command, each with its help. `options` lives as long as the command.
void AddTrainOptions(CLI::App& command, TrainOptions& options);

// What they say once they are parsed, with the model to start from. Throws CLI::ValidationError where one is
// out of its range or would count for nothing, and Error where the model can't be read.
TrainingOptions OptionsFrom(const TrainOptions& options, const CLI::App& command,
                            const std::filesystem::path& checkpoint);

}  // namespace mobilenet::cli
