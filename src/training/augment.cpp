#include "training/augment.h"

#include <algorithm>
#include <cmath>

#include "training/pixels.h"
#include "training/trivial_augment.h"

namespace mobilenet {
namespace {

// A window of the picture's own size, up to an eighth of it away from its place; grey where it leaves the
// picture.
Image PaddedCrop(const Image& image, Random& random) {
  const int most_x = std::max(1, image.width / 8);
  const int most_y = std::max(1, image.height / 8);
  const int dx = random.Below(2 * most_x + 1) - most_x;
  const int dy = random.Below(2 * most_y + 1) - most_y;
  Image moved = image;
  std::ranges::fill(moved.pixels, kGrey);
  const auto channels = static_cast<std::size_t>(image.channels);
  const int begin = std::max(0, -dx);
  const int end = std::min(image.width, image.width - dx);
  for (int y = std::max(0, -dy); y < std::min(image.height, image.height - dy); ++y) {
    const std::uint8_t* from =
        image.pixels.data() + (static_cast<std::size_t>(y + dy) * image.width + begin + dx) * channels;
    std::copy_n(from, (end - begin) * channels,
                moved.pixels.data() + (static_cast<std::size_t>(y) * image.width + begin) * channels);
  }
  return moved;
}

// Szegedy et al. 2015: a share of the area from `smallest` to 1, sides from 3 : 4 to 4 : 3 of `aspect`, the
// input's width over its height; the largest such part after ten draws that don't fit.
Box RandomBox(int width, int height, double aspect, double smallest, Random& random) {
  const double area = static_cast<double>(width) * height;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double part = area * random.Uniform(smallest, 1);
    const double ratio = aspect * std::exp(random.Uniform(std::log(3.0 / 4), std::log(4.0 / 3)));
    const double w = std::sqrt(part * ratio);
    const double h = std::sqrt(part / ratio);
    if (w > width || h > height) continue;
    const double left = random.Uniform(0, width - w);
    const double top = random.Uniform(0, height - h);
    return {.left = left,
            .top = top,
            .right = std::min<double>(left + w, width),
            .bottom = std::min<double>(top + h, height)};
  }
  const double w = std::min<double>(width, height * aspect * 4.0 / 3);
  const double h = std::min<double>(height, width / aspect * 4.0 / 3);
  return {
      .left = (width - w) / 2, .top = (height - h) / 2, .right = (width + w) / 2, .bottom = (height + h) / 2};
}

void Flip(Image& image) {
  const auto channels = static_cast<std::size_t>(image.channels);
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* row = image.pixels.data() + static_cast<std::size_t>(y) * image.width * channels;
    for (int left = 0, right = image.width - 1; left < right; ++left, --right) {
      std::swap_ranges(row + left * channels, row + (left + 1) * channels, row + right * channels);
    }
  }
}

// Brightness, contrast and saturation, each by a factor of 1 - jitter to 1 + jitter.
void Jitter(Image& image, double jitter, Random& random) {
  const auto brightness = static_cast<float>(random.Uniform(1 - jitter, 1 + jitter));
  const auto contrast = static_cast<float>(random.Uniform(1 - jitter, 1 + jitter));
  const auto saturation = static_cast<float>(random.Uniform(1 - jitter, 1 + jitter));
  if (image.channels != 3) return;
  double sum = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) sum += Luma(image.pixels.data() + i);
  const float mean = brightness * static_cast<float>(3 * sum / static_cast<double>(image.pixels.size()));
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = image.pixels.data() + i;
    const float grey = Luma(pixel);
    for (int c = 0; c < 3; ++c) {
      const float coloured = brightness * (grey + saturation * (static_cast<float>(pixel[c]) - grey));
      pixel[c] = Byte(mean + contrast * (coloured - mean));
    }
  }
}

void Erase(Image& image, double share, Random& random) {
  const int side = static_cast<int>(std::lround(share * std::min(image.width, image.height)));
  const int x =
      random.Below(image.width) - side / 2;  // the centre may lie anywhere, so parts may lie outside
  const int y = random.Below(image.height) - side / 2;
  const auto channels = static_cast<std::size_t>(image.channels);
  const int begin = std::max(0, x);
  const int end = std::min(image.width, x + side);
  if (begin >= end) return;
  for (int row = std::max(0, y); row < std::min(image.height, y + side); ++row) {
    std::fill_n(image.pixels.data() + (static_cast<std::size_t>(row) * image.width + begin) * channels,
                (end - begin) * channels, kGrey);
  }
}

}  // namespace

Image Augment(const Image& image, const AugmentOptions& options, int width, int height, Random& random,
              ResizeFilter filter) {
  Image varied;
  switch (options.crop) {
    case AugmentOptions::Crop::kPadded:
      varied = PaddedCrop(image, random);
      break;
    case AugmentOptions::Crop::kResized:
      varied = Resize(image, width, height, filter,
                      RandomBox(image.width, image.height, static_cast<double>(width) / height,
                                options.smallest, random));
      break;
    default:
      varied = image;
  }
  if (options.flip && random.Below(2) == 1) Flip(varied);
  if (options.trivial.value_or(false)) TrivialAugment(varied, random);
  if (options.jitter > 0) Jitter(varied, options.jitter, random);
  if (options.erase > 0) Erase(varied, options.erase, random);
  return varied;
}

double Beta(double a, Random& random) {
  for (;;) {
    const double u = std::pow(random.Uniform(), 1 / a);
    const double v = std::pow(random.Uniform(), 1 / a);
    if (u + v <= 1 && u + v > 0) return u / (u + v);
  }
}

}  // namespace mobilenet
