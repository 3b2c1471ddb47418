#include "report/training_run.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/signature.h"
#include "report/answers.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

// The first lines of what a run writes, by which it is known again.
constexpr std::string_view kMetricsHeader =
    "epoch,learning_rate,training_loss,training_top1,validation_loss,validation_top1,seconds\n";
constexpr std::string_view kSplitHeader = "file\tclass\tsplit\n";
constexpr std::string_view kDoubtfulHeader = "file\tclass\tsplit\tanswer\tprobability\n";

std::string CsvOf(const std::vector<EpochRecord>& epochs) {
  std::string text(kMetricsHeader);
  for (const EpochRecord& e : epochs) {
    text += fmt::format("{},{:.6g},{:.6f},{:.6f},{:.6f},{:.6f},{:.1f}\n", e.epoch, e.learning_rate,
                        e.training_loss, e.training_accuracy, e.validation_loss, e.validation_accuracy,
                        e.seconds);
  }
  return text;
}

// A list of pictures in the making.
class ListText {
 public:
  ListText(std::string_view header, const Model& model) : model_(model), text_(header) {}

  // `more` is for people, behind the columns that are read. Names are whole, so that the list may be moved.
  void Add(const Sample& sample, const char* side, const std::string& more = "") {
    const std::string file = fs::absolute(sample.file).string();
    const std::string label = model_.Label(sample.label);
    if ((file + label).find_first_of("\t\r\n") != std::string::npos) {
      ++left_out_;
    } else {
      text_ += fmt::format("{}\t{}\t{}{}\n", file, label, side, more);
    }
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t left_out() const { return left_out_; }  // since no list can hold their names

 private:
  const Model& model_;
  std::string text_;
  std::size_t left_out_ = 0;
};

ListText SplitOf(const TrainingResult& result, const std::vector<Sample>& test) {
  ListText list(kSplitHeader, result.model);
  for (const Sample& sample : result.training) list.Add(sample, "train");
  for (const Sample& sample : result.validation) list.Add(sample, "val");
  for (const Sample& sample : test) list.Add(sample, "test");
  return list;
}

// The same pictures; first those whose label may be wrong, with what was answered instead.
ListText DoubtfulOf(const TrainingResult& result, const std::vector<Sample>& test) {
  ListText list(kDoubtfulHeader, result.model);
  for (const std::size_t i : MistakesOf(result)) {
    const ValidationAnswer& answer = result.answers[i];
    list.Add(result.validation[i], "val",
             fmt::format("\t{}\t{:.4f}", result.model.Label(answer.predicted), answer.probability));
  }
  for (std::size_t i = 0; i < result.validation.size(); ++i) {
    if (result.answers[i].predicted == result.validation[i].label) list.Add(result.validation[i], "val");
  }
  for (const Sample& sample : result.training) list.Add(sample, "train");
  for (const Sample& sample : test) list.Add(sample, "test");
  return list;
}

// Whether there was none.
bool Make(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) Fail(folder.string(), ": can't be made: ", error.message());
  return made;
}

}  // namespace

TrainingRun::TrainingRun(RunFiles files)
    : files_(std::move(files)), made_(Make(files_.folder)), lock_(files_.folder), events_(files_.folder) {
  for (const fs::path& file :
       {files_.checkpoint, files_.stopped, files_.metrics, files_.split, files_.doubtful, files_.report})
    RemoveUnfinished(file);
  CheckReplaceable(files_.metrics, "the table of a training", BeginsWith(kMetricsHeader));
  CheckReplaceable(files_.split, "the list of a training", BeginsWith(kSplitHeader));
  CheckReplaceable(files_.doubtful, "the list of a training", BeginsWith(kDoubtfulHeader));
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
    for (const fs::path& file : {files_.stopped, files_.split, files_.doubtful, files_.report})
      fs::remove(file, ignored);
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

std::size_t TrainingRun::Finish(const TrainingResult& result, const std::vector<Sample>& test,
                                const TrainingPageOptions& page) {
  TrainingPage(result, page).Write(files_.report);
  const ListText split = SplitOf(result, test);
  WriteFileWhole(files_.split, split.text());
  WriteFileWhole(files_.doubtful, DoubtfulOf(result, test).text());
  return split.left_out();
}

}  // namespace mobilenet
