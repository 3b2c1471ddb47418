// Training a network on photos in folders. Part of libmobilenet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mobilenet/classifier.h"
#include "mobilenet/error.h"
#include "mobilenet/export.h"
#include "mobilenet/model.h"
#include "mobilenet/training_data.h"

namespace mobilenet {

enum class OptimizerKind { kSgd, kRmsprop, kAdamw };
MOBILENET_EXPORT std::string_view NameOf(OptimizerKind kind);  // "sgd", "rmsprop", "adamw"

// What decays; biases never do.
enum class Decay {
  kMixing,   // the weights that mix channels: the MobileNet paper's advice (section 3.2)
  kWeights,  // depthwise filters too
  kAll,      // scales and shifts of batch norms too
};
MOBILENET_EXPORT std::string_view NameOf(Decay decay);  // "mixing", "weights", "all"

// How weights follow their gradients.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0.9;       // SGD: Nesterov's; RMSprop; AdamW: beta 1
  double rho = 0.9;            // of the mean square: RMSprop; AdamW: beta 2
  double epsilon = 1e-8;       // added to the root of the mean square
  double weight_decay = 5e-4;  // SGD and RMSprop: added to the gradient; AdamW: taken off the weight
  Decay decay = Decay::kMixing;
  double clip = 0;  // the largest norm of the whole gradient; 0 leaves it

  // The settings that the field uses with each.
  MOBILENET_EXPORT static OptimizerOptions For(OptimizerKind kind);
};

// How the learning rate goes from step to step.
enum class Schedule {
  kCosine,       // a short warm-up, then half a cosine to 0
  kOneCycle,     // up for 30 % of the steps, down for the rest
  kExponential,  // a short warm-up, then by equal factors to a hundredth
};
MOBILENET_EXPORT std::string_view NameOf(Schedule schedule);  // "cosine", "onecycle", "exponential"

// How training pictures are varied.
struct AugmentOptions {
  enum class Crop {
    kAuto,     // kPadded where no picture is much larger than the network's input, else kResized
    kNone,     // the picture as the network will see it in use
    kPadded,   // a margin of an eighth, and a window of the picture's size somewhere in it
    kResized,  // a part of random size and shape (Szegedy et al. 2015)
  };
  Crop crop = Crop::kAuto;
  double smallest = 0.35;  // of kResized: the least share of the picture's area
  bool flip = true;        // left and right, every second time
  // One change of random kind and strength to each picture: a shear, a shift, a turn, its colours
  // (TrivialAugment, Mueller and Hutter 2021). Empty: with a model to start from.
  std::optional<bool> trivial;
  double jitter = 0;  // brightness, contrast and saturation change by up to this share
  double erase = 0;   // a square of this share of the side turns grey (DeVries and Taylor 2017)
  // Pairs of pictures mixed: the parameter of the beta distribution of Zhang et al. 2018, from 0.01; 0: none;
  // empty: 0.2 with a model to start from, else none.
  std::optional<double> mixup;
};
MOBILENET_EXPORT std::string_view NameOf(AugmentOptions::Crop crop);  // "auto", "none", "padded", "resized"

struct TrainingOptions {
  Recipe network;  // `classes` comes from the data
  // A model to start from: all of its weights but, for classes that it doesn't know, those of the classifier,
  // which must be a fully connected layer at the network's end. Its network counts, and `network` doesn't.
  std::optional<Model> from;
  std::optional<Resolution> resolution;  // of `from`, in place of its own
  // Fit only the classifier: a logistic regression on features that are computed once, whose weight decay
  // pictures held out in turn decide on. Of all below only threads, cache, what is said of data and, of
  // `augment`, the crop count, which says how pictures are seen in use. Else the same is done before all
  // else where `from` lacks a class, and what is kept in the end is what validates best between that and the
  // whole network tuned (TrainingResult::blends).
  bool freeze_backbone = false;

  // kBfloat16: maps, their gradients and the factors of products are rounded to it, weights and sums stay
  // float32. Without one: the faster here.
  std::optional<Precision> precision = Precision::kFloat32;

