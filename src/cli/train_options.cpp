#include "cli/train_options.h"
#include "base/enum_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "cli/number.h"
#include "cli/published_model.h"
#include "cli/quantity.h"
#include "mobilenet/error.h"

namespace mobilenet::cli {
namespace {

constexpr int kResolution = 96;
constexpr int kSmallResolution = 64;
constexpr double kMostCache = 1e18;  // bytes: any number that a std::size_t can hold

void AddNetworkOptions(CLI::App& command, TrainOptions& o) {
  o.network.alpha = 0.5;
  AddVersion(command, o.network);
  AddResolution(command, o.resolution)
      ->description(
          fmt::format("Pixels a side, from 32 to 4096, or height x width; by default {}, or that of --from",
                      kResolution));
  command
      .add_option(
          "--output-stride", o.output_stride,
          fmt::format("Input pixels to one of the last map: 32, 16, 8 or 4; by default 32, below {} pixels 8",
                      kSmallResolution))
      ->check(CLI::IsMember({"4", "8", "16", "32"}))
      ->type_name("N");
  AddComparisons(command, o.network);
  RequireText(
      command.add_option("--from", o.from,
                         "Start from this model: a file, or published weights by name such as v2-1.0-224 "
                         "(`mobilenet get` lists them). Its classifier is kept for labels that it knows"))
      ->type_name("FILE|NAME");
  AddOffline(command, o.offline, "the model to start from");
  command
      .add_option(
          "--freeze", o.freeze,
          "backbone: train only the classifier, as a logistic regression on features that are computed once")
      ->check(CLI::IsMember({"backbone"}))
      ->type_name("PART");
}

void AddCourseOptions(CLI::App& command, TrainOptions& o) {
  TrainingOptions& t = o.training;
  command
      .add_option(
          "--precision", o.precision,
          "float32, bfloat16 (maps and products are rounded to it, weights are not; needs a processor that "
          "multiplies it fast) or auto: the faster here")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}))
      ->type_name("P")
      ->capture_default_str();
  AddNumber(command, "--epochs", t.epochs,
            "Times that every picture is seen; by default 30, with --from 3 to 20, as there are pictures");
  AddNumber(command, "--minutes", t.minutes,
            "Be done in about so many minutes: as many steps as fit on this machine; 0: no limit")
      ->type_name("M");
  AddNumber(
      command, "--batch", t.batch,
      "Pictures in a step, at most: an epoch's steps are of equal size; by default 128, with --from 32");
  command
      .add_option("--optimizer", o.optimizer, "sgd (with Nesterov momentum), rmsprop (the paper's) or adamw")
      ->check(CLI::IsMember(NamesOf<OptimizerKind>()))
      ->type_name("NAME")
      ->capture_default_str();
  command
      .add_option("--schedule", o.schedule,
                  "How the learning rate goes: onecycle (up and down), cosine (down to 0) or exponential (to "
                  "a hundredth); by default onecycle, with --from cosine")
      ->check(CLI::IsMember(NamesOf<Schedule>()))
      ->type_name("NAME");
  AddNumber(command, "--lr", t.learning_rate,
            "The highest learning rate; by default what suits optimizer and batch");
  AddNumber(command, "--momentum", o.momentum, "By default 0.9");
  AddNumber(command, "--weight-decay", o.weight_decay,
            "By default 5e-4 with sgd, 4e-5 with rmsprop, 0.05 with adamw");
  command
      .add_option(
          "--decay", o.decay,
          "What decays: the weights that mix channels (mixing, the paper's advice), depthwise filters too "
          "(weights), or batch norms too (all)")
      ->check(CLI::IsMember(NamesOf<Decay>()))
      ->type_name("WHAT")
      ->capture_default_str();
  AddNumber(command, "--clip", t.optimizer.clip, "The largest norm of the gradient; 0: no limit");
  AddNumber(command, "--warmup", t.warmup,
            "Share of the steps in which the rate rises (cosine, exponential)");
  command.add_flag("--balance", t.balance,
                   "Rare classes count as much as frequent ones, whatever their number of pictures");
  AddNumber(command, "--label-smoothing", t.label_smoothing, "Share of the probability that all classes get");
  AddNumber(command, "--dropout", t.dropout, "Share of the pooled features that is dropped");
  AddNumber(command, "--drop-path", t.drop_path,
            "Share of the pictures that skip the last block that can be skipped, earlier blocks less "
            "(stochastic depth)");
  AddNumber(
      command, "--average", t.average,
      "How much of the running average of the weights stays in a step; 0: no average; by default 0.998, "
      "with --from as there are steps");
}

