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
#include "cli/number.h"
#include "cli/quantity.h"
#include "cli/training_display.h"
#include "mobilenet/training.h"
#include "report/text.h"
#include "report/training_run.h"

namespace mobilenet::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data;
  std::string out;
  std::string from;
  std::string freeze;
  std::string run;
  std::string optimizer = "sgd";
  std::string schedule = "onecycle";
  std::string crop = "auto";
  std::string precision = "float32";
  std::string decay = "mixing";
  std::optional<double> weight_decay;
  std::optional<double> momentum;
  std::optional<double> cache;
  int resolution = 0;     // 0: the model's to start from, or kResolution
  int output_stride = 0;  // 0: 32, or 8 for small inputs
  bool standard = false;
  bool no_flip = false;
  bool json = false;
  TrainingOptions training;
};

constexpr int kResolution = 96;
constexpr int kSmallResolution = 64;
constexpr double kMostCache = 1e18;  // bytes: any number that a std::size_t can hold

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

// The value with this name. Options are checked to have one when they are parsed.
template <typename T>
T Named(const std::string& name, std::initializer_list<T> values) {
  return *std::ranges::find(values, name, [](T value) { return NameOf(value); });
}

TrainingOptions OptionsFrom(const Options& o, const CLI::App& command, const fs::path& checkpoint) {
  TrainingOptions training = o.training;
  training.checkpoint = checkpoint;
  training.optimizer = OptimizerOptions::For(
      Named(o.optimizer, {OptimizerKind::kSgd, OptimizerKind::kRmsprop, OptimizerKind::kAdamw}));
  training.optimizer.clip = o.training.optimizer.clip;
  training.optimizer.decay = Named(o.decay, {Decay::kMixing, Decay::kWeights, Decay::kAll});
  if (o.weight_decay) training.optimizer.weight_decay = *o.weight_decay;
  if (o.momentum) training.optimizer.momentum = *o.momentum;
  training.schedule = Named(o.schedule, {Schedule::kCosine, Schedule::kOneCycle, Schedule::kExponential});
  if (training.schedule == Schedule::kOneCycle && command.get_option("--warmup")->count() > 0) {
    throw CLI::ValidationError(
        "--warmup counts for nothing with --schedule onecycle, which rises for 30 % of the steps");
  }
  using Crop = AugmentOptions::Crop;
  training.augment.crop = Named(o.crop, {Crop::kAuto, Crop::kNone, Crop::kPadded, Crop::kResized});
  training.augment.flip = !o.no_flip;
  training.precision = PrecisionOf(o.precision);
  if (o.cache) training.cache_bytes = static_cast<std::size_t>(std::min(*o.cache, kMostCache));
  if (!o.from.empty()) training.from = Model::Load(o.from);
  training.freeze_backbone = o.freeze == "backbone";
  NetworkOptions& network = training.network;
  network.resolution = o.resolution != 0 ? o.resolution
                       : training.from   ? training.from->network.options.resolution
                                         : kResolution;
  network.output_stride = o.output_stride != 0                    ? o.output_stride
                          : network.resolution < kSmallResolution ? 8
                                                                  : 32;
  network.separable = !o.standard;
  try {
    CheckOptions(training);
  } catch (const Error& error) {
    throw CLI::ValidationError(error.what());
  }
  return training;
}

// Where a run's files go: beside the model, and named as it is.
fs::path FolderFor(const fs::path& out) {
  constexpr std::string_view kEnding = ".safetensors";
  std::string name = out.filename().string();
  if (name.ends_with(kEnding)) name.resize(name.size() - kEnding.size());
  return out.parent_path() / (name + ".run");
}

// The model is none of the run's own files, nor their folder.
void CheckApart(const fs::path& out, const RunFiles& run) {
  const auto normal = [](const fs::path& path) { return (fs::absolute(path) / "").lexically_normal(); };
  for (const fs::path& taken : {run.folder, run.checkpoint, run.metrics, run.split, run.report}) {
    if (normal(out) == normal(taken)) {
      Fail(out.string(), ": is to be both the model and part of the run: name another folder with --run");
    }
  }
}

// The command that trains the same again: its number of threads counts for the last bits.
std::string Again(const CLI::App& command, const Options& o) {
  std::string line = CommandLine(command, {"resume"});
  if (command.get_option("--threads")->count() == 0) line += fmt::format(" --threads {}", o.training.threads);
  return line;
}

