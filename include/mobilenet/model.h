// A model: a network, its weights, and everything that its user needs to get the same answers as its maker.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/export.h"
#include "mobilenet/network.h"
#include "mobilenet/preprocessing.h"
#include "mobilenet/tensor.h"

namespace mobilenet {

struct LoadOptions {
  // True: weights are mapped from the file, which starts at once and shares memory among processes; the file
  // may be replaced, as Save does, but never cut off or written to while a Model or a copy of it lives, or
  // the process ends by SIGBUS. False: the file is read into memory and may change afterwards as it likes.
  bool mapped = true;
};

// What a network's outputs, logits, are: what makes probabilities of them.
enum class Answers {
  kSoftmax,  // of classes of which one is right: probabilities that add to 1
  kSigmoid,  // of labels of which any may be right: each has a probability by itself. One output alone is
             // that of class 1, and class 0 has the rest of its probability
};

// "softmax", "sigmoid".
MOBILENET_EXPORT std::string_view NameOf(Answers answers);

// A value: copies are cheap, since weights are shared.
struct Model {
  Network network;
  Weights weights;
  Preprocessing preprocessing;
  std::vector<std::string> labels;  // one for each class, or none at all
  std::map<std::string, std::string>
      provenance;  // where it comes from: "source", "imported from", "command", ...
  Answers answers = Answers::kSoftmax;

  // How many classes the model tells apart: one for each output, and two where it has one output and its
  // answers are kSigmoid. Throws Error where the network has no layers.
  [[nodiscard]] MOBILENET_EXPORT int classes() const;

  // Reads a model file of any format that we know, told apart by its content: our own safetensors, weights
  // under the names of Keras, torchvision or timm in safetensors and PyTorch's state dictionaries, Keras .h5
  // and .keras, TensorFlow.js, float TFLite, ONNX (the last and TensorFlow.js may need files beside it, in
  // its folder). Where the layers are those of a recipe, the network has it; any other network is custom.
  // Preprocessing is guessed from the weights where the file doesn't say (PreprocessingProbability). A
  // sigmoid at the network's end, or one output without any activation, makes its answers kSigmoid; the
  // second is an assumption, which `provenance` tells under "answers". A network of RGB with 1000 classes, or
  // 1001, and no labels in its file is taken for one of ImageNet, and gets the names of its classes
  // (LabelsAreAssumed). Throws Error. Part of libmobilenet; with libmobilenet-core alone, call
  // LoadSafetensors.
  MOBILENET_EXPORT static Model Load(const std::filesystem::path& path, const LoadOptions& options = {});

  // Reads our own format alone (docs/model-format.md). Throws Error.
  MOBILENET_EXPORT static Model LoadSafetensors(const std::filesystem::path& path,
                                                const LoadOptions& options = {});

  // The same from the bytes of a file, which are copied: they need not live on. `name` stands in errors.
  MOBILENET_EXPORT static Model Parse(std::span<const std::uint8_t> bytes, std::string_view name = "model");
  MOBILENET_EXPORT static Model ParseSafetensors(std::span<const std::uint8_t> bytes,
                                                 std::string_view name = "model");

  // Writes our own format: the whole file or, with an Error thrown, nothing. Refuses what could not be loaded
  // again; in `provenance`, bytes that are not UTF-8 become U+FFFD. With kBfloat16 or kFloat16 the weights
  // that mix channels, nearly all there are, are rounded to it and take half the space; kInt8 is refused, and
  // what is too large for the precision.
  MOBILENET_EXPORT void Save(const std::filesystem::path& path,
                             Precision precision = Precision::kFloat32) const;

  // The label of a class; its number as text where there is no label for it.
  [[nodiscard]] MOBILENET_EXPORT std::string Label(int index) const;

  // Whether the labels are ImageNet's because the file had none, which `provenance` tells under "labels".
  // Part of libmobilenet.
  [[nodiscard]] MOBILENET_EXPORT bool LabelsAreAssumed() const;

  // The probability, from 0 to 1 in hundredths, that the pixels of `preprocessing` are those that the weights
  // were trained on, where they were guessed from the weights; nothing where the file told, or somebody who
  // set them. `provenance` tells more under "preprocessing". Part of libmobilenet.
  [[nodiscard]] MOBILENET_EXPORT std::optional<double> PreprocessingProbability() const;
};

// Turns a network's output for one picture into the probabilities of its classes, in place: exp(x) / sum of
// exp, or 1 / (1 + exp(-x)) for each. One output with kSigmoid, of probability p, becomes two: 1 - p and p.
MOBILENET_EXPORT void ToProbabilities(Answers answers, std::vector<float>& output);

// The label of class `index`, or its number as text where `labels` has none for it.
MOBILENET_EXPORT std::string LabelOf(const std::vector<std::string>& labels, int index);

// Reads labels, a line each. Blank lines at the end are dropped, and so is a first line "background" where
// there is one line more than `classes`. Throws Error where the number of lines doesn't fit.
MOBILENET_EXPORT std::vector<std::string> LoadLabels(const std::filesystem::path& path, int classes);

}  // namespace mobilenet
