// TensorFlow Lite files whose maps are float32.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "mobilenet/model.h"

namespace mobilenet {

// The network in the bytes. Throws Error, naming the operator or tensor, for damage and for what is not read.
Model ReadTflite(std::span<const std::uint8_t> bytes, std::string_view name);

}  // namespace mobilenet