// A share of the pictures, or those to test with.
void AddValidation(CLI::App& command, TrainOptions& o) {
  const auto set = [&o](const CLI::results_t& texts) {
    o.validate_with_test = texts.front() == "test";
    if (!o.validate_with_test)
      o.training.validation_share = ParseNumber<double>("--validation", texts.front(), {});
    return true;
  };
  command
      .add_option(
          "--validation", set,
          "Share of the pictures to validate with, where folder or list don't say it; or \"test\", to "
          "validate with those that are there to test with")
      ->type_name("X|test")
      ->default_str(fmt::format("{}", o.training.validation_share));
}

void AddDataOptions(CLI::App& command, TrainOptions& o) {
  TrainingOptions& t = o.training;
  command
      .add_option("--crop", o.crop,
                  "padded: small shifts; resized: parts of random size; none; auto: padded for small "
                  "pictures, else resized")
      ->check(CLI::IsMember(NamesOf<AugmentOptions::Crop>()))
      ->type_name("NAME")
      ->capture_default_str();
  command.add_flag("--no-flip", o.no_flip, "Never mirror pictures: for text, say");
  // Not bound to the optional itself, which CLI11 sets without a flag, too.
  command.add_flag_function(
      "--trivial-augment,!--no-trivial-augment", [&t](std::int64_t given) { t.augment.trivial = given > 0; },
      "Change each picture in one way of random kind and strength: shear, turn, colours, ...; by "
      "default with --from");
  AddNumber(command, "--jitter", t.augment.jitter,
            "Brightness, contrast and saturation change by up to this share");
  AddNumber(command, "--erase", t.augment.erase, "A square of this share of the side turns grey");
  AddNumber(
      command, "--mixup", t.augment.mixup,
      "Mix pairs of pictures: the parameter of the beta distribution, from 0.01 to 1; 0: not; by default "
      "0, with --from 0.2");
  AddValidation(command, o);
  RequireText(
      command.add_option("--labels", o.labels,
                         "Names of classes that are numbers, one a line; the first is that of class 0, or "
                         "of class 1 where there is no 0"))
      ->type_name("FILE");
  AddNumber(command, "--seed", t.seed, "Of all that is random");
  AddQuantity(command, "cache", o.cache, ByteUnits(), "2GB", "Memory for decoded pictures, by default 2GiB");
  AddMaxPixels(command, t.max_pixels);
  AddThreads(command, t.threads);
}

void ExcludeWhatWouldNotCount(CLI::App& command) {
  const auto exclude = [&](const char* by, std::initializer_list<const char*> names) {
    for (const char* name : names) command.get_option(name)->excludes(command.get_option(by));
  };
  exclude("--from", {"--version", "--alpha", "--widths", "--output-stride", "--standard", "--shallow"});
  exclude("--freeze", {"--epochs",   "--minutes",         "--batch",        "--optimizer", "--schedule",
                       "--lr",       "--momentum",        "--weight-decay", "--decay",     "--clip",
                       "--warmup",   "--label-smoothing", "--dropout",      "--drop-path", "--average",
                       "--no-flip",  "--trivial-augment", "--jitter",       "--erase",     "--mixup",
                       "--precision"});
  command.get_option("--freeze")->needs(command.get_option("--from"));
}

