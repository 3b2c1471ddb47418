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

}  // namespace mobilenet
