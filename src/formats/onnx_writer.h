// Models as ONNX's messages.
#pragma once

#include <string>

#include "formats/onnx.pb.h"
#include "mobilenet/interchange.h"

namespace mobilenet {

// What SaveOnnx writes to `path`, which stands in errors.
onnx::Model OnnxOf(const Model& model, const OnnxOptions& options, const std::string& path);

}  // namespace mobilenet