// The network that is described, with an input and an output stride that suit it.
Recipe RecipeFor(const TrainOptions& o) {
  NetworkArguments network = o.network;
  network.resolution = o.resolution.value_or(kResolution);
  const int side = std::min(network.resolution.height, network.resolution.width);
  Recipe recipe = RecipeFrom(network);
  std::visit(
      [&](auto& options) {
        options.output_stride = o.output_stride != 0 ? o.output_stride : side < kSmallResolution ? 8 : 32;
      },
      recipe);
  return recipe;
}

}  // namespace

void AddTrainOptions(CLI::App& command, TrainOptions& options) {
  RequireText(
      command.add_option(
          "data", options.data,
          "DIR/train/CLASS/* beside DIR/val, DIR/test or both, or DIR/CLASS/*, or a list: file and class, "
          "and perhaps train, val or test, parted by tabs or commas. Other usual names do as well"))
      ->required()
      ->type_name("DIR|LIST");
  AddModelOut(command, "--out", options.out);
  AddNetworkOptions(command, options);
  AddCourseOptions(command, options);
  AddDataOptions(command, options);
  command.add_flag("--calibrate", options.calibrate,
                   "In the end, divide the classifier's weights so that probabilities tell how often answers "
                   "to the validation pictures are right");
  RequireText(command.add_option("--run", options.run,
                                 "Folder for the checkpoint, metrics.csv, events, split.tsv, doubtful.tsv, "
                                 "report.html, and the model where training "
                                 "was stopped; by default OUT, .run in place of .safetensors"))
      ->type_name("DIR");
  AddNumber(
      command, "--folds", options.folds,
      "First tell how good such trainings are on pictures that had no part in them: by so many, from 3, "
      "each measured on another part");
  command.add_flag("--resume", options.training.resume,
                   "Go on from the run's checkpoint; where there is none yet, begin");
  command.add_flag("--force", options.force,
                   "Write over a model that is there, or into the folder of a class");
  AddNumber(command, "--checkpoint-seconds", options.training.checkpoint_seconds,
            "Least time between two checkpoints in an epoch; there is one after each epoch, too")
      ->type_name("S");
  command.add_flag("--json", options.json, "One JSON object at the end");
  ExcludeWhatWouldNotCount(command);
}

TrainingOptions OptionsFrom(const TrainOptions& o, const CLI::App& command,
                            const std::filesystem::path& checkpoint) {
  TrainingOptions training = o.training;
  training.checkpoint = checkpoint;
  training.optimizer = OptimizerOptions::For(*FromName<OptimizerKind>(o.optimizer));
  training.optimizer.clip = o.training.optimizer.clip;
  training.optimizer.decay = *FromName<Decay>(o.decay);
  if (o.weight_decay) training.optimizer.weight_decay = *o.weight_decay;
  if (o.momentum) training.optimizer.momentum = *o.momentum;
  if (!o.schedule.empty()) training.schedule = FromName<Schedule>(o.schedule);
  const bool one_cycle = training.schedule.value_or(
                             o.from.empty() ? Schedule::kOneCycle : Schedule::kCosine) == Schedule::kOneCycle;
  if (one_cycle && command.get_option("--warmup")->count() > 0) {
    throw CLI::ValidationError(
        "--warmup counts for nothing with --schedule onecycle, which rises for 30 % of the steps");
  }
  training.augment.crop = *FromName<AugmentOptions::Crop>(o.crop);
  training.augment.flip = !o.no_flip;
  training.precision = PrecisionOf(o.precision);
  if (o.cache) training.cache_bytes = static_cast<std::size_t>(std::min(*o.cache, kMostCache));
  if (!o.from.empty()) {
    training.from = LoadModel(o.from, o.offline);
    WarnOfGuess(*training.from, o.from);
  }
  training.freeze_backbone = o.freeze == "backbone";
  training.network = RecipeFor(o);
  training.resolution = o.resolution;
  try {
    CheckOptions(training);
  } catch (const Error& error) {
    throw CLI::ValidationError(error.what());
  }
  return training;
}

}  // namespace mobilenet::cli
