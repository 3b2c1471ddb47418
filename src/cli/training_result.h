// What `mobilenet train` tells of a training that is done.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "mobilenet/classifier.h"
#include "mobilenet/training.h"

namespace mobilenet::cli {

nlohmann::ordered_json JsonOf(const TrainingResult& result, const std::optional<Calibration>& calibration,
                              const std::filesystem::path& out, const std::filesystem::path& run);

// For people: what was reached, what was kept of it, which classes are worst, and what was written.
void PrintResult(const TrainingResult& result, const std::optional<Calibration>& calibration,
                 const std::filesystem::path& out);

// Calibrates the model on the pictures that it was validated with, and takes its answers again; says why
// where that can't be.
std::optional<Calibration> CalibrateResult(TrainingResult& result, const FilesOptions& files);

}  // namespace mobilenet::cli
