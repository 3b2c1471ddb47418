// TensorFlow Lite files with float32 weights.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "formats/graph.h"

namespace mobilenet {

// Whether the bytes carry TFLite's file identifier.
bool IsTflite(std::span<const std::uint8_t> bytes);

// Throws Error, naming the operator or tensor, for damage and for what is not read.
Graph ReadTflite(std::span<const std::uint8_t> bytes, std::string_view name);

}  // namespace mobilenet
