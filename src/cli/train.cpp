// mobilenet train: a network of one's own.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/machine.h"
#include "cli/command.h"
#include "cli/train_options.h"
#include "cli/training_data.h"
#include "cli/training_display.h"
#include "cli/training_result.h"
#include "mobilenet/training.h"
#include "report/text.h"
#include "report/training_run.h"

namespace mobilenet::cli {
namespace {

namespace fs = std::filesystem;

// When a signal first asked for a stop, on the steady clock; 0: none did.
std::atomic<std::chrono::steady_clock::rep> asked = 0;

// While it lives, Ctrl-C, SIGTERM and a terminal that is closed ask for a stop. Whoever asks again a second
// later doesn't want to wait, and ends the program; sooner, it is one wish that came by several ways. What
// was ignored before, as by nohup, still is.
class Interruption {
 public:
  Interruption() {
    for (const int signal : kSignals) {
      if (std::signal(signal, &Note) == SIG_IGN) std::signal(signal, SIG_IGN);
    }
  }
  ~Interruption() {
    for (const int signal : kSignals) {
      if (std::signal(signal, SIG_DFL) == SIG_IGN) std::signal(signal, SIG_IGN);
    }
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

  static void Note(int signal) {
    using std::chrono::steady_clock;
    const steady_clock::rep now = steady_clock::now().time_since_epoch().count();
    steady_clock::rep first = 0;
    if (asked.compare_exchange_strong(first, now) || signal == SIGHUP) return;
    if (steady_clock::duration(now - first) < std::chrono::seconds(1)) return;
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
};

// Where a run's files go: beside the model, and named as it is.
fs::path FolderFor(const fs::path& out) {
  constexpr std::string_view kEnding = ".safetensors";
  std::string name = out.filename().string();
  if (name.ends_with(kEnding)) name.resize(name.size() - kEnding.size());
  return out.parent_path() / (name + ".run");
}

// Neither the model, which is written, nor what is read is one of the run's own files or their folder; and
// the list of pictures is not the model.
void CheckApart(const TrainOptions& o, const RunFiles& run) {
  if (SamePlace(o.data, o.out)) Fail(o.out, ": is to be both the pictures and the model");
  if (!o.from.empty() && SamePlace(o.from, o.out))
    Fail(o.out, ": is to be both the model to start from and the one to write: give it another name");
  const std::pair<const std::string&, const char*> used[] = {
      {o.out, "the model"}, {o.data, "the pictures"}, {o.from, "the model to start from"}};
  for (const auto& [path, what] : used) {
    for (const fs::path& taken :
         {run.folder, run.checkpoint, run.stopped, run.metrics, run.split, run.doubtful, run.report}) {
      if (!path.empty() && SamePlace(path, taken))
        Fail(path, ": is to be both ", what, " and part of the run: name another folder with --run");
    }
  }
}

// The command that trains the same again: its number of threads counts for the last bits.
std::string Again(const CLI::App& command, const TrainOptions& o) {
  std::string line = CommandLine(command, {"resume", "force"});
  if (command.get_option("--threads")->count() == 0) line += fmt::format(" --threads {}", o.training.threads);
  return line;
}

// With that of the model it started from.
std::map<std::string, std::string> ProvenanceOf(const TrainingResult& result, const TrainOptions& o,
                                                const std::optional<Model>& from, const std::string& command,
                                                std::size_t classes) {
  const EpochRecord& last = result.epochs.back();
  std::map<std::string, std::string> provenance = {
      {"source", "trained by mobilenet.cpp " MOBILENET_VERSION},
      {"command", command},
      {"precision", std::string(NameOf(result.precision))},
      {"pictures", fmt::format("{} of {} classes", result.training.size(), classes)},
      {"validation top-1", fmt::format("{} of {}", Percent(result.validation_accuracy),
                                       Counted(result.validation.size(), "picture"))},
      {"training time", fmt::format("{}, {}, {}", Duration(last.seconds),
                                    Counted(o.training.threads, "thread"), ProcessorName())}};
  if (from) {
    provenance["started from"] = fs::path(o.from).filename().string();
    for (const auto& [key, value] : from->provenance) provenance["started from, " + key] = value;
  }
  if (!result.changes.empty())
    provenance["changed on the way"] = fmt::format("{}", fmt::join(result.changes, "; "));
  return provenance;
}

// Examines the pictures, trains, and shows how it goes. `found` becomes what Examine told.
TrainingResult TrainShown(const TrainingData& data, const TrainingOptions& options, TrainingRun& files,
                          bool json, std::vector<std::string>& found) {
  TrainingDisplay display(json);
  TrainingObserver observer = display.Observer();
  observer.stop = [] { return asked.load() != 0; };
  observer.epoch = [&](const std::vector<EpochRecord>& epochs) {
    display.Epochs(epochs);
    try {
      files.Epochs(epochs);
    } catch (const Error& error) {
      display.Warn(fmt::format("training goes on, but {}", error.what()));
    }
  };
  TrainingResult result;
  {
    const Interruption interruption;
    if (!options.resume) found = Examine(data, options, observer);  // or it was told before
    for (const std::string& warning : found) display.Warn(warning);
    result = Train(data, options, observer);
  }
  display.Finish();
  return result;
}

// Where --folds asks for it. Whether it was not stopped.
bool ShowFolds(const TrainingData& data, const TrainOptions& o, const TrainingOptions& options,
               nlohmann::ordered_json& json) {
  if (!o.folds) return true;
  TrainingDisplay display(o.json);
  TrainingObserver observer = display.Observer();
  observer.stop = [] { return asked.load() != 0; };
  CrossValidation folds;
  {
    const Interruption interruption;
    folds = CrossValidate(data, options, *o.folds, observer);
  }
  display.Finish();
  json = {{"top1", folds.accuracies}, {"mean_top1", folds.mean}, {"standard_error", folds.error}};
  if (!o.json && !folds.accuracies.empty()) {
    fmt::print("top-1 on pictures that had no part in training, {} folds: {} +- {}\n",
               folds.accuracies.size(), Percent(folds.mean), Percent(folds.error));
    std::fflush(stdout);
  }
  return static_cast<int>(folds.accuracies.size()) == *o.folds;
}

void SaveModel(const TrainingResult& result, const fs::path& out, const fs::path& checkpoint) {
  try {
    result.model.Save(out);
  } catch (const Error& error) {
    if (!result.kept)
      Fail(error.what(), "; the checkpoint could not be written either: what was trained is lost");
    Fail(error.what(), "; nothing is lost: the same command with --resume writes the model from ",
         checkpoint.string());
  }
}

// Says how to go on, and keeps the model as it is.
void TellStopped(TrainingResult& result, const RunFiles& run, const std::string& command) {
  const bool resumable = fs::exists(run.checkpoint);
  if (result.steps == 0 && !resumable)
    return PrintError("stopped before there was anything to keep: the same command begins anew");
  std::string text = "stopped: there is no checkpoint to go on from";
  if (resumable) {
    text = fmt::format("stopped: the same command with --resume goes on from {}", run.checkpoint.string());
    if (!result.kept && result.steps > 0) text += ", which lacks what was trained since";
  }
  PrintError(text);
  if (result.steps == 0) return;
  result.model.provenance = {{"source", "trained by mobilenet.cpp " MOBILENET_VERSION},
                             {"command", command},
                             {"training", fmt::format("stopped after {} of {} epochs", result.epochs.size(),
                                                      result.planned_epochs)}};
  try {
    result.model.Save(run.stopped);
    PrintError(fmt::format("what it learned so far can be tried: {}", run.stopped.string()));
  } catch (const Error& error) {
    PrintError(error.what());
  }
}

// Once the model is written. Whether all of it could be.
bool FinishRun(TrainingRun& files, const RunFiles& run, const TrainingResult& result,
               const TrainingData& data, const TrainingPageOptions& page, const fs::path& out) {
  try {
    const std::size_t unlisted = files.Finish(result, data.test, page);
    if (unlisted > 0) {
      PrintError(fmt::format("{}: lacks {}, in whose name is a tab or the end of a line", run.split.string(),
                             Counted(unlisted, "picture")));
    }
    fs::remove(run.stopped);
    fs::remove(run.checkpoint);
    return true;
  } catch (const std::exception& error) {  // Error or fs::filesystem_error
    PrintError(fmt::format("{}: is written, but {}; the same command with --resume writes the rest",
                           out.string(), error.what()));
    return false;
  }
}

// Whether the training that is to be resumed is done. That is no failure: a command that is started again and
// again ends here.
bool IsFinished(const TrainOptions& o, const RunFiles& run) {
  return o.training.resume && !fs::exists(run.checkpoint) && fs::exists(o.out) && fs::exists(run.report);
}

// Whether there is a checkpoint to go on from, as was asked for. Where there is none, training begins, so
// that a command that is started again and again needn't know.
bool Resumes(const TrainOptions& o, const RunFiles& run) {
  if (!o.training.resume) return false;
  if (fs::exists(run.checkpoint)) return true;
  PrintError(fmt::format("{}: is not there yet: training begins anew", run.checkpoint.string()));
  return false;
}

// A model may be hours of work.
void CheckNothingLost(const TrainOptions& o, bool resumes) {
  CheckModelOut(o.out);
  std::error_code unknown;
  if (!o.force && !resumes && fs::exists(o.out, unknown) && !fs::is_empty(o.out, unknown))
    Fail(o.out, ": is there already: name another --out, or give --force to write over it");
}

void Run(const TrainOptions& o, const CLI::App& command, int& status) {
  const fs::path out = o.out;
  const RunFiles run(o.run.empty() ? FolderFor(out) : fs::path(o.run));
  CheckApart(o, run);
  if (IsFinished(o, run)) return PrintError(o.out + ": is finished: there is nothing to resume");
  TrainingOptions options = OptionsFrom(o, command, run.checkpoint);
  options.resume = Resumes(o, run);
  CheckNothingLost(o, options.resume);
  const TrainingData data = FindData(o, command, run);
  const std::string again = Again(command, o);
  TrainingRun files(run);
  RemoveUnfinished(out);
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads what is printed may go away: training goes on
  nlohmann::ordered_json folds;
  if (!ShowFolds(data, o, options, folds)) {
    PrintError("stopped while folds were trained: the same command begins anew");
    status = kStopped;
    return;
  }
  std::vector<std::string> found;
  TrainingResult result = TrainShown(data, options, files, o.json, found);
  if (result.stopped) {
    TellStopped(result, run, again);
    status = kStopped;
    return;
  }
  const FilesOptions files_options = {.threads = options.threads, .max_pixels = options.max_pixels};
  const Evaluation tested = Test(result.model, data, files_options);
  result.unreadable += data.unreadable.size() + static_cast<std::size_t>(tested.failed);
  result.model.provenance = ProvenanceOf(result, o, options.from, again, data.classes.size());
  if (tested.images > 0) result.model.provenance["test top-1"] = TextOf(tested);
  std::optional<Calibration> calibration;
  if (o.calibrate) calibration = CalibrateResult(result, files_options);
  SaveModel(result, out, options.checkpoint);
  const bool finished = FinishRun(
      files, run, result, data, {.command = again, .tested = tested, .max_pixels = options.max_pixels}, out);
  if (result.unreadable > 0) {
    PrintError(fmt::format("{} could not be read and {} left out", Counted(result.unreadable, "picture"),
                           result.unreadable == 1 ? "was" : "were"));
  }
  const bool untested = tested.images == 0 && !data.test.empty();
  if (!finished || untested || result.unreadable > 0 || (o.calibrate && !calibration)) status = kFailure;
  if (o.json) {
    nlohmann::ordered_json json = JsonOf(result, calibration, out, run.folder);
    if (o.folds) json["folds"] = std::move(folds);
    AddPictures(data, found, tested, json);
    return PrintJson(json);
  }
  PrintResult(result, calibration, out);
  if (tested.images > 0) fmt::print("tested once, in the end: top-1 {}\n", TextOf(tested));
  if (finished) fmt::print("{}\n", Printable(run.report.string()));
}

}  // namespace

void AddTrain(CLI::App& program, int& status) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command = program.add_subcommand("train", "Train a network of your own on folders of photos");
  AddTrainOptions(*command, *options);
  command->footer(
      "Example: folders photos/daisy, photos/rose, ... and a model that knows other things\n"
      "  mobilenet train photos --out flowers.safetensors --from v1.safetensors\n"
      "The same from nothing, which needs many more photos:\n"
      "  mobilenet train photos --out flowers.safetensors --version v3-small --resolution 96 --epochs 60\n"
      "Pictures and classes in a table, the classes numbers whose names are the lines of a file:\n"
      "  mobilenet train photos.csv --labels names.txt --out flowers.safetensors --from v1.safetensors");
  command->callback([options, command, &status] { Run(*options, *command, status); });
}

}  // namespace mobilenet::cli