  // Five that suit the number of pictures, the optimiser and each other where they are empty
  // (docs/training.md says how). An epoch sees every picture, in steps of equal size but for one picture, of
  // at most `batch`; the learning rate is the highest.
  std::optional<int> epochs;
  std::optional<int> batch;
  std::optional<double> learning_rate;
  std::optional<Schedule> schedule;
  std::optional<double> average;  // of the weights from step to step, which is what is kept; 0: none
  // Train calls for at most about so long, reading included: a step is timed, and there are as many as fit,
  // the learning rate falling to its end with the last. From nothing `epochs` that are empty are as many as
  // fit, else fewer than there would be. 0: no limit. Where it is set, the number of steps hangs on the
  // machine, and so do the weights.
  double minutes = 0;
  OptimizerOptions optimizer;
  double warmup = 0.05;  // share of the steps
  // Every class counts as much as the others in the loss, however many pictures it has: worth it where the
  // rare classes matter as much as the frequent ones, at some cost to the share that is right over all.
  bool balance = false;
  double label_smoothing = 0.1;
  double dropout = 0;
  // Share of the images for which the last block that is skipped (a sum's first input) is left out, blocks
  // before it in proportion to their number: stochastic depth (Huang et al. 2016). For long trainings of V4,
  // V3 and V2; V1 skips nothing.
  double drop_path = 0;
  double norm_momentum = 0.9;  // of batch norms' running means
  AugmentOptions augment;

  std::uint64_t seed = 1;
  int threads = 1;
  std::size_t cache_bytes = std::size_t{2}
                            << 30;      // for decoded pictures; what doesn't fit is decoded each time
  std::size_t max_pixels = kMaxPixels;  // of a picture, as in DecodeOptions
  double validation_share = 0.2;        // about, of the pictures, where the folder has no split

  // Written while training; empty: none. Whoever has kept the result removes it: as long as it is there,
  // training is not finished.
  std::filesystem::path checkpoint;
  double checkpoint_seconds = 120;  // at least this long apart, and after each epoch
  bool resume = false;              // go on from `checkpoint`
};

// Throws Error where an option is out of its range, as Train does first.
MOBILENET_EXPORT void CheckOptions(const TrainingOptions& options);

// How training went, epoch by epoch.
struct EpochRecord {
  int epoch = 0;             // from 1
  double learning_rate = 0;  // of the last step
  double training_loss = 0;
  double training_accuracy = 0;  // on augmented pictures, while weights moved
  double validation_loss = 0;
  double validation_accuracy = 0;
  double seconds = 0;  // since Train was called, reading included, with what was trained before a stop
};

// What the trained model says of a validation picture.
struct ValidationAnswer {
  int predicted = 0;
  float probability = 0;  // of `predicted`
};

struct TrainingProgress {
  int epoch = 0;  // from 1
  int epochs = 0;
  std::int64_t step = 0;  // of all, from 1
  std::int64_t steps = 0;
  double loss = 0;               // mean since the epoch began
  double accuracy = 0;           // the same
  double images_per_second = 0;  // of the epoch's steps, with the reading of their pictures
};

// Called on the thread that calls Train. Each may be empty.
struct TrainingObserver {
  // What is being prepared: "reading training pictures", "computing features of validation pictures".
  std::function<void(const std::string& what, std::size_t done, std::size_t of)> preparing;
  // What was chosen or found on the way, in words.
  std::function<void(const std::string& text)> note;
  // A picture that can't be read, and is left out; a checkpoint that can't be written; what differs from the
  // checkpoint when training is resumed.
  std::function<void(const std::string& message)> warning;
  std::function<void(const TrainingProgress&)> step;
  std::function<void(const std::vector<EpochRecord>&)> epoch;  // all so far
  // Asked after each step, and often while preparing and validating; true: write the checkpoint and return.
  std::function<bool()> stop;
};

