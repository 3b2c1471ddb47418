#include "report/training_run.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/signature.h"
#include "report/training_page.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

// The first lines of what a run writes, by which it is known again.
constexpr std::string_view kMetricsHeader =
    "epoch,learning_rate,training_loss,training_top1,validation_loss,validation_top1,seconds\n";
constexpr std::string_view kSplitHeader = "file\tclass\tsplit\n";

auto BeginsWith(std::string_view header) {
  return [header](std::span<const std::uint8_t> begin) { return HasAt(begin, 0, header); };
}

std::string CsvOf(const std::vector<EpochRecord>& epochs) {
  std::string text(kMetricsHeader);
  for (const EpochRecord& e : epochs) {
    text += fmt::format("{},{:.6g},{:.6f},{:.6f},{:.6f},{:.6f},{:.1f}\n", e.epoch, e.learning_rate,
                        e.training_loss, e.training_accuracy, e.validation_loss, e.validation_accuracy,
                        e.seconds);
  }
  return text;
}

struct SplitText {
  std::string text;
  std::size_t left_out = 0;  // pictures whose name no list can hold
};

// Names are whole, so that the list may be moved.
SplitText SplitOf(const TrainingResult& result, const std::vector<Sample>& test) {
  SplitText split = {.text = std::string(kSplitHeader)};
  for (const auto* samples : {&result.training, &result.validation, &test}) {
    const char* side = samples == &result.training ? "train" : samples == &test ? "test" : "val";
    for (const Sample& sample : *samples) {
      const std::string file = fs::absolute(sample.file).string();
      const std::string& label = result.model.labels.at(sample.label);
      if ((file + label).find_first_of("\t\r\n") != std::string::npos) {
        ++split.left_out;
      } else {
        split.text += fmt::format("{}\t{}\t{}\n", file, label, side);
      }
    }
  }
  return split;
}

// Whether there was none.
bool Make(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) Fail(folder.string(), ": can't be made: ", error.message());
  return made;
}

}  // namespace

TrainingRun::TrainingRun(RunFiles files, std::string command)
    : files_(std::move(files)),
      command_(std::move(command)),
      made_(Make(files_.folder)),
      lock_(files_.folder),
      events_(files_.folder) {
  for (const fs::path& file :
       {files_.checkpoint, files_.stopped, files_.metrics, files_.split, files_.report})
    RemoveUnfinished(file);
  CheckReplaceable(files_.metrics, "the table of a training", BeginsWith(kMetricsHeader));
  CheckReplaceable(files_.split, "the list of a training", BeginsWith(kSplitHeader));
  CheckReplaceable(files_.checkpoint, "a checkpoint of this program",
                   std::bind_front(LooksLikeSafetensorsWith, "checkpoint_version"));
  CheckReplaceable(files_.stopped, "a model of this program",
                   std::bind_front(LooksLikeSafetensorsWith, "format_version"));
  CheckPage(files_.report);
}

TrainingRun::~TrainingRun() {
  std::error_code ignored;
  if (made_) fs::remove(files_.folder, ignored);  // does nothing where there is something in it
}

void TrainingRun::Epochs(const std::vector<EpochRecord>& epochs) {
  Make(files_.folder);  // again, where it is gone
  if (with_events_ == 0) {
    EventFile::Clear(files_.folder);
    std::error_code ignored;
    for (const fs::path& file : {files_.stopped, files_.split, files_.report}) fs::remove(file, ignored);
  }
  const auto value = [](double v) { return static_cast<float>(v); };
  for (; with_events_ < epochs.size(); ++with_events_) {
    const EpochRecord& e = epochs[with_events_];
    events_.Add(e.epoch, e.seconds - epochs.back().seconds,
                {{"loss/training", value(e.training_loss)},
                 {"loss/validation", value(e.validation_loss)},
                 {"top-1/training", value(e.training_accuracy)},
                 {"top-1/validation", value(e.validation_accuracy)},
                 {"learning rate", value(e.learning_rate)}});
  }
  WriteFileWhole(files_.metrics, CsvOf(epochs));
  events_.Write();
}

std::size_t TrainingRun::Finish(const TrainingResult& result, const std::vector<Sample>& test) {
  TrainingPage(result, command_).Write(files_.report);
  const SplitText split = SplitOf(result, test);
  WriteFileWhole(files_.split, split.text);
  return split.left_out;
}

}  // namespace mobilenet
