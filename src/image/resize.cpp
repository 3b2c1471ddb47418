// Separable resampling in the arithmetic of Pillow's Image.resize: one row of weights for each output
// coordinate, rounded to 22 fractional bits, applied along one axis, rounded to 8 bits, then along the other.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/fail.h"
#include "image/resize_passes.h"
#include "image/resize_taps.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

void CheckArguments(const Image& image, int width, int height, const Box& box) {
  if (image.width < 1 || image.height < 1 || (image.channels != 1 && image.channels != 3)) {
    Fail("resize: an image of ", image.width, " x ", image.height, " pixels and ", image.channels,
         " channels, expected at least one pixel and 1 or 3 channels");
  }
  const std::size_t samples = static_cast<std::size_t>(image.width) * image.height * image.channels;
  if (image.pixels.size() != samples) {
    Fail("resize: an image of ", image.width, " x ", image.height, " pixels and ", image.channels,
         " channels needs ", samples, " bytes, found ", image.pixels.size());
  }
  if (width < 1 || height < 1 ||
      static_cast<std::size_t>(width) > kMaxPixels / static_cast<std::size_t>(height)) {
    Fail("resize: to ", width, " x ", height, " pixels, expected at least one and at most ", kMaxPixels,
         " in all");
  }
  // Written so that a NaN fails too.
  const bool inside = box.left >= 0 && box.top >= 0 && box.right <= image.width && box.bottom <= image.height;
  const bool has_area = static_cast<float>(box.left) < static_cast<float>(box.right) &&
                        static_cast<float>(box.top) < static_cast<float>(box.bottom);
  if (!inside || !has_area) {
    Fail("resize: the box from ", box.left, ", ", box.top, " to ", box.right, ", ", box.bottom,
         " is empty or leaves the image of ", image.width, " x ", image.height, " pixels");
  }
}

Image Resized(const Image& image, int width, int height, ResizeFilter filter, const Box& box) {
  CheckArguments(image, width, height, box);
  const Taps across =
      MakeTaps(filter, image.width, static_cast<float>(box.left), static_cast<float>(box.right), width);
  const Taps down =
      MakeTaps(filter, image.height, static_cast<float>(box.top), static_cast<float>(box.bottom), height);
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t stride = image.width * channels;
  const std::size_t end = (static_cast<std::size_t>(down.begin) + down.extent - 1) * stride +
                          (static_cast<std::size_t>(across.begin) + across.extent) * channels;
  const SampleRows input = {image.pixels.data() + down.begin * stride + across.begin * channels, stride,
                            image.pixels.size() - end};

  Image resized{.width = width, .height = height, .channels = image.channels, .pixels = {}};
  const std::size_t length = width * channels;
  resized.pixels.resize(length * height);
  const ResizePasses& passes = *AvailableResizePasses().front();
  // Across, then down, always. The order decides how the rounding in between falls: this is Pillow's up to
  // version 12; version 13 turns it round for some tall pictures, which moves a few values by one.
  std::vector<std::uint8_t> narrow(length * down.extent + kSpareBytes);
  passes.across(input, down.extent, image.channels, across, narrow.data());
  passes.down(narrow.data(), length, down, resized.pixels.data());
  return resized;
}

}  // namespace

Image Resize(const Image& image, int width, int height, ResizeFilter filter, const Box& box) {
  return OrOutOfMemory("the picture", [&] { return Resized(image, width, height, filter, box); });
}

}  // namespace mobilenet
