#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iomanip>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/fail.h"
#include "base/fingerprint.h"
#include "base/stopwatch.h"
#include "formats/json.h"
#include "formats/network_json.h"
#include "mobilenet/training.h"
#include "training/loop.h"
#include "training/training_pass.h"
#include "training/transfer.h"

namespace mobilenet {
namespace {

// Small pictures are shifted, larger ones cropped: where the shorter sides of a few are at most 1.5 times the
// input's.
AugmentOptions::Crop ChooseCrop(const std::vector<Sample>& samples, const Network& network) {
  constexpr std::size_t kLooked = 16;
  const double most = 1.5 * std::min(network.input.width, network.input.height);
  for (std::size_t i = 0; i < std::min(kLooked, samples.size()); ++i) {
    try {
      const Image image = LoadImage(samples[i * samples.size() / std::min(kLooked, samples.size())].file);
      if (std::min(image.width, image.height) > most) return AugmentOptions::Crop::kResized;
    } catch (const OutOfMemory&) {
      throw;
    } catch (const Error&) {  // it will be reported when all are read
    }
  }
  return AugmentOptions::Crop::kPadded;
}

// Small pictures are seen whole; of larger ones a centred square, 7/8 of the shorter side, or what the model
// to start from was made for.
Preprocessing PreprocessingFor(const TrainingOptions& options, AugmentOptions::Crop crop) {
  Preprocessing preprocessing;
  preprocessing.shape = CropShape::kSquare;
  if (options.from) preprocessing = options.from->preprocessing;
  if (crop != AugmentOptions::Crop::kResized) preprocessing.crop = 1;
  return preprocessing;
}

Network NetworkFor(const TrainingOptions& options, std::size_t classes) {
  Network network = options.from ? options.from->network : Build(options.network);
  if (options.from && options.resolution) network = WithResolution(network, *options.resolution);
  return WithClasses(network, static_cast<int>(classes));
}

// Behind batch norm the size of a filter makes no difference to the output, only to how fast its direction
// turns, by 1 / size^2. Filters a few times smaller than RandomWeights', as PyTorch's (a variance of 1 / (3
// fan-in)) and TF-Slim's (depthwise ones of a deviation of 0.1) are, learn faster at the learning rates in
// use.
std::vector<float> FreshWeights(const Network& network, const WeightLayout& layout, std::uint64_t seed) {
  std::vector<float> values = layout.Flatten(network, RandomWeights(network, seed));
  for (const Slot& slot : layout.slots()) {
    const Layer& layer = network.layers[slot.layer];
    if (!layer.batch_norm || (slot.role != Role::kWeight && slot.role != Role::kDepthwise)) continue;
    const float factor = slot.role == Role::kDepthwise ? 0.1F * static_cast<float>(layer.kernel) /
                                                             std::sqrt(2.0F)  // He's is sqrt(2) / kernel
                                                       : std::sqrt(1.0F / 6);
    for (std::size_t i = slot.offset; i < slot.offset + slot.size; ++i) values[i] *= factor;
  }
  return values;
}

double DefaultRate(const TrainingOptions& options, std::size_t pictures) {
  const double batches = static_cast<double>(pictures) / StepsPerEpoch(pictures, options.batch) / 128;
  const double rate =
      options.optimizer.kind == OptimizerKind::kSgd ? 0.2 * batches : 2e-3 * std::sqrt(batches);
  return options.from ? rate / 10 : rate;
}

// Which model training starts from: its weights, and how it sees pictures.
std::string TextOf(const std::optional<Model>& from) {
  if (!from) return "none";
  Fingerprint fingerprint;
  const Preprocessing& p = from->preprocessing;
  const auto enough = std::numeric_limits<float>::max_digits10;
  fingerprint.Add(Concat(std::setprecision(enough), p.mean[0], " ", p.mean[1], " ", p.mean[2], " ",
                         p.scale[0], " ", p.scale[1], " ", p.scale[2], " ", p.crop, " ",
                         static_cast<int>(p.order), " ", static_cast<int>(p.shape), " ",
                         static_cast<int>(p.filter)));
  for (const auto& [name, tensor] : from->weights) {
    fingerprint.Add(name);
    fingerprint.Add({reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes()});
  }
  return fingerprint.Text();
}

// As many digits as tell a number from its neighbours.
std::string TextOf(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

// The network: each field of its recipe, so that a message can name it, and all of its layers.
void AddNetwork(const Network& network, Identity& identity) {
  identity.push_back({"version", std::string(VersionOf(network))});
  const std::optional<Recipe> made_by = RecipeOf(network);
  const nlohmann::json recipe = made_by ? RecipeJson(*made_by) : nlohmann::json::object();
  for (const auto& [key, value] : recipe.items()) {
    if (key == "version" || key == "classes") continue;                // told apart from this
    std::string name = key == "epsilon" ? "batch norm epsilon" : key;  // the optimizer has one, too
    std::ranges::replace(name, '_', ' ');
    if (value.is_boolean()) name += ":";
    identity.push_back({name, value.is_string() ? value.get<std::string>() : Dumped(value)});
  }
  Fingerprint layers;
  layers.Add(Dumped(NetworkJson(network)));
  identity.push_back({"layers", Concat(network.layers.size(), " (", layers.Text(), ")")});
}

// What the weights depend on, data apart. Where several differ the cause comes before what follows from it,
// as the optimizer before the default of its rate.
Identity IdentityOf(const TrainingData& data, const TrainingOptions& o, const Network& network) {
  const auto number = [](auto value) { return TextOf(static_cast<double>(value)); };
  const auto yes = [](bool value) { return std::string(value ? "yes" : "no"); };
  Fingerprint classes;
  for (const std::string& name : data.classes) classes.Add(name);
  constexpr bool kMayChange = false;
  Identity identity = {{"classes", Concat(data.classes.size(), " (", classes.Text(), ")")},
                       {"a model to start from:", TextOf(o.from)},
                       {"a frozen backbone:", yes(o.freeze_backbone)}};
  AddNetwork(network, identity);
  const Identity course = {{"precision", std::string(NameOf(*o.precision))},
                           {"epochs", number(o.epochs)},
                           {"head epochs", number(o.from ? o.head_epochs : 0)},
                           {"batch", number(o.batch)},
                           {"optimizer", std::string(NameOf(o.optimizer.kind))},
                           {"momentum", number(o.optimizer.momentum)},
                           {"rho", number(o.optimizer.rho)},
                           {"epsilon", number(o.optimizer.epsilon)},
                           {"decaying weights:", std::string(NameOf(o.optimizer.decay))},
                           {"schedule", std::string(NameOf(o.schedule))},
                           {"warm-up", number(o.warmup)},
                           {"label smoothing", number(o.label_smoothing)},
                           {"dropout", number(o.dropout)},
                           {"norm momentum", number(o.norm_momentum)},
                           {"average", number(o.average)},
                           {"crop", std::string(NameOf(o.augment.crop))},
                           {"smallest crop", number(o.augment.smallest)},
                           {"mirrored pictures:", yes(o.augment.flip)},
                           {"trivial augmentation:", yes(o.augment.trivial)},
                           {"jitter", number(o.augment.jitter)},
                           {"erase", number(o.augment.erase)},
                           {"mixup", number(o.augment.mixup)},
                           {"seed", std::to_string(o.seed)},
                           {"learning rate", number(o.learning_rate), kMayChange},
                           {"weight decay", number(o.optimizer.weight_decay), kMayChange},
                           {"clip", number(o.optimizer.clip), kMayChange},
                           {"threads", number(o.threads), kMayChange}};
  identity.insert(identity.end(), course.begin(), course.end());
  return identity;
}

// What TrainingData::Find makes sure of, where someone else made the data; and the names of classes, which go
// into models, must be text.
void CheckData(const TrainingData& data) {
  if (data.classes.size() < 2) Fail("the data has ", data.classes.size(), " classes, expected at least two");
  for (const auto* samples : {&data.training, &data.validation}) {
    const char* purpose = samples == &data.training ? "train on" : "validate with";
    if (samples->empty()) Fail("there are no pictures to ", purpose);
    for (const Sample& sample : *samples) {
      if (sample.label < 0 || sample.label >= static_cast<int>(data.classes.size()))
        Fail(sample.file.string(), ": its label is ", sample.label, ", expected 0 to ",
             data.classes.size() - 1);
    }
  }
  for (const std::string& name : data.classes) {
    if (!IsUtf8(name)) Fail("the class \"", name, "\": its name is not UTF-8, expected one that is");
  }
}

void CheckCheckpoint(const TrainingOptions& options) {
  if (options.checkpoint.empty()) return;
  std::error_code unknown;  // told when it is opened
  const bool there = std::filesystem::exists(options.checkpoint, unknown);
  if (options.resume && !there) Fail(options.checkpoint.string(), ": there is no checkpoint to resume from");
  if (!options.resume && there) {
    Fail(options.checkpoint.string(),
         ": holds a training that was not finished: resume it, or remove the file, or name another place");
  }
}

// The classifier alone is a logistic regression: inputs are not varied, and nothing but weight decay holds it
// back. The loss bends by the features' mean square length, so that the steps that do well are a share of its
// inverse.
TrainingOptions HeadOptions(const TrainingOptions& options, const Features& features) {
  constexpr double kStep = 16;
  TrainingOptions head = options;
  head.epochs = options.freeze_backbone ? options.epochs : options.head_epochs;
  head.optimizer = OptimizerOptions::For(OptimizerKind::kSgd);
  head.optimizer.weight_decay = 0.03;
  double length = 0;
  for (const float value : features.rows) length += double{value} * value;
  head.learning_rate = kStep / std::max(1e-3, length / static_cast<double>(features.labels.size()));
  head.schedule = Schedule::kCosine;
  head.warmup = 0.05;
  head.label_smoothing = 0;
  head.average = 0;
  head.augment.mixup = 0;
  return head;
}

// One call of Train.
class Training {
 public:
  Training(const TrainingData& data, const TrainingOptions& options, const TrainingObserver& observer)
      : data_(data), options_(options), observer_(observer), pool_(options.threads) {
    if (options_.augment.crop == AugmentOptions::Crop::kAuto) {
      options_.augment.crop = ChooseCrop(data.training, NetworkFor(options, data.classes.size()));
    }
    if (options_.resume && !options_.precision) {  // the faster may be another one the next time
      const bool bfloat16 = SavedTrait(options_.checkpoint, "precision") == NameOf(Precision::kBfloat16);
      options_.precision = bfloat16 ? Precision::kBfloat16 : Precision::kFloat32;
    }
    options_.precision =
        options_.freeze_backbone ? Precision::kFloat32 : TrainingPrecision(options_.precision);
    if (options_.learning_rate == 0) options_.learning_rate = DefaultRate(options_, data.training.size());
    preprocessing_ = PreprocessingFor(options_, options_.augment.crop);
    network_ = NetworkFor(options_, data.classes.size());
    identity_ = IdentityOf(data, options_, network_);
    if (options_.resume) Differences(options_.checkpoint, identity_);  // before pictures are read
  }

  TrainingResult Go() {
    const WeightLayout layout(network_);
    std::vector<float> values = FreshWeights(network_, layout, options_.seed);
    bool all_known = true;
    if (options_.from) all_known = TakeWeights(*options_.from, network_, data_.classes, layout, values);
    // One that resumes has trained its classifier already.
    const bool head_first = options_.from && !all_known && options_.head_epochs > 0 && !options_.resume;

    TrainingResult result;
    LoopResult trained;
    try {
      trained = TrainAll(head_first, layout, values, result.validation);
    } catch (const Stopped&) {  // before there was anything to keep
      trained.stopped = true;
    }
    result.training = std::move(trained_on_);
    result.stopped = trained.stopped;
    result.kept = trained.kept;
    result.steps = trained.steps;
    result.precision = *options_.precision;
    result.epochs = std::move(trained.epochs);
    result.changes = std::move(trained.changes);
    result.answers = std::move(trained.answers);
    result.unreadable = unreadable_;
    result.model = {network_, layout.ToWeights(values), preprocessing_, data_.classes, {}};
    return result;
  }

 private:
  // Reads pictures and trains, from `values` to `values`. `seen` becomes the validation pictures.
  LoopResult TrainAll(bool head_first, const WeightLayout& layout, std::vector<float>& values,
                      std::vector<Sample>& seen) {
    Pictures validation = Read("validation pictures", data_.validation, SeenForm(), options_.cache_bytes);
    const std::size_t left = options_.cache_bytes - validation.bytes();
    CheckClasses(validation.samples(), "validate with");
    seen = validation.samples();
    LoopResult trained;
    std::optional<Pictures> training;
    if (options_.freeze_backbone || head_first) {
      training = ReadTraining(SeenForm(), left);
      trained = TrainHead(*training, validation, layout, values);
      if (options_.freeze_backbone) return trained;
      if (trained.stopped) throw Stopped();
    }
    if (!training || TrainingForm() != SeenForm()) {
      training.reset();  // before the others take memory
      training = ReadTraining(TrainingForm(), left);
    }
    const Identity identity = WithData(*training, validation);
    const PictureSource source(*std::move(training), std::move(validation), options_.augment, preprocessing_,
                               network_.input, options_.seed);
    trained = RunLoop(
        {network_, source, options_, observer_, pool_, options_.checkpoint, identity, stopwatch_}, values);
    values = trained.values;
    return trained;
  }

  // The identity with the pictures that could be read. Another decoder may give other pixels, with which
  // training can go on.
  [[nodiscard]] Identity WithData(const Pictures& training, const Pictures& validation) const {
    Identity identity = identity_;
    identity.push_back({"data", Concat(training.samples().size(), " + ", validation.samples().size(),
                                       " pictures (", training.names(), ", ", validation.names(), ")")});
    identity.push_back({"pixels", Concat(training.pixels(), ", ", validation.pixels()), false});
    return identity;
  }

  [[nodiscard]] KeptForm SeenForm() const {
    return {.whole = false,
            .side = 0,
            .preprocessing = preprocessing_,
            .width = network_.input.width,
            .height = network_.input.height,
            .max_pixels = options_.max_pixels};
  }
  [[nodiscard]] KeptForm TrainingForm() const {
    KeptForm form = SeenForm();
    if (options_.augment.crop == AugmentOptions::Crop::kResized) {
      form.whole = true;
      form.side = std::max(form.width, form.height) * 5 / 4;
    }
    return form;
  }

  Pictures Read(const char* what, const std::vector<Sample>& samples, const KeptForm& form,
                std::size_t budget) {
    return {samples,
            form,
            budget,
            pool_,
            {.progress =
                 [&](std::size_t done) {
                   if (observer_.preparing)
                     observer_.preparing(Concat("reading ", what), done, samples.size());
                   StopIfAsked(observer_);
                 },
             .warning =
                 [&](const std::string& message) {
                   if (!warned_.insert(message).second) return;
                   ++unreadable_;
                   if (observer_.warning) observer_.warning(message);
                 }}};
  }

  Pictures ReadTraining(const KeptForm& form, std::size_t budget) {
    Pictures training = Read("training pictures", data_.training, form, budget);
    CheckClasses(training.samples(), "train on");
    trained_on_ = training.samples();
    return training;
  }

  void CheckClasses(const std::vector<Sample>& samples, const char* purpose) const {
    std::vector<int> counts(data_.classes.size());
    for (const Sample& sample : samples) ++counts[sample.label];
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (counts[c] == 0)
        Fail("none of the pictures of the class \"", data_.classes[c], "\" to ", purpose, " can be read");
    }
  }

  // Trains the classifier on features, and puts it where it belongs in `values`.
  LoopResult TrainHead(const Pictures& training, const Pictures& validation, const WeightLayout& layout,
                       std::vector<float>& values) {
    const Weights weights = layout.ToWeights(values);
    const auto features = [&](const char* of, const Pictures& pictures) {
      return FeaturesOf(network_, weights, pictures, preprocessing_, pool_, [&](std::size_t done) {
        if (observer_.preparing)
          observer_.preparing(Concat("computing features of ", of), done, pictures.samples().size());
        StopIfAsked(observer_);
      });
    };
    Features to_train = features("training pictures", training);
    const TrainingOptions head_options = HeadOptions(options_, to_train);
    const FeatureSource source(std::move(to_train), features("validation pictures", validation));
    const Network head = ClassifierOf(network_);
    const WeightLayout head_layout(head);
    const std::size_t offset = layout.size() - head_layout.size();  // the classifier's come last
    TrainingObserver observer = observer_;
    std::filesystem::path checkpoint = options_.checkpoint;
    if (!options_.freeze_backbone) {  // it is soon done, and is not what was asked for
      checkpoint.clear();
      observer.epoch = nullptr;
      observer.step = [this](TrainingProgress progress) {
        progress.classifier_first = true;
        if (observer_.step) observer_.step(progress);
      };
    }
    LoopResult trained = RunLoop(
        {head, source, head_options, observer, pool_, checkpoint, WithData(training, validation), stopwatch_},
        {values.begin() + static_cast<std::ptrdiff_t>(offset), values.end()});
    std::ranges::copy(trained.values, values.begin() + static_cast<std::ptrdiff_t>(offset));
    return trained;
  }

  const TrainingData& data_;
  TrainingOptions options_;
  const TrainingObserver& observer_;
  ThreadPool pool_;
  Preprocessing preprocessing_;
  Network network_;
  Identity identity_;
  std::set<std::string> warned_;  // pictures are read anew where training goes on after its classifier
  std::size_t unreadable_ = 0;
  std::vector<Sample> trained_on_;  // those that could be read
  Stopwatch stopwatch_;
};

}  // namespace

TrainingResult Train(const TrainingData& data, const TrainingOptions& options,
                     const TrainingObserver& observer) {
  CheckOptions(options);
  CheckData(data);
  CheckCheckpoint(options);
  return OrOutOfMemory("training", [&] { return Training(data, options, observer).Go(); });
}

}  // namespace mobilenet
