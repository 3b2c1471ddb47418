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

// What importers check as they follow a chain: how large the map is by now, and that nothing mixes pixels
// between the last convolution and the classifier but one average over the whole map, and nothing follows the
// classifier but a softmax. Throws Error, naming file and layer.
class ChainCheck {
 public:
  explicit ChainCheck(std::string_view file) : file_(file) {}

  void SetInput(int side);
  // A change of all values, which must come right after the input, and once.
  void Rescaling(const std::string& layer);
  // Zeros around the map, to be taken by the next convolution's "valid" padding.
  void Zeros(const std::string& layer, int before, int after);
  // The padding style that a convolution's own padding and the zeros before it amount to.
  PaddingStyle Convolution(const std::string& layer, int kernel, int stride, bool same);
  // A 1 x 1 convolution: behind the average it is the classifier.
  void Pointwise(const std::string& layer);
  // An average over `window` pixels a side; 0 for the whole map.
  void Average(const std::string& layer, int window);
  void Classifier(const std::string& layer);
  void Softmax(const std::string& layer);
  void End() const;

 private:
  [[noreturn]] void Bad(const std::string& layer, std::string_view what) const;
  void ExpectBody(const std::string& layer) const;

  std::string file_;
  int side_ = 0;  // of the map; 0 where the file doesn't say
  int before_ = 0;
  int after_ = 0;
  bool begun_ = false;  // something came after the input
  bool averaged_ = false;
  bool classified_ = false;
  bool ended_ = false;
};

struct ImportedNetwork {
  std::string file;    // for messages
  std::string format;  // "Keras HDF5", ...
  std::optional<Resolution> resolution;
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
