// The options of training: their names and ranges.
#include "base/fail.h"
#include "base/thread_pool.h"
#include "mobilenet/training.h"
#include "network/fields.h"

namespace mobilenet {
namespace {

template <typename T>
void Within(const char* name, T value, T low, T high) {
  if (!(value >= low && value <= high)) Fail(name, " is ", value, ", expected ", low, " to ", high);
}

template <typename T>
void Within(const char* name, const std::optional<T>& value, T low, T high) {
  if (value) Within(name, *value, low, high);
}

template <typename Enum>
void Exists(const char* name, Enum value) {
  if (NameOf(value).empty()) Fail("the ", name, " ", static_cast<int>(value), " is none that there is");
}

}  // namespace

std::string_view NameOf(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kSgd:
      return "sgd";
    case OptimizerKind::kRmsprop:
      return "rmsprop";
    case OptimizerKind::kAdamw:
      return "adamw";
  }
  return "";
}

std::string_view NameOf(Decay decay) {
  switch (decay) {
    case Decay::kMixing:
      return "mixing";
    case Decay::kWeights:
      return "weights";
    case Decay::kAll:
      return "all";
  }
  return "";
}

std::string_view NameOf(Schedule schedule) {
  switch (schedule) {
    case Schedule::kCosine:
      return "cosine";
    case Schedule::kOneCycle:
      return "onecycle";
    case Schedule::kExponential:
      return "exponential";
  }
  return "";
}

std::string_view NameOf(AugmentOptions::Crop crop) {
  switch (crop) {
    case AugmentOptions::Crop::kAuto:
      return "auto";
    case AugmentOptions::Crop::kNone:
      return "none";
    case AugmentOptions::Crop::kPadded:
      return "padded";
    case AugmentOptions::Crop::kResized:
      return "resized";
  }
  return "";
}

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

void CheckOptions(const TrainingOptions& o) {
  CheckRecipe(o.network);
  Exists("optimizer", o.optimizer.kind);
  Exists("decay", o.optimizer.decay);
  if (o.schedule) Exists("schedule", *o.schedule);
  Exists("crop", o.augment.crop);
  constexpr double kLeastMixup = 0.01;  // below, one of the two has all of nearly every pair
  Within("epochs", o.epochs, 1, 1'000'000);
  Within("batch", o.batch, 1, 65'536);
  Within("minutes", o.minutes, 0.0, 1e6);
  Within("learning rate", o.learning_rate, 0.0, 1000.0);
  Within("momentum", o.optimizer.momentum, 0.0, 0.9999);
  Within("rho", o.optimizer.rho, 0.0, 0.99999);
  Within("epsilon", o.optimizer.epsilon, 1e-20, 1.0);
  Within("weight decay", o.optimizer.weight_decay, 0.0, 10.0);
  Within("clip", o.optimizer.clip, 0.0, 1e9);
  Within("warm-up", o.warmup, 0.0, 1.0);
  Within("label smoothing", o.label_smoothing, 0.0, 0.9);
  Within("dropout", o.dropout, 0.0, 0.95);
  Within("drop path", o.drop_path, 0.0, 0.95);
  Within("norm momentum", o.norm_momentum, 0.0, 0.9999);
  Within("average", o.average, 0.0, 0.999999);
  Within("jitter", o.augment.jitter, 0.0, 1.0);
  Within("erase", o.augment.erase, 0.0, 1.0);
  Within("mixup", o.augment.mixup, 0.0, 1.0);
  const double mixup = o.augment.mixup.value_or(0);
  if (mixup > 0 && mixup < kLeastMixup) Fail("mixup is ", mixup, ", expected 0 or ", kLeastMixup, " to 1");
  Within("the least share of a crop", o.augment.smallest, 0.01, 1.0);
  CheckThreads(o.threads);
  if (o.max_pixels < 1) Fail("max_pixels is 0, expected at least 1");
  Within("the validation share", o.validation_share, 0.0, 1.0);
  Within("the time between checkpoints", o.checkpoint_seconds, 0.0, 1e9);
  if (o.resume && o.checkpoint.empty()) Fail("training is to be resumed, but no checkpoint is named");
  if (o.freeze_backbone && !o.from) Fail("the backbone is to be frozen, but there is no model to start from");
}

}  // namespace mobilenet
