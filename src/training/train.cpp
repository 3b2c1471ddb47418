#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/fail.h"
#include "base/stopwatch.h"
#include "mobilenet/training.h"
#include "training/loop.h"
#include "training/training_pass.h"
#include "training/transfer.h"

namespace mobilenet {
namespace {

void Check(const TrainingOptions& o) {
  const auto within = [](const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high)) Fail(name, " is ", value, ", expected ", low, " to ", high);
  };
  within("epochs", o.epochs, 1, 1'000'000);
  within("head epochs", o.head_epochs, 0, 1'000'000);
  within("batch", o.batch, 1, 65'536);
  within("learning rate", o.learning_rate, 0, 1000);
  within("momentum", o.optimizer.momentum, 0, 0.9999);
  within("weight decay", o.optimizer.weight_decay, 0, 10);
  within("clip", o.optimizer.clip, 0, 1e9);
  within("warm-up", o.warmup, 0, 1);
  within("label smoothing", o.label_smoothing, 0, 0.9);
  within("dropout", o.dropout, 0, 0.95);
  within("average", o.average, 0, 0.999999);
  within("jitter", o.augment.jitter, 0, 1);
  within("erase", o.augment.erase, 0, 1);
  within("mixup", o.augment.mixup, 0, 1);
  within("the least share of a crop", o.augment.smallest, 0.01, 1);
  within("threads", o.threads, 1, 256);
  if (o.resume && o.checkpoint.empty()) Fail("training is to be resumed, but no checkpoint is named");
  if (o.freeze_backbone && !o.from) Fail("the backbone is to be frozen, but there is no model to start from");
}

// Small pictures are shifted, larger ones cropped: where the shorter sides of a few are at most 1.5 times the
// input's.
AugmentOptions::Crop ChooseCrop(const std::vector<Sample>& samples, const Network& network) {
  constexpr std::size_t kLooked = 16;
  const double most = 1.5 * std::min(network.input.width, network.input.height);
  for (std::size_t i = 0; i < std::min(kLooked, samples.size()); ++i) {
    try {
      const Image image = LoadImage(samples[i * samples.size() / std::min(kLooked, samples.size())].file);
      if (std::min(image.width, image.height) > most) return AugmentOptions::Crop::kResized;
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
  NetworkOptions network = options.from ? options.from->network.options : options.network;
  network.resolution = options.network.resolution;
  network.classes = static_cast<int>(classes);
  return V1(network);
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

double DefaultRate(const TrainingOptions& options) {
  const double batches = options.batch / 128.0;
  const double rate =
      options.optimizer.kind == OptimizerKind::kSgd ? 0.2 * batches : 2e-3 * std::sqrt(batches);
  return options.from ? rate / 10 : rate;
}

// A stable number for what is added to it (FNV-1a).
class Fingerprint {
 public:
  void Add(std::string_view bytes) {
    for (const char c : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211U;
    hash_ = (hash_ ^ 0xFFU) * 1099511628211U;
  }
  [[nodiscard]] std::string Text() const { return Concat(std::hex, hash_); }

 private:
  std::uint64_t hash_ = 14695981039346656037U;
};

// The order, the names and the classes of pictures.
std::string TextOf(const TrainingData& data) {
  Fingerprint fingerprint;
  for (const std::string& name : data.classes) fingerprint.Add(name);
  for (const auto* samples : {&data.training, &data.validation}) {
    for (const Sample& sample : *samples)
      fingerprint.Add(data.classes[sample.label] + "/" + sample.file.filename().string());
    fingerprint.Add("");
  }
  return Concat(data.training.size(), " + ", data.validation.size(), " pictures, ", fingerprint.Text());
}

std::string TextOf(const std::optional<Model>& from) {
  if (!from) return "none";
  Fingerprint fingerprint;
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

Identity IdentityOf(const TrainingData& data, const TrainingOptions& o, const Network& network) {
  const NetworkOptions& n = network.options;
  const auto number = [](auto value) { return TextOf(static_cast<double>(value)); };
  return {{"alpha", number(n.alpha)},
          {"resolution", number(n.resolution)},
          {"output stride", number(n.output_stride)},
          {"separable", number(n.separable)},
          {"shallow", number(n.shallow)},
          {"classes", number(n.classes)},
          {"a model to start from,", TextOf(o.from)},
          {"frozen backbone", number(o.freeze_backbone)},
          {"precision", std::string(NameOf(*o.precision))},
          {"epochs", number(o.epochs)},
          {"batch", number(o.batch)},
          {"learning rate", number(o.learning_rate)},
          {"optimizer", number(static_cast<int>(o.optimizer.kind))},
          {"momentum", number(o.optimizer.momentum)},
          {"rho", number(o.optimizer.rho)},
          {"weight decay", number(o.optimizer.weight_decay)},
          {"weight decay of all", number(o.optimizer.decay_all)},
          {"clip", number(o.optimizer.clip)},
          {"schedule", number(static_cast<int>(o.schedule))},
          {"warm-up", number(o.warmup)},
          {"label smoothing", number(o.label_smoothing)},
          {"dropout", number(o.dropout)},
          {"norm momentum", number(o.norm_momentum)},
          {"average", number(o.average)},
          {"crop", number(static_cast<int>(o.augment.crop))},
          {"smallest crop", number(o.augment.smallest)},
          {"flip", number(o.augment.flip)},
          {"jitter", number(o.augment.jitter)},
          {"erase", number(o.augment.erase)},
          {"mixup", number(o.augment.mixup)},
          {"seed", std::to_string(o.seed)},
          {"threads", number(o.threads)},
          {"data", TextOf(data)}};
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
      options_.augment.crop = ChooseCrop(data.training, V1(options.network));
    }
    options_.precision = TrainingPrecision(options_.precision);
    if (options_.learning_rate == 0) options_.learning_rate = DefaultRate(options_);
    preprocessing_ = PreprocessingFor(options_, options_.augment.crop);
    network_ = NetworkFor(options_, data.classes.size());
    identity_ = IdentityOf(data, options_, network_);
  }

  TrainingResult Go() {
    const Stopwatch stopwatch;
    const WeightLayout layout(network_);
    std::vector<float> values = FreshWeights(network_, layout, options_.seed);
    bool all_known = true;
    if (options_.from) all_known = TakeWeights(*options_.from, network_, data_.classes, layout, values);
    Pictures validation = Read("validation pictures", data_.validation, SeenForm(), options_.cache_bytes);
    const std::size_t left = options_.cache_bytes - validation.bytes();
    CheckClasses(validation.samples(), "validate with");

    TrainingResult result;
    LoopResult trained;
    std::optional<Pictures> training;
    if (options_.freeze_backbone || (options_.from && !all_known && options_.head_epochs > 0 && !Resumes())) {
      training = ReadTraining(SeenForm(), left);
      trained = TrainHead(*training, validation, layout, values);
    }
    result.validation = validation.samples();
    if (!options_.freeze_backbone && !trained.stopped) {
      if (!training || TrainingForm() != SeenForm()) {
        training.reset();  // before the others take memory
        training = ReadTraining(TrainingForm(), left);
      }
      const PictureSource source(*std::move(training), std::move(validation), options_.augment,
                                 preprocessing_, network_.input, options_.seed);
      trained =
          RunLoop({network_, source, options_, observer_, pool_, options_.checkpoint, identity_}, values);
      values = trained.values;
    }
    result.training_pictures = training_pictures_;
    result.stopped = trained.stopped;
    result.epochs = std::move(trained.epochs);
    result.answers = std::move(trained.answers);
    result.unreadable = unreadable_;
    result.seconds = stopwatch.Seconds();
    result.model = {network_, layout.ToWeights(values), preprocessing_, data_.classes, {}};
    return result;
  }

 private:
  // Whether the loop on all layers has a checkpoint to go on from, so that the classifier was trained
  // already.
  [[nodiscard]] bool Resumes() const {
    return options_.resume && std::filesystem::exists(options_.checkpoint);
  }

  [[nodiscard]] KeptForm SeenForm() const {
    return {.whole = false,
            .side = 0,
            .preprocessing = preprocessing_,
            .width = network_.input.width,
            .height = network_.input.height};
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
    training_pictures_ = training.samples().size();
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
    const auto features = [&](const Pictures& pictures) {
      return FeaturesOf(network_, weights, pictures, preprocessing_, pool_, [&](std::size_t done) {
        if (observer_.preparing) observer_.preparing("computing features", done, pictures.samples().size());
      });
    };
    Features to_train = features(training);
    const TrainingOptions head_options = HeadOptions(options_, to_train);
    const FeatureSource source(std::move(to_train), features(validation));
    const Network head = ClassifierOf(network_);
    const WeightLayout head_layout(head);
    const std::size_t offset = layout.size() - head_layout.size();  // the classifier's come last
    TrainingObserver observer = observer_;
    if (!options_.freeze_backbone) {
      observer.epoch = nullptr;
      observer.step = [this](TrainingProgress progress) {
        progress.epoch = 0;
        if (observer_.step) observer_.step(progress);
      };
    }
    LoopResult trained =
        RunLoop({head, source, head_options, observer, pool_,
                 options_.freeze_backbone ? options_.checkpoint : std::filesystem::path(), identity_},
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
  std::size_t training_pictures_ = 0;  // that could be read
};

}  // namespace

OptimizerOptions OptimizerOptions::For(OptimizerKind kind) {
  OptimizerOptions options;
  options.kind = kind;
  if (kind == OptimizerKind::kRmsprop) {
    options.epsilon = 1e-3;
    options.weight_decay = 4e-5;
  } else if (kind == OptimizerKind::kAdamw) {
    options.rho = 0.999;
    options.weight_decay = 0.05;
  }
  return options;
}

TrainingResult Train(const TrainingData& data, const TrainingOptions& options,
                     const TrainingObserver& observer) {
  Check(options);
  return Training(data, options, observer).Go();
}

}  // namespace mobilenet
