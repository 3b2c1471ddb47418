// Keras: layers by the names that keras.applications gives them, or by the configuration that .h5 files
// carry.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/graph.h"
#include "formats/hdf5.h"
#include "formats/safetensors.h"

namespace mobilenet {

// The group that a weight lies in ("conv1", "conv1/conv1", "inner/conv1") -> its name ("kernel", "gamma",
// ...)
// -> tensor.
using KerasWeights = std::map<std::string, std::map<std::string, Tensor, std::less<>>, std::less<>>;

// From the names of keras.applications.MobileNet: conv1, conv1_bn, conv_dw_1, ..., conv_pw_13_bn, conv_preds;
// or of its MobileNetV2: Conv1, bn_Conv1, expanded_conv_depthwise, ..., block_16_project_BN, Conv_1,
// predictions. Throws Error, naming the first layer that is missing or has a weight of the wrong rank.
Graph FromKerasNames(std::string_view file, const KerasWeights& weights);

// From the JSON in a file's model_config. Throws Error, naming the first layer that can't be read.
Graph FromKerasConfig(std::string_view file, std::string_view config, const KerasWeights& weights);

// Whether a safetensors file holds weights under Keras's names, as "conv1/kernel" or "Conv1/kernel".
bool HasKerasNames(const Safetensors& file);
Graph ReadKerasSafetensors(const Safetensors& file);

// A Keras .h5 file: a whole model, or its weights alone under keras.applications' names, also Keras 3's
// .weights.h5.
Graph ReadKerasHdf5(const Hdf5& file);

// What a .keras archive of `packed` bytes holds: the configuration, and Keras 3's file of weights.
Graph ReadKeras3(std::string_view name, std::string_view config, std::span<const std::uint8_t> weights,
                 std::uint64_t packed);

// A TensorFlow.js layers model, of its model.json, with the files of weights that it names in `folder`, and
// the labels in a metadata.json there, as Teachable Machine exports them.
struct TfjsModel {
  Graph graph;
  std::vector<std::string> labels;  // empty for none
};
TfjsModel ReadTfjs(std::span<const std::uint8_t> bytes, std::string_view name,
                   const std::filesystem::path& folder);

}  // namespace mobilenet
