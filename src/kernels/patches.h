// A convolution's input, laid out so that a matrix product can read its windows.
#pragma once

#include <cstddef>

#include "kernels/kernels.h"

namespace mobilenet {

// Copies `pixels` pixels of the window's input row from column `left` on, zeros where that is outside; all
// zeros where `row` is null. The row's pixels lie without gaps.
void CopyPixels(const Window& window, const float* row, int left, std::size_t pixels, float* to);

// Writes the windows of the output pixels [begin, end) (counted row by row) as rows of kernel * kernel *
// channels floats, zeros where a window leaves the input, whose pixels are `pitch` floats apart.
void CopyPatches(const Window& window, const float* input, std::size_t pitch, std::size_t begin,
                 std::size_t end, float* patches);

}  // namespace mobilenet
