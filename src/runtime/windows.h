// The product of a convolution's windows with its weights, where windows are read from rows of the input
// instead of being gathered one by one.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/kernels.h"
#include "runtime/map_view.h"

namespace mobilenet {

// Calls use(y, begin, end) for each row of a map `width` wide that has some of the pixels [begin, end), which
// are counted row by row.
template <typename Use>
void ForEachRow(std::size_t begin, std::size_t end, std::size_t width, const Use& use) {
  while (begin < end) {
    const std::size_t y = begin / width;
    const std::size_t row_end = std::min(end, (y + 1) * width);
    use(y, begin - y * width, row_end - y * width);
    begin = row_end;
  }
}

// Which product windows are for: kernels.product; product_of_two, where c's pixels lie without gaps and parts
// begin and end at even ones; or product_bf16, where a row of the window has an even number of values.
enum class WindowRowsForm { kPlain, kTwoPixels, kBfloat16 };

// Floats of scratch for windows of up to `pixels` neighbours in a row.
std::size_t WindowScratch(const Window& window, WindowRowsForm form, std::size_t pixels);

// `task` has the matrix, where c begins and how far its rows are apart, and the range.
void MultiplyWindows(const Window& window, WindowRowsForm form, const Kernels& kernels,
                     const ProductTask& task, const MapView& input, const Part& part, float* scratch);

}  // namespace mobilenet
