// The one EXIF field that changes what a picture shows.
#pragma once

#include <cstdint>
#include <span>

namespace mobilenet {

// The orientation, 1 to 8, in EXIF data (a TIFF structure, with or without the "Exif\0\0" of JPEG before it);
// 1, upright, where there is none or the data is damaged. Reads the first directory once and follows no
// chain, so that no input can make it loop.
int ExifOrientation(std::span<const std::uint8_t> exif);

}  // namespace mobilenet