nlohmann::ordered_json JsonOf(const TrainingResult& result, const fs::path& out, const fs::path& run) {
  const EpochRecord& last = result.epochs.back();
  return {{"model", out.string()},
          {"run", run.string()},
          {"epochs", result.epochs.size()},
          {"training_pictures", result.training.size()},
          {"validation_pictures", result.validation.size()},
          {"unreadable", result.unreadable},
          {"training_loss", last.training_loss},
          {"training_top1", last.training_accuracy},
          {"validation_loss", last.validation_loss},
          {"validation_top1", last.validation_accuracy},
          {"seconds", last.seconds}};
}

std::map<std::string, std::string> ProvenanceOf(const TrainingResult& result, const Options& o,
                                                const std::string& command, std::size_t classes) {
  const EpochRecord& last = result.epochs.back();
  std::map<std::string, std::string> provenance = {
      {"source", "trained by mobilenet.cpp " MOBILENET_VERSION},
      {"command", command},
      {"precision", std::string(NameOf(result.precision))},
      {"pictures", fmt::format("{} of {} classes", result.training.size(), classes)},
      {"validation top-1", fmt::format("{} of {}", Percent(last.validation_accuracy),
                                       Counted(result.validation.size(), "picture"))},
      {"training time",
       fmt::format("{}, {}, {}", Duration(last.seconds),
                   Counted(static_cast<std::size_t>(o.training.threads), "thread"), ProcessorName())}};
  if (!o.from.empty()) provenance["started from"] = fs::path(o.from).filename().string();
  if (!result.changes.empty())
    provenance["changed on the way"] = fmt::format("{}", fmt::join(result.changes, "; "));
  return provenance;
}

// Among folders that are classes, the run's folder would be taken for one the next time.
void CheckOutside(const TrainingData& data, const RunFiles& run) {
  fs::path folder = fs::weakly_canonical(fs::absolute(run.folder));
  if (!folder.has_filename()) folder = folder.parent_path();
  for (const fs::path& root : data.roots) {
    if (folder.parent_path() == fs::canonical(root))
      Fail(run.folder.string(), ": would lie among the classes of ", root.string(),
           ": name an --out or a --run that is elsewhere");
  }
}

TrainingData Find(const Options& o, const CLI::App& command, const RunFiles& run) {
  TrainingData data = TrainingData::Find(o.data, o.training.validation_share, o.training.seed);
  if (!data.drawn && command.get_option("--validation")->count() > 0)
    Fail(o.data, ": says itself what is validated with, and --validation would count for nothing");
  CheckOutside(data, run);
  return data;
}

