#include "cli/training_result.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/training_display.h"
#include "report/answers.h"
#include "report/text.h"

namespace mobilenet::cli {
nlohmann::ordered_json JsonOf(const TrainingResult& result, const std::optional<Calibration>& calibration,
                              const std::filesystem::path& out, const std::filesystem::path& run) {
  const EpochRecord& last = result.epochs.back();
  nlohmann::ordered_json blends = nlohmann::ordered_json::array();
  for (const TrainingBlend& blend : result.blends) {
    blends.push_back({{"share", blend.share},
                      {"validation_loss", blend.validation_loss},
                      {"validation_top1", blend.validation_accuracy}});
  }
  nlohmann::ordered_json json = {{"model", out.string()},
                                 {"run", run.string()},
                                 {"epochs", result.epochs.size()},
                                 {"training_pictures", result.training.size()},
                                 {"validation_pictures", result.validation.size()},
                                 {"unreadable", result.unreadable},
                                 {"training_loss", last.training_loss},
                                 {"training_top1", last.training_accuracy},
                                 {"validation_loss", result.validation_loss},
                                 {"validation_top1", result.validation_accuracy},
                                 {"share_of_tuning", result.share},
                                 {"blends", std::move(blends)},
                                 {"balanced_accuracy", BalancedAccuracy(ClassesOf(result))},
                                 {"calibration_error", ReliabilityOf(result).Error()},
                                 {"seconds", last.seconds}};
  if (calibration) {
    json["temperature"] = calibration->temperature;
    json["calibrated_loss"] = calibration->loss_after;
  }
  return json;
}

void PrintResult(const TrainingResult& result, const std::optional<Calibration>& calibration,
                 const std::filesystem::path& out) {
  fmt::print("top-1 {} on {} after {}\n{}", Percent(result.validation_accuracy),
             Counted(result.validation.size(), "validation picture"), Duration(result.epochs.back().seconds),
             KeptText(result));
  if (const std::string worst = WorstText(ClassesOf(result), result.model); !worst.empty())
    fmt::print("{}\n", Printable(worst));
  if (calibration) fmt::print("{}\n", CalibrationText(*calibration));
  fmt::print("{}: {}, {}\n", Printable(out.string()), TitleOf(result.model.network),
             Bytes(static_cast<double>(std::filesystem::file_size(out))));
}

std::optional<Calibration> CalibrateResult(TrainingResult& result, const FilesOptions& files) {
  try {
    Calibration found = Calibrate(result.model, result.validation, files);
    found.model.provenance["calibrated"] = CalibrationNote(found);
    std::vector<ValidationAnswer> answers(result.answers.size());
    Evaluate(found.model, result.validation, files, [&](const FileResult& file) {
      if (!file.error.empty()) throw Error(file.error);  // it is gone since it was validated with
      answers[file.index] = {file.predictions.front().index, file.predictions.front().probability};
    });
    result.model = found.model;
    result.answers = std::move(answers);
    return found;
  } catch (const Error& error) {
    PrintError(fmt::format("the model is not calibrated: {}", error.what()));
    return std::nullopt;
  }
}

}  // namespace mobilenet::cli
