#include "cli/training_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/fail.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/training_display.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

namespace fs = std::filesystem;

// Whether it would lie in one of the folders that `root` holds, or deeper.
bool LiesInFolderOf(const fs::path& root, const fs::path& path) {
  std::error_code unknown;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path), unknown);
  for (fs::path at = whole.parent_path(); at != at.parent_path(); at = at.parent_path()) {
    if (SamePlace(at.parent_path(), root)) return true;
  }
  return false;
}

// Among folders that are classes, the run's folder would be taken for one the next time.
void CheckOutside(const TrainingData& data, const TrainOptions& o, const RunFiles& run) {
  for (const fs::path& root : data.roots) {
    if (SamePlace(run.folder / "..", root))
      Fail(run.folder.string(), ": would lie among the classes of ", root.string(),
           ": name an --out or a --run that is elsewhere");
    for (const fs::path& written : {fs::path(o.out), run.folder}) {
      if (!o.force && LiesInFolderOf(root, written))
        Fail(written.string(), ": would lie in the folder of a class of ", root.string(),
             ": name an --out or a --run that is elsewhere, or give --force");
    }
  }
}

void Tell(const TrainingData& data, bool quiet) {
  if (!quiet) {
    std::fputs((Printable(data.summary) + "\n").c_str(), stdout);  // where that fails, training goes on
    std::fflush(stdout);
  }
  for (const auto* texts : {&data.notes, &data.unreadable}) std::ranges::for_each(*texts, PrintError);
}

}  // namespace

TrainingData FindData(const TrainOptions& o, const CLI::App& command, const RunFiles& run) {
  TrainingDisplay display(o.json);
  const TrainingObserver observer = display.Observer();
  const FindOptions options = {.validate_with_test = o.validate_with_test,
                               .labels = o.labels,
                               .threads = o.training.threads,
                               .looking = [&](std::size_t done, std::size_t of) {
                                 observer.preparing("looking at pictures", done, of);
                               }};
  TrainingData data = TrainingData::Find(o.data, o.training.validation_share, o.training.seed, options);
  display.Finish();
  if (!data.drawn && !o.validate_with_test && command.get_option("--validation")->count() > 0)
    Fail(o.data, ": says itself what is validated with, and --validation would count for nothing");
  CheckOutside(data, o, run);
  Tell(data, o.json);
  return data;
}

Evaluation Test(const Model& model, const TrainingData& data, const FilesOptions& files) {
  if (data.test.empty()) return {};
  try {
    Progress progress(data.test.size(), "pictures", "testing: ");
    Evaluation tested = Evaluate(model, data.test, files, [&](const FileResult& file) {
      if (!file.error.empty()) {
        progress.Clear();
        PrintError(file.error);
      }
      progress.Advance();
    });
    progress.Clear();
    if (tested.images == 0) PrintError("none of the pictures to test with could be read");
    return tested;
  } catch (const Error& error) {
    PrintError(fmt::format("the network is trained, but could not be tested: {}", error.what()));
  }
  return {};
}

std::string TextOf(const Evaluation& tested) {
  return fmt::format("{} of {}", Percent(tested.top1),
                     Counted(static_cast<std::size_t>(tested.images), "picture"));
}

void AddPictures(const TrainingData& data, const std::vector<std::string>& found, const Evaluation& tested,
                 nlohmann::ordered_json& json) {
  if (tested.images > 0) {
    json["test_pictures"] = tested.images;
    json["test_top1"] = tested.top1;
  }
  json["data"] = data.summary;
  std::vector<std::string> notes = data.notes;
  std::ranges::copy(found, std::back_inserter(notes));
  json["notes"] = notes;
}

}  // namespace mobilenet::cli
