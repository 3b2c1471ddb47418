// Keras: layers by the names that keras.applications gives them, or by the configuration that .h5 files
// carry.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "formats/safetensors.h"
#include "formats/sequence.h"

namespace mobilenet {

// Layer name -> weight name ("kernel", "gamma", ...) -> tensor.
using KerasWeights = std::map<std::string, std::map<std::string, Tensor, std::less<>>, std::less<>>;

// From the names of keras.applications.MobileNet: conv1, conv1_bn, conv_dw_1, ..., conv_pw_13_bn, conv_preds.
// Throws Error, naming the first layer that is missing or has a weight of the wrong rank.
ImportedNetwork FromKerasNames(std::string_view file, const KerasWeights& weights);

// From the JSON in a file's model_config. Throws Error, naming the first layer that doesn't belong.
ImportedNetwork FromKerasConfig(std::string_view file, std::string_view config, const KerasWeights& weights);

// Whether a safetensors file holds weights under Keras's names, as "conv1/kernel".
bool HasKerasNames(const Safetensors& file);
ImportedNetwork ReadKerasSafetensors(const Safetensors& file);

// A Keras .h5 file: a whole model, or its weights alone under keras.applications' names.
ImportedNetwork ReadKerasHdf5(std::span<const std::uint8_t> bytes, std::string_view name);

}  // namespace mobilenet
