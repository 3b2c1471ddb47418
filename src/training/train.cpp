#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/fail.h"
#include "base/stopwatch.h"
#include "formats/json.h"
#include "mobilenet/training.h"
#include "training/budget.h"
#include "training/identity.h"
#include "training/logistic.h"
#include "training/loop.h"
#include "training/remarks.h"
#include "training/training_pass.h"
#include "training/transfer.h"

namespace mobilenet {
namespace {

// Small pictures are shifted, larger ones cropped: where the shorter sides of a few are at most 1.5 times the
// input's.
AugmentOptions::Crop ChooseCrop(const std::vector<Sample>& samples, const Network& network,
                                std::size_t max_pixels) {
  constexpr std::size_t kLooked = 16;
  const double most = 1.5 * std::min(network.input.width, network.input.height);
  for (std::size_t i = 0; i < std::min(kLooked, samples.size()); ++i) {
    try {
      const Sample& sample = samples[i * samples.size() / std::min(kLooked, samples.size())];
      const Image image = LoadImage(sample.file, {.max_pixels = max_pixels});
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

// One call of Train.
class Training {
 public:
  Training(const TrainingData& data, const TrainingOptions& options, const TrainingObserver& observer)
      : data_(data), options_(options), observer_(observer), pool_(options.threads) {
    if (options_.augment.crop == AugmentOptions::Crop::kAuto) {
      options_.augment.crop =
          ChooseCrop(data.training, NetworkFor(options, data.classes.size()), options.max_pixels);
    }
    if (!options_.augment.trivial)
      options_.augment.trivial = options_.from.has_value() && !options_.freeze_backbone;
    if (options_.resume && !options_.precision) {  // the faster may be another one the next time
      const bool bfloat16 = SavedTrait(options_.checkpoint, "precision") == NameOf(Precision::kBfloat16);
      options_.precision = bfloat16 ? Precision::kBfloat16 : Precision::kFloat32;
    }
    options_.precision =
        options_.freeze_backbone ? Precision::kFloat32 : TrainingPrecision(options_.precision);
    course_ = CourseFor(options_, data.training.size(), StepsBefore());
    preprocessing_ = PreprocessingFor(options_, options_.augment.crop);
    network_ = NetworkFor(options_, data.classes.size());
    if (options_.resume)  // before pictures are read
      Differences(options_.checkpoint, IdentityOf(data, options_, course_, network_));
  }

  TrainingResult Go() {
    const WeightLayout layout(network_);
    std::vector<float> values = FreshWeights(network_, layout, options_.seed);
    bool all_known = true;
    if (options_.from) all_known = TakeWeights(*options_.from, network_, data_.classes, layout, values);
    // One that resumes has fitted its classifier already.
    const bool fits_classifier =
        options_.freeze_backbone || (options_.from && !all_known && !options_.resume);

    TrainingResult result;
    try {
      TrainAll(fits_classifier, layout, values, result);
    } catch (const Stopped&) {  // before there was anything to keep
      result.stopped = true;
    }
    result.training = std::move(trained_on_);
    result.precision = *options_.precision;
    if (result.stopped) result.answers.clear();
    result.unreadable = unreadable_;
    result.model = {network_, layout.ToWeights(values), preprocessing_, data_.classes, {}};
    return result;
  }

 private:
  // Reads pictures and trains, from `values` to `values`.
  void TrainAll(bool fits_classifier, const WeightLayout& layout, std::vector<float>& values,
                TrainingResult& result) {
    Pictures validation = Read("validation pictures", data_.validation, SeenForm(), options_.cache_bytes);
    const std::size_t left = options_.cache_bytes - validation.bytes();
    CheckClasses(validation.samples(), "validate with");
    result.validation = validation.samples();
    std::optional<Pictures> training;
    if (fits_classifier) {
      training = ReadTraining(SeenForm(), left);
      result.epochs = {FitClassifier(*training, validation, layout, values, result)};
      if (options_.freeze_backbone) return TellEpochs(result);
    }
    if (!training || TrainingForm() != SeenForm()) {
      training.reset();  // before the others take memory
      training = ReadTraining(TrainingForm(), left);
    }
    const Identity pictures = OfPictures(*training, validation);
    const PictureSource source(*std::move(training), std::move(validation), options_.augment, preprocessing_,
                               network_.input, options_.seed);
    if (!FitToTime(source, values, result)) return TellEpochs(result);
    result.planned_epochs = course_.epochs;
    Note(Concat(options_.from ? "everything: " : "", TextOf(course_, source.training().size())));
    Identity identity = IdentityOf(data_, options_, course_, network_);
    identity.insert(identity.end(), pictures.begin(), pictures.end());
    LoopResult trained = RunLoop({network_, source, options_, course_, observer_, pool_, options_.checkpoint,
                                  identity, stopwatch_, options_.from.has_value()},
                                 values);
    values = std::move(trained.values);
    result.stopped = trained.stopped;
    result.kept = trained.kept;
    result.steps = trained.steps;
    result.epochs = std::move(trained.epochs);
    result.changes = std::move(trained.changes);
    result.blends = std::move(trained.blends);
    result.share = trained.share;
    if (result.stopped) return;
    SetValidation(trained.validation, result);
    const std::string gap =
        RemarkOnGap(result.epochs.back(), result.validation_accuracy, data_.classes.size(), result.steps);
    if (!gap.empty() && observer_.warning) observer_.warning(gap);
  }

  void TellEpochs(const TrainingResult& result) const {
    if (observer_.epoch) observer_.epoch(result.epochs);
  }

  // The most steps of the checkpoint that is resumed from.
  [[nodiscard]] std::int64_t StepsBefore() const {
    if (!options_.resume || options_.minutes == 0) return 0;
    const std::string saved = SavedTrait(options_.checkpoint, "most steps");
    std::int64_t steps = 0;
    const auto [end, error] = std::from_chars(saved.data(), saved.data() + saved.size(), steps);
    if (error != std::errc() || end != saved.data() + saved.size())
      Fail(options_.checkpoint.string(), ": its most steps are ", saved, ", expected a whole number");
    return steps;
  }

  // Shortens the course to what fits into the minutes that there are. Whether there is time to train the
  // whole network at all.
  bool FitToTime(const Source& source, const std::vector<float>& values, TrainingResult& result) {
    if (options_.minutes == 0 || options_.resume) return true;
    constexpr int kBlends = 4;  // that are validated in the end, beside the last weights
    const double seconds = 60 * options_.minutes;
    const TrainingTimes times = Measure(network_, values, source, options_, course_, observer_, pool_);
    const std::size_t pictures = source.training().size();
    const std::int64_t steps = StepsIn(seconds - stopwatch_.Seconds(), times,
                                       StepsPerEpoch(pictures, course_.batch), options_.from ? kBlends : 0);
    if (steps == 0 && !result.epochs.empty()) {
      Note("there is no time left to tune more than the classifier");
      return false;
    }
    course_ = CourseFor(options_, pictures, std::max<std::int64_t>(steps, 1));
    return true;
  }

  static void SetValidation(const Validation& validation, TrainingResult& result) {
    result.validation_loss = validation.loss;
    result.validation_accuracy = validation.accuracy;
    result.answers = validation.answers;
  }

  void Note(const std::string& text) const {
    if (observer_.note) observer_.note(text);
  }

  // Those that could be read. Another decoder may give other pixels, with which training can go on.
  [[nodiscard]] static Identity OfPictures(const Pictures& training, const Pictures& validation) {
    return {{"data", Concat(training.samples().size(), " + ", validation.samples().size(), " pictures (",
                            training.names(), ", ", validation.names(), ")")},
            {"pixels", Concat(training.pixels(), ", ", validation.pixels()), false}};
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

  Features FeaturesFor(const char* of, const Pictures& pictures, const Weights& weights) {
    return FeaturesOf(network_, weights, pictures, preprocessing_, pool_, [&](std::size_t done) {
      if (observer_.preparing)
        observer_.preparing(Concat("computing features of ", of), done, pictures.samples().size());
      StopIfAsked(observer_);
    });
  }

  // Fits the classifier to features, and puts it where it belongs in `values`.
  EpochRecord FitClassifier(const Pictures& training, const Pictures& validation, const WeightLayout& layout,
                            std::vector<float>& values, TrainingResult& result) {
    const Weights weights = layout.ToWeights(values);
    const FeatureSource source(FeaturesFor("training pictures", training, weights),
                               FeaturesFor("validation pictures", validation, weights));
    const Network head = ClassifierOf(network_);
    const LogisticFit fit =
        FitLogistic(head, source.features(), options_.balance, pool_, [&](std::size_t done, std::size_t of) {
          if (observer_.preparing) observer_.preparing("fitting the classifier", done, of);
          StopIfAsked(observer_);
        });
    // The classifier's weights come last.
    std::ranges::copy(fit.values, values.end() - static_cast<std::ptrdiff_t>(fit.values.size()));
    SetValidation(Validate(head, fit.values, source, observer_, pool_), result);
    Note(Concat("the classifier alone: top-1 ", std::round(1e4 * result.validation_accuracy) / 100,
                " % (weight decay ", fit.decay, ", the best of cross-validation)"));
    return {.epoch = 1,
            .learning_rate = 0,
            .training_loss = fit.loss,
            .training_accuracy = fit.accuracy,
            .validation_loss = result.validation_loss,
            .validation_accuracy = result.validation_accuracy,
            .seconds = stopwatch_.Seconds()};
  }

  const TrainingData& data_;
  TrainingOptions options_;
  const TrainingObserver& observer_;
  ThreadPool pool_;
  Preprocessing preprocessing_;
  Network network_;
  Course course_;
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
