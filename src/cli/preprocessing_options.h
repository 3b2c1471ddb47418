// How photos become a network's input, on the command line.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "cli/command.h"

namespace mobilenet::cli {

struct PreprocessingArguments {
  std::string preset;
  // As they were given, and what they mean.
  std::string mean_text;
  std::string scale_text;
  std::optional<std::array<float, 3>> mean;
  std::optional<std::array<float, 3>> scale;
  std::optional<ChannelOrder> order;
  std::optional<double> crop;
  std::optional<CropShape> shape;
  std::optional<ResizeFilter> filter;
};

// --preprocess, --mean, --scale, --order, --crop, --shape and --filter.
void AddPreprocessing(CLI::App& command, PreprocessingArguments& arguments);

// Puts what was given into the model, in place of what it has, and notes it in its provenance. Throws Error
// for numbers that nothing can be preprocessed with.
void SetPreprocessing(const PreprocessingArguments& arguments, Model& model);

// "tensorflow", or "tensorflow, filter nearest, crop 1 of each side" where these are not the preset's.
std::string SummaryOf(const Preprocessing& preprocessing);
// The fields of a preprocessing, with its preset's name.
nlohmann::ordered_json PreprocessingJson(const Preprocessing& preprocessing);
// "0.875 of each side, bilinear"
std::string CropText(const Preprocessing& preprocessing);

}  // namespace mobilenet::cli
