#include "kernels/patches.h"

#include <algorithm>

namespace mobilenet {

void CopyPixels(const Window& w, const float* row, int left, std::size_t pixels, float* to) {
  const auto channels = static_cast<std::size_t>(w.input_channels);
  const int count = static_cast<int>(pixels);
  const int begin = row == nullptr ? count : std::clamp(-left, 0, count);
  const int end = row == nullptr ? count : std::clamp(w.input_width - left, begin, count);
  std::fill_n(to, begin * channels, 0.0F);
  if (begin < end)
    std::copy_n(row + (left + begin) * channels, (end - begin) * channels, to + begin * channels);
  std::fill_n(to + end * channels, (count - end) * channels, 0.0F);
}

void CopyPatches(const Window& w, const float* input, std::size_t pitch, std::size_t begin, std::size_t end,
                 float* patches) {
  const auto channels = static_cast<std::size_t>(w.input_channels);
  for (std::size_t pixel = begin; pixel < end; ++pixel) {
    const int top = static_cast<int>(pixel / w.output_width) * w.stride.down - w.padding_top;
    const int left = static_cast<int>(pixel % w.output_width) * w.stride.across - w.padding_left;
    if (pitch == channels && left >= 0 && left + w.kernel <= w.input_width) {  // whole rows of the window
      const std::size_t length = w.kernel * channels;
      for (int y = top; y < top + w.kernel; ++y, patches += length) {
        if (y < 0 || y >= w.input_height) {
          std::fill_n(patches, length, 0.0F);
        } else {
          std::copy_n(input + (static_cast<std::size_t>(y) * w.input_width + left) * pitch, length, patches);
        }
      }
      continue;
    }
    for (int y = top; y < top + w.kernel; ++y) {
      for (int x = left; x < left + w.kernel; ++x, patches += channels) {
        if (y < 0 || y >= w.input_height || x < 0 || x >= w.input_width) {
          std::fill_n(patches, channels, 0.0F);
        } else {
          std::copy_n(input + (static_cast<std::size_t>(y) * w.input_width + x) * pitch, channels, patches);
        }
      }
    }
  }
}

}  // namespace mobilenet
