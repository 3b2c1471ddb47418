// What the values of a map, or of a row of one, are stored as.
#pragma once

#include <cstddef>

namespace mobilenet {

enum class Format { kFloat32, kBfloat16, kFloat16 };

// Bytes of a value.
constexpr std::size_t SizeOf(Format format) { return format == Format::kFloat32 ? 4 : 2; }

}  // namespace mobilenet
