// ONNX files with float32 or float16 weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "mobilenet/model.h"

namespace mobilenet {

// The network in the bytes. `folder` is where the file lies, which may keep its weights in files beside it;
// null for bytes without a place. Throws Error, naming the node or tensor, for damage and for what is not
// read; and for all files where ONNX is not built in.
Model ReadOnnx(std::span<const std::uint8_t> bytes, std::string_view name,
               const std::filesystem::path* folder = nullptr);

}  // namespace mobilenet
