// A model: a network, its weights, and everything that its user needs to get the same answers as its maker.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "mobilenet/export.h"
#include "mobilenet/network.h"
#include "mobilenet/preprocessing.h"
#include "mobilenet/tensor.h"

namespace mobilenet {

// A value: copies are cheap, since weights are shared.
struct Model {
  Network network;
  Weights weights;
  Preprocessing preprocessing;
  std::vector<std::string> labels;  // one for each class, or none at all
  std::map<std::string, std::string>
      provenance;  // where it comes from: "source", "imported from", "command", ...

  // Reads a model file of any format that we know, told apart by its content: our own safetensors,
  // Keras-named V1 weights in safetensors, Keras .h5, float32 TFLite. Alpha, resolution, classes, padding and
  // preprocessing are worked out from the tensors where the file doesn't say. Throws Error. Part of
  // libmobilenet; with libmobilenet-core alone, call LoadSafetensors.
  MOBILENET_EXPORT static Model Load(const std::filesystem::path& path);

  // Reads our own format (docs/model-format.md). Weights are mapped, not copied: replace a file that is in
  // use, as Save does, and never cut it off. Throws Error.
  MOBILENET_EXPORT static Model LoadSafetensors(const std::filesystem::path& path);

  // Writes our own format: the whole file or, with an Error thrown, nothing. Refuses what could not be loaded
  // again; in `provenance`, bytes that are not UTF-8 become U+FFFD. With kBfloat16 or kFloat16 the weights
  // that mix channels, nearly all there are, are rounded to it and take half the space; kInt8 is refused, and
  // what is too large for the precision.
  MOBILENET_EXPORT void Save(const std::filesystem::path& path,
                             Precision precision = Precision::kFloat32) const;

  // The label of a class; its number as text where the model has no labels.
  [[nodiscard]] MOBILENET_EXPORT std::string Label(int index) const;
};

// Reads labels, a line each. Blank lines at the end are dropped, and so is a first line "background" where
// there is one line more than `classes`. Throws Error where the number of lines doesn't fit.
MOBILENET_EXPORT std::vector<std::string> LoadLabels(const std::filesystem::path& path, int classes);

}  // namespace mobilenet
