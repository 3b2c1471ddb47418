// Small pictures for reports.
#pragma once

#include <cstdint>
#include <vector>

#include "mobilenet/image.h"

namespace mobilenet {

// A JPEG file of an RGB or grey picture; `quality` is libjpeg's, 1 to 100. Throws Error where libjpeg fails.
std::vector<std::uint8_t> EncodeJpeg(const Image& image, int quality);

}  // namespace mobilenet
