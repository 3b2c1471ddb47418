#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/fail.h"
#include "image/normalise.h"

namespace mobilenet {
namespace {

// ITU-R BT.601's weights in 16 fractional bits, as in Pillow's convert("L").
std::uint8_t Luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16);
}

void WriteGrey(const Image& image, const Preprocessing& preprocessing, std::span<float> output) {
  const std::size_t channels = static_cast<std::size_t>(image.channels);
  for (std::size_t i = 0; i < output.size(); ++i) {
    const std::uint8_t* pixel = image.pixels.data() + i * channels;
    const std::uint8_t grey = channels == 3 ? Luma(pixel) : *pixel;
    output[i] = (grey - preprocessing.mean[0]) * preprocessing.scale[0];
  }
}

void WriteColour(const Image& image, const Preprocessing& preprocessing, std::span<float> output) {
  const bool is_grey = image.channels == 1;
  const std::size_t stride = is_grey ? 1 : 3;
  std::size_t source[3] = {0, 1, 2};
  if (preprocessing.order == ChannelOrder::kBgr) std::swap(source[0], source[2]);
  if (is_grey) std::fill_n(source, 3, 0);
  const std::uint8_t* pixel = image.pixels.data();
  for (std::size_t i = 0; i < output.size(); i += 3, pixel += stride) {
    for (std::size_t c = 0; c < 3; ++c) {
      output[i + c] = (pixel[source[c]] - preprocessing.mean[c]) * preprocessing.scale[c];
    }
  }
}

// A JPEG is decoded at no less than twice this many times the size that is needed; 0: at its own. So its
// scaled decoding changes no filter's answer by more than bicubic's: at twice the size, of photos of ImageNet
// to 32 pixels, by a mean of 1.1 of 255 (bilinear), 1.3 (bicubic), 1.4 (lanczos), 1.7 (area), 2.7 (box), 9
// (bilinear-unaliased) and 12 (nearest); at four times, 0.8 (lanczos, area) and 1.6 (box).
int DecodeMargin(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kBilinear:
    case ResizeFilter::kBicubic:
      return 1;
    case ResizeFilter::kLanczos:
    case ResizeFilter::kArea:
      return 2;
    case ResizeFilter::kBox:
    case ResizeFilter::kNearest:
    case ResizeFilter::kBilinearUnaliased:
      return 0;
  }
  return 0;
}

}  // namespace

Box CropBox(int width, int height, const Preprocessing& preprocessing, int input_width, int input_height) {
  CheckPreprocessing(preprocessing);
  if (input_width < 1 || input_height < 1)
    Fail("preprocessing: to ", input_width, " x ", input_height, " pixels, expected at least one");
  double kept_width = width * static_cast<double>(preprocessing.crop);
  double kept_height = height * static_cast<double>(preprocessing.crop);
  if (preprocessing.shape == CropShape::kSquare) {
    const double aspect = static_cast<double>(input_width) / input_height;
    const double whole_width = kept_width;
    kept_width = std::min(kept_width, kept_height * aspect);
    kept_height = std::min(kept_height, whole_width / aspect);
  }
  const double left = (width - kept_width) / 2;
  const double top = (height - kept_height) / 2;
  return {.left = left, .top = top, .right = width - left, .bottom = height - top};
}

void Preprocess(const Image& image, const Preprocessing& preprocessing, int width, int height, int channels,
                std::span<float> output) {
  if (channels != 1 && channels != 3) Fail("preprocessing: ", channels, " channels, expected 1 or 3");
  if (width < 1 || height < 1)
    Fail("preprocessing: to ", width, " x ", height, " pixels, expected at least one");
  const std::size_t expected = static_cast<std::size_t>(width) * height * channels;
  if (output.size() != expected) {
    Fail("preprocessing: an output of ", output.size(), " floats, expected ", height, " x ", width, " x ",
         channels, " = ", expected);
  }
  const Image resized = Resize(image, width, height, preprocessing.filter,
                               CropBox(image.width, image.height, preprocessing, width, height));
  Normalise(resized, preprocessing, channels, output);
}

void Normalise(const Image& image, const Preprocessing& preprocessing, int channels,
               std::span<float> output) {
  channels == 1 ? WriteGrey(image, preprocessing, output) : WriteColour(image, preprocessing, output);
}

DecodeOptions DecodeOptionsFor(const Preprocessing& preprocessing, int width, int height) {
  CheckPreprocessing(preprocessing);
  if (width < 1 || height < 1)
    Fail("preprocessing: to ", width, " x ", height, " pixels, expected at least one");
  const int margin = DecodeMargin(preprocessing.filter);
  if (margin == 0) return {};
  // The kept part alone has to cover the input. A centred square follows the shorter side, whichever it is.
  const int longer = std::max(width, height);
  const bool is_square = preprocessing.shape == CropShape::kSquare;
  const auto whole = [&](int side) {
    constexpr double kMostPixels = 1 << 20;  // more than any JPEG has
    return static_cast<int>(
        std::min(std::ceil(margin * side / static_cast<double>(preprocessing.crop)), kMostPixels));
  };
  return {.target_width = whole(is_square ? longer : width),
          .target_height = whole(is_square ? longer : height)};
}

}  // namespace mobilenet