// Trains, and shows how it goes.
TrainingResult TrainShown(const TrainingData& data, const TrainingOptions& options, TrainingRun& files,
                          bool json) {
  if (!json) {
    fmt::print("{}, {} to train on, {} to validate with\n", Counted(data.classes.size(), "class", "classes"),
               Counted(data.training.size(), "picture"), data.validation.size());
  }
  TrainingDisplay display(json);
  TrainingObserver observer = display.Observer();
  observer.stop = [] { return asked.load() != 0; };
  observer.epoch = [&](const std::vector<EpochRecord>& epochs) {
    display.Epochs(epochs, options.epochs);
    try {
      files.Epochs(epochs);
    } catch (const Error& error) {
      display.Warn(fmt::format("training goes on, but {}", error.what()));
    }
  };
  TrainingResult result;
  {
    const Interruption interruption;
    result = Train(data, options, observer);
  }
  display.Finish();
  return result;
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

// Once the model is written. Whether all of it could be.
bool FinishRun(TrainingRun& files, const RunFiles& run, const TrainingResult& result, const fs::path& out) {
  try {
    files.Finish(result);
    fs::remove(run.checkpoint);
    return true;
  } catch (const std::exception& error) {  // Error or fs::filesystem_error
    PrintError(fmt::format("{}: is written, but {}", out.string(), error.what()));
    return false;
  }
}

void Run(const Options& o, const CLI::App& command, int& status) {
  const fs::path out = o.out;
  const RunFiles run(o.run.empty() ? FolderFor(out) : fs::path(o.run));
  CheckApart(out, run);
  const TrainingOptions options = OptionsFrom(o, command, run.checkpoint);
  CheckWritable(out);
  const TrainingData data = Find(o, command, run);
  const std::string again = Again(command, o);
  TrainingRun files(run, again);
  RemoveUnfinished(out);
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads what is printed may go away: training goes on
  TrainingResult result = TrainShown(data, options, files, o.json);
  if (result.stopped) {
    PrintError(fs::exists(options.checkpoint)
                   ? fmt::format("stopped: the same command with --resume goes on from {}",
                                 options.checkpoint.string())
                   : "stopped before there was anything to keep: the same command begins anew");
    status = kStopped;
    return;
  }
  result.model.provenance = ProvenanceOf(result, o, again, data.classes.size());
  SaveModel(result, out, options.checkpoint);
  const bool finished = FinishRun(files, run, result, out);
  if (result.unreadable > 0) {
    PrintError(fmt::format("{} could not be read and were left out", Counted(result.unreadable, "picture")));
  }
  if (!finished || result.unreadable > 0) status = kFailure;
  if (o.json) return PrintJson(JsonOf(result, out, run.folder));
  const EpochRecord& last = result.epochs.back();
  const NetworkOptions& network = result.model.network.options;
  fmt::print("top-1 {} on {} after {}\n{}: MobileNet V1, alpha {:g}, {} x {}, {}\n",
             Percent(last.validation_accuracy), Counted(result.validation.size(), "validation picture"),
             Duration(last.seconds), Printable(out.string()), network.alpha, network.resolution,
             network.resolution, Bytes(static_cast<double>(fs::file_size(out))));
  if (finished) fmt::print("{}\n", Printable(run.report.string()));
}

void AddNetworkOptions(CLI::App& command, Options& o) {
  o.training.network.alpha = 0.5;
  AddAlpha(command, o.training.network.alpha);
  AddResolution(command, o.resolution)
      ->default_str("")
      ->description(
          fmt::format("Pixels a side, from 32 to 4096; by default {}, or that of --from", kResolution));
  command
      .add_option(
          "--output-stride", o.output_stride,
          fmt::format("Input pixels to one of the last map: 32, 16, 8 or 4; by default 32, below {} pixels 8",
                      kSmallResolution))
      ->check(CLI::IsMember({"4", "8", "16", "32"}))
      ->type_name("N");
  command.add_flag("--standard", o.standard, "Standard convolutions instead of separable ones, to compare");
  command.add_flag("--shallow", o.training.network.shallow,
                   "Without the five blocks of 512 channels, to compare");
  RequireText(
      command.add_option("--from", o.from,
                         "Start from this model: safetensors, .h5 or .tflite. Its classifier is kept for "
                         "labels that it knows"))
      ->type_name("FILE");
  command
      .add_option(
          "--freeze", o.freeze,
          "backbone: train only the classifier, as a logistic regression on features that are computed once")
      ->check(CLI::IsMember({"backbone"}))
      ->type_name("PART");
}

void AddCourseOptions(CLI::App& command, Options& o) {
  TrainingOptions& t = o.training;
  command
      .add_option(
          "--precision", o.precision,
          "float32, bfloat16 (maps and products are rounded to it, weights are not; needs a processor that "
          "multiplies it fast) or auto: the faster here")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}))
      ->type_name("P")
      ->capture_default_str();
  AddNumber(command, "--epochs", t.epochs, "Times that every picture is seen");
  AddNumber(command, "--head-epochs", t.head_epochs,
            "With --from and new classes: epochs of the classifier alone, before the rest");
  AddNumber(command, "--batch", t.batch, "Pictures in a step, at most: an epoch's steps are of equal size");
  command
      .add_option("--optimizer", o.optimizer, "sgd (with Nesterov momentum), rmsprop (the paper's) or adamw")
      ->check(CLI::IsMember({"sgd", "rmsprop", "adamw"}))
      ->type_name("NAME")
      ->capture_default_str();
  command
      .add_option("--schedule", o.schedule,
                  "How the learning rate goes: onecycle (up and down), cosine (down to 0) or exponential (to "
                  "a hundredth)")
      ->check(CLI::IsMember({"cosine", "onecycle", "exponential"}))
      ->type_name("NAME")
      ->capture_default_str();
  AddNumber(command, "--lr", t.learning_rate, "The highest learning rate; 0: what suits optimizer and batch");
  AddNumber(command, "--momentum", o.momentum, "By default 0.9");
  AddNumber(command, "--weight-decay", o.weight_decay,
            "By default 5e-4 with sgd, 4e-5 with rmsprop, 0.05 with adamw");
  command
      .add_option(
          "--decay", o.decay,
          "What decays: the weights that mix channels (mixing, the paper's advice), depthwise filters too "
          "(weights), or batch norms too (all)")
      ->check(CLI::IsMember({"mixing", "weights", "all"}))
      ->type_name("WHAT")
      ->capture_default_str();
  AddNumber(command, "--clip", t.optimizer.clip, "The largest norm of the gradient; 0: no limit");
  AddNumber(command, "--warmup", t.warmup,
            "Share of the steps in which the rate rises (cosine, exponential)");
  AddNumber(command, "--label-smoothing", t.label_smoothing, "Share of the probability that all classes get");
  AddNumber(command, "--dropout", t.dropout, "Share of the pooled features that is dropped");
  AddNumber(command, "--average", t.average,
            "How much of the running average of the weights stays in a step; 0: no average");
}

