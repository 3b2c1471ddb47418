#include "report/training_run.h"

#include <fmt/format.h>

#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "report/training_page.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

std::string CsvOf(const std::vector<EpochRecord>& epochs) {
  std::string text =
      "epoch,learning_rate,training_loss,training_top1,validation_loss,validation_top1,seconds\n";
  for (const EpochRecord& e : epochs) {
    text += fmt::format("{},{:.6g},{:.6f},{:.6f},{:.6f},{:.6f},{:.1f}\n", e.epoch, e.learning_rate,
                        e.training_loss, e.training_accuracy, e.validation_loss, e.validation_accuracy,
                        e.seconds);
  }
  return text;
}

}  // namespace

TrainingRun::TrainingRun(fs::path folder, std::string command, bool resumed)
    : folder_(std::move(folder)), command_(std::move(command)), events_(folder_) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) Fail(folder_.string(), ": can't be made: ", error.message());
  CheckWritable(folder_ / "metrics.csv");
  if (!resumed) EventFile::Clear(folder_);
}

void TrainingRun::Epochs(const std::vector<EpochRecord>& epochs) {
  WriteFileWhole(folder_ / "metrics.csv", CsvOf(epochs));
  const EpochRecord& last = epochs.back();
  if (std::exchange(last_epoch_, last.epoch) == 0 && epochs.size() > 1) return;  // resumed: it has its events
  const auto value = [](double v) { return static_cast<float>(v); };
  events_.Add(last.epoch, {{"loss/training", value(last.training_loss)},
                           {"loss/validation", value(last.validation_loss)},
                           {"top-1/training", value(last.training_accuracy)},
                           {"top-1/validation", value(last.validation_accuracy)},
                           {"learning rate", value(last.learning_rate)}});
}

void TrainingRun::Finish(const TrainingResult& result) {
  TrainingPage(result, command_).Write(folder_ / "report.html");
}

}  // namespace mobilenet
