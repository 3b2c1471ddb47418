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
  // (TrivialAugment, Mueller and Hutter 2021).
  bool trivial = false;
  double jitter = 0;  // brightness, contrast and saturation change by up to this share
  double erase = 0;   // a square of this share of the side turns grey (DeVries and Taylor 2017)
  double mixup = 0;   // parameter of the beta distribution of Zhang et al. 2018, from 0.01; 0: none
};
MOBILENET_EXPORT std::string_view NameOf(AugmentOptions::Crop crop);  // "auto", "none", "padded", "resized"

struct TrainingOptions {
  Recipe network;  // `classes` comes from the data
  // A model to start from: all of its weights but, for classes that it doesn't know, those of the classifier,
  // which must be a fully connected layer at the network's end. Its network counts, and `network` doesn't.
  std::optional<Model> from;
  std::optional<Resolution> resolution;  // of `from`, in place of its own
  // Train only the classifier, on features that are computed once. Its optimiser, rate and regularisation are
  // those of a logistic regression in float32: of all below only epochs, batch, seed, threads, what is said
  // of data and checkpoints, and of `augment` the crop count, which says how pictures are seen in use.
  bool freeze_backbone = false;
  // Of the classifier alone, in the same way, before all else, where `from` lacks a class.
  int head_epochs = 30;

  // kBfloat16: maps, their gradients and the factors of products are rounded to it, weights and sums stay
  // float32. Without one: the faster here.
  std::optional<Precision> precision = Precision::kFloat32;

  int epochs = 30;
  int batch = 128;  // at most: an epoch sees every picture, in steps of equal size but for one picture
  double learning_rate = 0;  // the highest; 0: what suits the optimiser and the batch
  OptimizerOptions optimizer;
  Schedule schedule = Schedule::kOneCycle;
  double warmup = 0.05;  // share of the steps
  double label_smoothing = 0.1;
  double dropout = 0;
  double norm_momentum = 0.9;  // of batch norms' running means
  double average = 0.998;      // of the weights from step to step, which is what is kept in the end; 0: none
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

// Pictures by class, and which of them training must not see.
struct TrainingData {
  std::vector<std::string> classes;  // sorted
  std::vector<Sample> training;
  std::vector<Sample> validation;
  bool drawn = false;                        // `validation` was drawn at random
  std::vector<std::filesystem::path> roots;  // the folders that hold the folders of classes; none for a list

  // DIR/train/CLASS/* with DIR/val or DIR/validation or DIR/test beside it, DIR/CLASS/*, or a list: a file, a
  // tab, a class, and optionally a tab and "train" or "val". Where neither says what to validate with, each
  // picture is held out with the probability `validation_share`, by `seed` and the names of picture, folder
  // and class alone: with the same share and seed its side stays when others are added. The price is
  // exactness: of n pictures of a class, n * share +- sqrt(n * share * (1 - share)) are held out, of five
  // perhaps none. Throws Error where a class has no pictures to train on, or in a split that was given none
  // to validate with, where there are fewer than two classes, or where a list has a picture on both sides or
  // in two classes.
  MOBILENET_EXPORT static TrainingData Find(const std::filesystem::path& path, double validation_share,
                                            std::uint64_t seed);
};

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
  bool classifier_first = false;  // while the classifier is trained alone, before all else
  int epoch = 0;                  // from 1
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
  // A picture that can't be read, and is left out; a checkpoint that can't be written; what differs from the
  // checkpoint when training is resumed.
  std::function<void(const std::string& message)> warning;
  std::function<void(const TrainingProgress&)> step;
  std::function<void(const std::vector<EpochRecord>&)> epoch;  // all so far
  // Asked after each step, and often while preparing and validating; true: write the checkpoint and return.
  std::function<bool()> stop;
};

struct TrainingResult {
  Model model;
  bool stopped = false;    // by the observer
  bool kept = false;       // the checkpoint holds all that was trained
  std::int64_t steps = 0;  // that the model was trained for, a classifier trained before all else apart
  Precision precision = Precision::kFloat32;  // that it was trained in
  std::vector<EpochRecord> epochs;
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
