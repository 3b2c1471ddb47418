// Photos in, labels out. Part of libmobilenet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/export.h"
#include "mobilenet/image.h"
#include "mobilenet/model.h"

namespace mobilenet {

// What `for (const auto& [label, probability, index] : classify.File(...))` takes apart.
struct Prediction {
  std::string label;  // the class's number as text where the model has no labels
  float probability;  // from 0 to 1
  int index;          // of the class, from 0
};

struct ClassifierOptions {
  int threads = 1;                                           // that work on one image together, 1 to 256
  std::optional<Precision> precision = Precision::kFloat32;  // as in PlanOptions
  MemoryUse memory = MemoryUse::kFast;                       // as in PlanOptions
  std::size_t max_pixels = kMaxPixels;                       // of a picture, as in DecodeOptions
};

struct TopOptions {
  int top = 5;  // how many predictions to return, best first, from 1; fewer where there are fewer classes
};

// Decodes, preprocesses and runs. Belongs to one thread at a time: copy it for each thread that classifies at
// once (a copy shares the weights and has its own working memory).
class MOBILENET_EXPORT Classifier {
 public:
  // Throws Error where the model's weights don't fit its network, its preprocessing or labels can't be used,
  // the threads are refused, or memory runs out.
  explicit Classifier(const Model& model, const ClassifierOptions& options = {});
  ~Classifier();
  Classifier(const Classifier& other);
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier other) noexcept;

  // A picture in a file; in memory, still encoded (`name` stands in errors); or decoded to RGB. Each throws
  // Error where it can't be used, where the network's answer is not finite, or where memory runs out.
  std::vector<Prediction> File(const std::filesystem::path& path, const TopOptions& options = {});
  std::vector<Prediction> Bytes(std::span<const std::uint8_t> encoded, const TopOptions& options = {},
                                std::string_view name = "image");
  std::vector<Prediction> Pixels(const Image& image, const TopOptions& options = {});

 private:
  struct State;
  static std::unique_ptr<State> Make(const Model& model, const ClassifierOptions& options);
  std::unique_ptr<State> state_;
};

// One picture of many. `predictions` is empty where `error` says what went wrong.
struct FileResult {
  std::size_t index = 0;  // in the list of files
  std::vector<Prediction> predictions;
  double ms = 0;  // from opening the file to its predictions
  std::string error;
};

struct FilesOptions {
  // Pictures in work at once, each on its own thread: one decodes while another runs. One picture alone is
  // worked on by all.
  int threads = 1;
  int top = 5;
  std::optional<Precision> precision = Precision::kFloat32;  // as in PlanOptions
  MemoryUse memory = MemoryUse::kFast;                       // as in PlanOptions
  std::size_t max_pixels = kMaxPixels;                       // of a picture, as in DecodeOptions
};

// Classifies files and calls `done` for each, in the order of the list, on the calling thread. A bad file is
// a result with an error, not an exception. If `done` throws, the rest is abandoned and the exception passed
// on. Throws Error as Classifier does.
MOBILENET_EXPORT void ClassifyFiles(const Model& model, std::span<const std::filesystem::path> files,
                                    const FilesOptions& options,
                                    const std::function<void(const FileResult&)>& done);

// The pictures in a folder and those below it, sorted by path: files that begin as one of the formats that we
// read, or that are named as a picture, also of other formats; and folders below that can't be read, so that
// whoever reads the list meets them. Links are followed, but never to a folder that has been read, or that
// holds this one. Hidden files and what systems leave (__MACOSX, @eaDir, Thumbs.db, ...) are left out. Throws
// Error where the folder can't be read.
MOBILENET_EXPORT std::vector<std::filesystem::path> FindImages(const std::filesystem::path& folder);

// A picture and its true class.
struct Sample {
  std::filesystem::path file;
  int label = 0;
};

// The labelled pictures of a folder, DIR/CLASS/*, or of a list of pictures and their classes, parted by tabs,
// or by commas or semicolons (CSV). Where a column says "train", "val" or "test" (by any usual name), those
// for "val" count, or, where there are none, those for "test". Classes are matched to the model's labels, or
// are numbers, or WordNet ids (n02123159) of a model of ImageNet; folders of a model without labels of its
// own are numbered in alphabetical order. Files in a list are looked for beside the list, and in a folder
// beside it that has its name (photos.tsv, photos/). `tell` hears what was guessed of a list: which columns
// count. Throws Error, naming the line or the folder, for a class that the model doesn't know.
MOBILENET_EXPORT std::vector<Sample> LoadSamples(const std::filesystem::path& path, const Model& model,
                                                 const std::function<void(const std::string&)>& tell = {});

// How far probabilities can be trusted: answers, by the probability that they were given with.
struct Reliability {
  struct Bin {
    int images = 0;
    int right = 0;
    double confidence = 0;  // the sum of the answers' probabilities
  };
  std::array<Bin, 10> bins;  // of equal width: from 0 to 0.1, ..., from 0.9 to 1

  MOBILENET_EXPORT void Add(double probability, bool right);
  // The expected calibration error (Guo et al. 2017, eq. 3): how far the share that is right lies from the
  // mean probability, bin by bin, as a mean over all answers. From 0 to 1; 0 where there are none.
  [[nodiscard]] MOBILENET_EXPORT double Error() const;
};

struct Evaluation {
  struct Class {
    int images = 0;
    int top1 = 0;      // right at first: of `images` the recall, of `answered` the precision
    int top5 = 0;      // among the five best
    int answered = 0;  // pictures of any class that were taken for this one
  };
  int images = 0;  // that could be read
  int failed = 0;
  double top1 = 0;  // shares of `images`
  double top5 = 0;
  double images_per_second = 0;
  Reliability reliability;     // of the first answers
  std::vector<Class> classes;  // by class number
};

// Classifies every sample, as ClassifyFiles does; at least five predictions each. Throws Error for a label
// that is no class of the model, before any picture is read.
MOBILENET_EXPORT Evaluation Evaluate(const Model& model, std::span<const Sample> samples,
                                     const FilesOptions& options,
                                     const std::function<void(const FileResult&)>& done);

// The balanced accuracy: the mean recall of the classes that have images, from 0 to 1; 0 where none has.
[[nodiscard]] MOBILENET_EXPORT double BalancedAccuracy(std::span<const Evaluation::Class> classes);

struct Calibration {
  Model model;             // the same, but for its classifier's weights and bias, divided by `temperature`
  double temperature = 1;  // above 1: the model was too sure
  int images = 0;          // that it was found on
  int failed = 0;          // that could not be read
  double loss_before = 0;  // mean cross-entropy of these images, in nats
  double loss_after = 0;
};

// Temperature scaling (Guo et al. 2017, section 4.2): finds the temperature T for which softmax(logits / T)
// has the least cross-entropy on the samples, between 0.05 and 20, and divides the classifier by it. Answers
// stay what they are; their probabilities become how often such answers are right. Take pictures that the
// model was not trained on. Classifies as ClassifyFiles does, all classes whatever `options.top` says, and
// calls `done`, which may be empty, for each. Throws Error where the network doesn't end with a fully
// connected layer, no picture can be read, a label is no class of the model, or the samples tell no
// temperature: all of them are answered rightly, or no better than by chance.
MOBILENET_EXPORT Calibration Calibrate(const Model& model, std::span<const Sample> samples,
                                       const FilesOptions& options = {},
                                       const std::function<void(const FileResult&)>& done = {});

}  // namespace mobilenet