// A network whose weights lie between those that tuning began with, where only the classifier had been
// fitted, and those that it ended with.
struct TrainingBlend {
  double share = 1;  // of the latter, 0 to 1
  double validation_loss = 0;
  double validation_accuracy = 0;
};
// What of the data will make the network worse, or its accuracy look better, than it need be, a sentence
// each: classes of few pictures, few pictures to train on from nothing, pictures on both sides of the split
// or in two classes that are the same or nearly so. Reads all pictures at a small size; those that can't be
// read are Train's to tell. Ends early where the observer asks for it. Throws Error where options.threads are
// refused or memory runs out.
MOBILENET_EXPORT std::vector<std::string> Examine(const TrainingData& data, const TrainingOptions& options,
                                                  const TrainingObserver& observer = {});

struct TrainingResult {
  Model model;
  bool stopped = false;                       // by the observer
  bool kept = false;                          // the checkpoint holds all that was trained
  std::int64_t steps = 0;                     // that the whole network was trained for
  Precision precision = Precision::kFloat32;  // that it was trained in
  std::vector<EpochRecord> epochs;            // one of a classifier alone
  int planned_epochs = 1;                     // that there were to be
  // With a model to start from that is not frozen: what was tried in the end, and the share of the one that
  // is `model`. A choice made on the validation pictures flatters it a little on these.
  std::vector<TrainingBlend> blends;
  double share = 1;
  double validation_loss = 0;  // of `model`
  double validation_accuracy = 0;
  // What was changed on the way by resuming with other options or pictures: "learning rate 0.1, from step 200
  // on 0.01".
  std::vector<std::string> changes;
  std::vector<ValidationAnswer> answers;  // for each of `validation`; none where stopped
  std::vector<Sample> training;           // those that could be read
  std::vector<Sample> validation;         // the same
  std::size_t unreadable = 0;
};

// Trains. Throws Error where options or data can't be used, where the loss is no longer a number, where a
// picture that was there is gone (the checkpoint is written first), where `checkpoint` holds a training that
// was not finished and is not to be resumed, or where what `resume` needs is not there, is damaged or was
// made with other options or other pictures. The same data, options and number of threads give the same
// weights, bit for bit, however often training was stopped and resumed. Learning rate, weight decay,
// clipping, threads and what is in the pictures may be others when it is resumed, with a warning.
MOBILENET_EXPORT TrainingResult Train(const TrainingData& data, const TrainingOptions& options,
                                      const TrainingObserver& observer = {});

// How good trainings of this kind are on pictures that had no part in them.
struct CrossValidation {
  std::vector<double> accuracies;  // top-1 of each fold
  double mean = 0;                 // over all pictures
  double error = 0;                // its standard error, from how the folds differ
};

// Trains `folds` times, from 3, on all pictures of both sides of `data` but two parts of `folds`: one to
// validate with, by which it is chosen what to keep, and one that is measured once, in the end. Where
// pictures are few this tells more than one split does, and nothing in it is flattered by a choice. Writes no
// checkpoints. Throws Error as Train does, and where a class has fewer pictures than there are folds.
// `observer.stop` ends it: what is returned then has fewer folds.
MOBILENET_EXPORT CrossValidation CrossValidate(const TrainingData& data, const TrainingOptions& options,
                                               int folds, const TrainingObserver& observer = {});

struct TrainingBenchmarkOptions {
  int batch = 128;
  int threads = 1;
  std::optional<Precision> precision = Precision::kFloat32;  // as in TrainingOptions
  double seconds = 4;                                        // at least three steps are taken
};

struct TrainingBenchmark {
  Precision precision = Precision::kFloat32;
  int steps = 0;
  double step_ms = 0;  // median; forward, backward and the optimiser's step
  double images_per_second = 0;
  double gflops = 0;  // 6 * mult-adds: forward, and twice that backward
  double peak_gflops =
      0;  // independent float32 multiply-adds in registers on as many threads, median of the same rounds
  double peak_share = 0;
  double pointwise_share = 0;    // of the peak, in the pointwise layers, with batch norms and activations
  std::size_t memory_bytes = 0;  // of maps, gradients and buffers
};

// Times training steps of random weights on random pixels. Throws Error as Train does.
MOBILENET_EXPORT TrainingBenchmark MeasureTraining(const Network& network,
                                                   const TrainingBenchmarkOptions& options = {});

}  // namespace mobilenet
