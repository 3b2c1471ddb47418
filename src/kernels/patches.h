// A convolution as a matrix product: each output pixel's window laid out as one row.
#pragma once

#include <cstddef>

#include "kernels/kernels.h"

namespace mobilenet {

// Writes the windows of the output pixels [begin, end) (counted row by row) as rows of kernel * kernel *
// channels floats, zeros where a window leaves the input.
void CopyPatches(const Window& window, const float* input, std::size_t begin, std::size_t end,
                 float* patches);

}  // namespace mobilenet
