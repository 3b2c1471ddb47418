// Models for other people's runtimes. Part of libmobilenet.
#pragma once

#include <filesystem>

#include "mobilenet/export.h"
#include "mobilenet/model.h"

namespace mobilenet {

struct OnnxOptions {
  // True: the file's first operators do what `model.preprocessing` says of values, so that it takes pixels:
  // float32 RGB from 0 to 255, cut out and resized as the network needs them. False: it takes what the
  // network does.
  bool preprocessing = false;
};

// Writes an ONNX file (operator set 17, IR version 8), which ONNX Runtime and most others read: the whole
// file or, with an Error thrown, nothing. One input, "input", float32 [batch, channels, height, width], and
// one output, "logits", [batch, classes], without a softmax; any batch. A map of more than one pixel at the
// end is "features", in the same order of axes as the input. Batch norms are folded into the weights, so that
// what is trained from the file has none. Preprocessing, labels and provenance stand in metadata_props under
// names that begin with "mobilenet.", and Model::Load reads them back. Throws Error where the network or its
// weights don't hold together, the model has what its file could not tell again, and for all models where
// ONNX is not built in.
MOBILENET_EXPORT void SaveOnnx(const Model& model, const std::filesystem::path& path,
                               const OnnxOptions& options = {});

struct TfliteOptions {
  // As in OnnxOptions.
  bool preprocessing = false;
};

// Writes a TensorFlow Lite file, which LiteRT, Android's and MediaPipe's tools read: the whole file or, with
// an Error thrown, nothing. One input, "input", float32 [batch, height, width, channels], RGB also where the
// network was trained on BGR, whose first weights are turned around then; and one output, float32 [batch,
// classes]: probabilities, by a softmax or a sigmoid as `model.answers` says. Without a classifier it is the
// features, [batch, channels], or a map in the same order of axes as the input. Batch norms are folded into
// the weights. The file's metadata tells Android's tools of the normalisation and the labels, which lie in a
// ZIP archive at the file's end; preprocessing, answers and provenance stand besides under names that begin
// with "mobilenet.", and Model::Load reads all of it back. Throws Error where the network or its weights
// don't hold together, it has other inputs than RGB or grey, BGR is read by what is no convolution, a label
// has a line break, or there are more than 2^31 bytes.
MOBILENET_EXPORT void SaveTflite(const Model& model, const std::filesystem::path& path,
                                 const TfliteOptions& options = {});

// Writes safetensors with timm's names and layouts, for timm.create_model(...).load_state_dict: the whole
// file or, with an Error thrown, nothing. Batch norms stay, with a variance that makes up for an epsilon that
// is not PyTorch's 1e-5; of layers whose batch norm was folded they only add the bias. Preprocessing, labels
// and provenance stand in the metadata under names that begin with "mobilenet.", as does timm's name of the
// network ("mobilenet.architecture"), and Model::Load reads them back. Throws Error where the network or its
// weights don't hold together, and where timm has no such network: other versions than V1 and V2, other
// alphas than its own, an activation that is not ReLU6, and padding that is not symmetric, as TensorFlow's.
MOBILENET_EXPORT void SaveTimm(const Model& model, const std::filesystem::path& path);

}  // namespace mobilenet
