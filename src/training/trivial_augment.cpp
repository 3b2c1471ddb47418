#include "training/trivial_augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "training/pixels.h"

namespace mobilenet {
namespace {

// Where a pixel comes from, seen from the centre: (xx x + xy y + dx, yx x + yy y + dy).
struct Affine {
  double xx = 1, xy = 0, dx = 0;
  double yx = 0, yy = 1, dy = 0;
};

// Bilinear, grey outside.
Image Warp(const Image& image, const Affine& from) {
  Image warped = image;
  const double centre_x = (image.width - 1) / 2.0;
  const double centre_y = (image.height - 1) / 2.0;
  const auto at = [&](int x, int y, int c) {
    const bool inside = x >= 0 && y >= 0 && x < image.width && y < image.height;
    const auto index = (static_cast<std::ptrdiff_t>(y) * image.width + x) * image.channels + c;
    return static_cast<float>(inside ? image.pixels[static_cast<std::size_t>(index)] : kGrey);
  };
  std::uint8_t* to = warped.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double u = from.xx * (x - centre_x) + from.xy * (y - centre_y) + from.dx + centre_x;
      const double v = from.yx * (x - centre_x) + from.yy * (y - centre_y) + from.dy + centre_y;
      const int left = static_cast<int>(std::floor(u));
      const int top = static_cast<int>(std::floor(v));
      const auto right_share = static_cast<float>(u - left);
      const auto lower_share = static_cast<float>(v - top);
      for (int c = 0; c < image.channels; ++c) {
        const float upper = at(left, top, c) + right_share * (at(left + 1, top, c) - at(left, top, c));
        const float lower =
            at(left, top + 1, c) + right_share * (at(left + 1, top + 1, c) - at(left, top + 1, c));
        *to++ = Byte(upper + lower_share * (lower - upper));
      }
    }
  }
  return warped;
}

// The picture's own way to be without contrast: its mean luma.
float MeanLuma(const Image& image) {
  double sum = 0;
  const auto step = static_cast<std::size_t>(image.channels);
  for (std::size_t i = 0; i < image.pixels.size(); i += step)
    sum += image.channels == 3 ? Luma(&image.pixels[i]) : static_cast<float>(image.pixels[i]);
  return static_cast<float>(sum * image.channels / static_cast<double>(image.pixels.size()));
}

void Contrast(float factor, Image& image) {
  const float mean = MeanLuma(image);
  for (std::uint8_t& value : image.pixels) value = Byte(mean + factor * (value - mean));
}

void Colour(float factor, Image& image) {
  if (image.channels != 3) return;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const float grey = Luma(&image.pixels[i]);
    for (std::size_t c = i; c < i + 3; ++c) image.pixels[c] = Byte(grey + factor * (image.pixels[c] - grey));
  }
}

// Between the picture and what a 3 x 3 window, its centre counting five times, makes of it; its edge stays.
void Sharpness(float factor, Image& image) {
  const Image sharp = image;
  const auto pixel = static_cast<std::size_t>(image.channels);
  const std::size_t row = static_cast<std::size_t>(image.width) * pixel;
  for (int y = 1; y + 1 < image.height; ++y) {
    for (std::size_t i = y * row + pixel; i < (y + 1) * row - pixel; ++i) {
      int sum = 4 * sharp.pixels[i];
      for (const std::size_t line : {i - row, i, i + row})
        sum += sharp.pixels[line - pixel] + sharp.pixels[line] + sharp.pixels[line + pixel];
      const float smooth = static_cast<float>(sum) / 13;
      image.pixels[i] = Byte(smooth + factor * (static_cast<float>(sharp.pixels[i]) - smooth));
    }
  }
}

using Histogram = std::array<int, 256>;

// Each channel through a table that is made from its histogram.
template <typename TableOf>
void ByChannel(Image& image, const TableOf& table_of) {
  const auto step = static_cast<std::size_t>(image.channels);
  for (std::size_t c = 0; c < step; ++c) {
    Histogram histogram{};
    for (std::size_t i = c; i < image.pixels.size(); i += step) ++histogram[image.pixels[i]];
    const std::array<std::uint8_t, 256> table = table_of(histogram);
    for (std::size_t i = c; i < image.pixels.size(); i += step) image.pixels[i] = table[image.pixels[i]];
  }
}

template <typename ValueOf>
std::array<std::uint8_t, 256> Table(const ValueOf& value_of) {
  std::array<std::uint8_t, 256> table{};
  for (int v = 0; v < 256; ++v) table[static_cast<std::size_t>(v)] = Byte(static_cast<float>(value_of(v)));
  return table;
}

// From the darkest to the lightest becomes 0 to 255.
std::array<std::uint8_t, 256> Stretched(const Histogram& histogram) {
  int low = 0;
  int high = 255;
  while (low < 255 && histogram[static_cast<std::size_t>(low)] == 0) ++low;
  while (high > low && histogram[static_cast<std::size_t>(high)] == 0) --high;
  return Table([&](int v) { return high == low ? v : 255.0 * (v - low) / (high - low); });
}

// As many pixels in one part of the range as in another of its size.
std::array<std::uint8_t, 256> Equalized(const Histogram& histogram) {
  std::array<int, 256> below{};
  int sum = 0;
  int last = 0;
  for (std::size_t v = 0; v < histogram.size(); ++v) {
    below[v] = sum;
    sum += histogram[v];
    if (histogram[v] != 0) last = histogram[v];
  }
  const int others = sum - last;
  return Table([&](int v) { return others == 0 ? v : 255.0 * below[static_cast<std::size_t>(v)] / others; });
}

}  // namespace

void Apply(Change change, double strength, Image& image) {
  const auto factor = static_cast<float>(1 + 0.9 * strength);
  const double angle = strength * std::numbers::pi / 6;
  switch (change) {
    case Change::kNone:
      return;
    case Change::kShearX:
      image = Warp(image, {.xy = 0.3 * strength});
      return;
    case Change::kShearY:
      image = Warp(image, {.yx = 0.3 * strength});
      return;
    case Change::kShiftX:
      image = Warp(image, {.dx = strength * image.width / 3});
      return;
    case Change::kShiftY:
      image = Warp(image, {.dy = strength * image.height / 3});
      return;
    case Change::kRotate:
      image =
          Warp(image,
               {.xx = std::cos(angle), .xy = -std::sin(angle), .yx = std::sin(angle), .yy = std::cos(angle)});
      return;
    case Change::kBrightness:
      return ByChannel(image,
                       [&](const Histogram&) { return Table([&](int v) { return double{factor} * v; }); });
    case Change::kColour:
      return Colour(factor, image);
    case Change::kContrast:
      return Contrast(factor, image);
    case Change::kSharpness:
      return Sharpness(factor, image);
    case Change::kPosterize: {
      const int lost = static_cast<int>(std::lround(4 * std::abs(strength)));
      return ByChannel(image,
                       [&](const Histogram&) { return Table([&](int v) { return v >> lost << lost; }); });
    }
    case Change::kSolarize: {
      const double from = 256 * (1 - std::abs(strength));
      return ByChannel(
          image, [&](const Histogram&) { return Table([&](int v) { return v < from ? v : 255 - v; }); });
    }
    case Change::kAutoContrast:
      return ByChannel(image, Stretched);
    case Change::kEqualize:
      return ByChannel(image, Equalized);
  }
}

void TrivialAugment(Image& image, Random& random) {
  const auto change = static_cast<Change>(random.Below(kChanges));
  Apply(change, random.Uniform(-1, 1), image);
}

}  // namespace mobilenet
