// Other people's networks, as every importer first sees them: a chain of layers with weights, in our layouts.
// Recognising which MobileNet the chain is happens here, once for all formats.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/model.h"

namespace mobilenet {

struct ImportedNorm {
  std::vector<float> gamma, beta, mean, variance;
  float epsilon = 1e-3F;
};

// A layer with weights and what follows it up to the next one. What the file doesn't say is left empty.
struct ImportedLayer {
  std::string name;  // in the file, for messages
  LayerKind kind = LayerKind::kConvolution;
  Tensor weight;  // [k, k, in, out], depthwise [k, k, channels], pointwise and fully connected [in, out]
  std::vector<float> bias;
  std::optional<ImportedNorm> norm;
  std::optional<Activation> activation;
  std::optional<int> stride;
  std::optional<PaddingStyle> padding;
};

struct ImportedNetwork {
  std::string file;    // for messages
  std::string format;  // "Keras HDF5", ...
  std::optional<int> resolution;
  std::optional<Preprocessing> preprocessing;
  std::vector<ImportedLayer> layers;
};

// Works out version, alpha, classes, output stride, padding, activation and preprocessing, and gives the
// weights our names. Throws Error, naming the first layer that no MobileNet has, for any other chain.
Model Recognise(const ImportedNetwork& network);

// What the weights were trained on, from the first layer alone: the batch norm's running mean and variance
// are those of the filters' responses to natural images, which only one of the usual normalisations explains.
// Batch norms that were folded leave a weaker trace. `evidence` says which, for the file's provenance.
Preprocessing InferPreprocessing(const ImportedLayer& first, std::string& evidence);

}  // namespace mobilenet