void AddDataOptions(CLI::App& command, Options& o) {
  TrainingOptions& t = o.training;
  command
      .add_option("--crop", o.crop,
                  "padded: small shifts; resized: parts of random size; none; auto: padded for small "
                  "pictures, else resized")
      ->check(CLI::IsMember({"auto", "none", "padded", "resized"}))
      ->type_name("NAME")
      ->capture_default_str();
  command.add_flag("--no-flip", o.no_flip, "Never mirror pictures: for text, say");
  command.add_flag("--trivial-augment", t.augment.trivial,
                   "Change each picture in one way of random kind and strength: shear, turn, colours, ...");
  AddNumber(command, "--jitter", t.augment.jitter,
            "Brightness, contrast and saturation change by up to this share");
  AddNumber(command, "--erase", t.augment.erase, "A square of this share of the side turns grey");
  AddNumber(command, "--mixup", t.augment.mixup,
            "Mix pairs of pictures: the parameter of the beta distribution, from 0.01 to 1");
  AddNumber(command, "--validation", t.validation_share,
            "Share of each class to validate with, where the folder has no split");
  AddNumber(command, "--seed", t.seed, "Of all that is random");
  AddQuantity(command, "cache", o.cache, ByteUnits(), "2GB", "Memory for decoded pictures, by default 2GiB");
  AddThreads(command, t.threads);
}

void ExcludeWhatWouldNotCount(CLI::App& command) {
  const auto exclude = [&](const char* by, std::initializer_list<const char*> names) {
    for (const char* name : names) command.get_option(name)->excludes(command.get_option(by));
  };
  exclude("--from", {"--alpha", "--output-stride", "--standard", "--shallow"});
  exclude("--freeze", {"--head-epochs", "--optimizer", "--schedule", "--lr", "--momentum", "--weight-decay",
                       "--decay", "--clip", "--warmup", "--label-smoothing", "--dropout", "--average",
                       "--no-flip", "--trivial-augment", "--jitter", "--erase", "--mixup"});
  for (const char* name : {"--freeze", "--head-epochs"})
    command.get_option(name)->needs(command.get_option("--from"));
}

}  // namespace

void AddTrain(CLI::App& program, int& status) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("train", "Train a network of your own on folders of photos");
  RequireText(command->add_option(
                  "data", options->data,
                  "DIR/train/CLASS/* and DIR/val, DIR/validation or DIR/test, or DIR/CLASS/*, or a list: "
                  "file, tab, class, and perhaps a tab and train or val"))
      ->required()
      ->type_name("DIR|LIST.tsv");
  AddModelOut(*command, "--out", options->out);
  AddNetworkOptions(*command, *options);
  AddCourseOptions(*command, *options);
  AddDataOptions(*command, *options);
  RequireText(command->add_option("--run", options->run,
                                  "Folder for the checkpoint, metrics.csv, events, split.tsv and "
                                  "report.html; by default OUT, .run in "
                                  "place of .safetensors"))
      ->type_name("DIR");
  command->add_flag("--resume", options->training.resume, "Go on from the run's checkpoint");
  AddNumber(*command, "--checkpoint-seconds", options->training.checkpoint_seconds,
            "Least time between two checkpoints in an epoch; there is one after each epoch, too")
      ->type_name("S");
  command->add_flag("--json", options->json, "One JSON object at the end");
  ExcludeWhatWouldNotCount(*command);
  command->footer(
      "Example: folders photos/daisy, photos/rose, ... and a model that knows other things\n"
      "  mobilenet train photos --out flowers.safetensors --from v1.safetensors --epochs 10\n"
      "The same from nothing, which needs many more photos:\n"
      "  mobilenet train photos --out flowers.safetensors --alpha 0.5 --resolution 96 --epochs 60");
  command->callback([options, command, &status] { Run(*options, *command, status); });
}

}  // namespace mobilenet::cli
