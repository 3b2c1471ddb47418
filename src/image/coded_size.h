// How large the pictures in a HEIF file are for their codecs. What the file says of itself may be less, and
// libheif and the codecs take memory for what the coded data says.
#pragma once

#include <cstdint>
#include <span>

namespace mobilenet {

// The pixels of the largest coded picture, by the parameters of HEVC (in hvcC, and in items of type hvc1) and
// AV1 (in av1C, and in items of type av01). 0 where there are none, where an item of type av01 has none, or
// the file is damaged.
std::uint64_t MostCodedPixels(std::span<const std::uint8_t> file);

}  // namespace mobilenet
