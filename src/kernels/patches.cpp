#include "kernels/patches.h"

#include <algorithm>
#include <cstring>

namespace mobilenet {
namespace {

// The window's columns of one input row: `taps` pixels from `left` on, of which some may lie outside.
void CopyRow(const Window& w, const float* row, int left, float* to) {
  const auto channels = static_cast<std::size_t>(w.input_channels);
  const int begin = std::clamp(-left, 0, w.kernel);
  const int end = std::clamp(w.input_width - left, begin, w.kernel);
  std::fill_n(to, begin * channels, 0.0F);
  std::copy_n(row + (left + begin) * w.input_channels, (end - begin) * channels, to + begin * channels);
  std::fill_n(to + end * channels, (w.kernel - end) * channels, 0.0F);
}

}  // namespace

void CopyPatches(const Window& w, const float* input, std::size_t begin, std::size_t end, float* patches) {
  const std::size_t run = static_cast<std::size_t>(w.kernel) * w.input_channels;
  const std::size_t pitch = static_cast<std::size_t>(w.input_width) * w.input_channels;
  // The windows of RGB images are 9 floats a row, and there are many: a copy of known size is two moves.
  constexpr std::size_t kRgbRun = 9;
  for (std::size_t pixel = begin; pixel < end; ++pixel) {
    const int top = static_cast<int>(pixel / w.output_width) * w.stride - w.padding_top;
    const int left = static_cast<int>(pixel % w.output_width) * w.stride - w.padding_left;
    const bool inside = left >= 0 && left + w.kernel <= w.input_width;
    for (int ky = 0; ky < w.kernel; ++ky, patches += run) {
      const int y = top + ky;
      if (y < 0 || y >= w.input_height) {
        std::fill_n(patches, run, 0.0F);
      } else if (!inside) {
        CopyRow(w, input + y * pitch, left, patches);
      } else if (run == kRgbRun) {
        std::memcpy(patches, input + y * pitch + left * w.input_channels, kRgbRun * sizeof(float));
      } else {
        std::memcpy(patches, input + y * pitch + left * w.input_channels, run * sizeof(float));
      }
    }
  }
}

}  // namespace mobilenet
