#include "report/thumbnails.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "image/encode_jpeg.h"
#include "image/shrink.h"
#include "mobilenet/error.h"
#include "report/html.h"
#include "training/pixels.h"

namespace mobilenet {
namespace {

constexpr int kThumbnail = 160;  // pixels of the longer side
constexpr int kQuality = 75;     // of JPEG

std::string Base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
  }
  return text;
}

std::string ImgTag(const Image& image, const std::string& alt) {
  return fmt::format("<img alt=\"{}\" src=\"data:image/jpeg;base64,{}\">", Escaped(alt),
                     Base64(EncodeJpeg(image, kQuality)));
}

Image Small(const Image& image) {
  return Shrink(image, std::min(1.0, static_cast<double>(kThumbnail) / std::max(image.width, image.height)));
}

// A map from 0 to 1, read anywhere: bilinear between the centres of its cells.
class Heat {
 public:
  explicit Heat(const ActivationMap& map) : map_(map) {
    const auto [least, most] = std::ranges::minmax(map.values);
    least_ = least;
    range_ = most > least ? most - least : 1;
  }

  // `x` and `y` in shares of the part that the map covers.
  [[nodiscard]] float At(double x, double y) const {
    const auto [left, right, across] = Between(x, map_.width);
    const auto [top, bottom, down] = Between(y, map_.height);
    const float above = std::lerp(Cell(left, top), Cell(right, top), across);
    return std::lerp(above, std::lerp(Cell(left, bottom), Cell(right, bottom), across), down);
  }

 private:
  struct Pair {
    int first, second;
    float share;  // of the second
  };
  static Pair Between(double at, int cells) {
    const double cell = std::clamp(at * cells - 0.5, 0.0, static_cast<double>(cells - 1));
    const int first = static_cast<int>(cell);
    return {first, std::min(first + 1, cells - 1), static_cast<float>(cell - first)};
  }
  [[nodiscard]] float Cell(int x, int y) const {
    return (map_.values[static_cast<std::size_t>(y) * map_.width + x] - least_) / range_;
  }

  const ActivationMap& map_;
  float least_ = 0;
  float range_ = 1;
};

// From red for little to yellow for much, the more opaque the more.
void Paint(float heat, std::uint8_t* pixel) {
  constexpr std::array<float, 3> kLittle = {200, 30, 60};
  constexpr std::array<float, 3> kMuch = {255, 220, 60};
  const float opacity = 0.8F * std::clamp((heat - 0.3F) / 0.6F, 0.0F, 1.0F);
  const float hot = std::clamp((heat - 0.4F) / 0.6F, 0.0F, 1.0F);
  for (std::size_t c = 0; c < 3; ++c) {
    const float colour = std::lerp(kLittle[c], kMuch[c], hot);
    pixel[c] =
        static_cast<std::uint8_t>(std::lround(std::lerp(static_cast<float>(pixel[c]), colour, opacity)));
  }
}

// Of a share of its brightness.
void TurnGrey(float share, std::uint8_t* pixel) {
  std::fill_n(pixel, 3, static_cast<std::uint8_t>(share * Luma(pixel)));
}

}  // namespace

Image HeatPicture(const Image& image, const ActivationMap& map) {
  const Heat heat(map);
  Image picture = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::uint8_t* pixel = &picture.pixels[(static_cast<std::size_t>(y) * image.width + x) * 3];
      const double across = ((x + 0.5) / image.width - map.part.left) / (map.part.right - map.part.left);
      const double down = ((y + 0.5) / image.height - map.part.top) / (map.part.bottom - map.part.top);
      const bool seen = across >= 0 && across <= 1 && down >= 0 && down <= 1;
      TurnGrey(seen ? 0.85F : 0.3F, pixel);
      if (seen) Paint(heat.At(across, down), pixel);
    }
  }
  return picture;
}

std::string ThumbnailHtml(const std::filesystem::path& file, std::size_t max_pixels) {
  const Image image =
      LoadImage(file, {.target_width = kThumbnail, .target_height = kThumbnail, .max_pixels = max_pixels});
  return ImgTag(Small(image), file.filename().string());
}

std::string OrWhyNot(const std::function<std::string()>& picture) {
  try {
    return picture();
  } catch (const OutOfMemory&) {
    throw;
  } catch (const Error& error) {  // gone since
    return fmt::format("<p class=\"note\">{}</p>", Escaped(error.what()));
  }
}

Thumbnails::Thumbnails(const Model& model, const ClassifierOptions& options)
    : decode_(DecodeOptionsFor(model.preprocessing, model.network.input.width, model.network.input.height)) {
  decode_.target_width = std::max(decode_.target_width, kThumbnail);
  decode_.target_height = std::max(decode_.target_height, kThumbnail);
  decode_.max_pixels = options.max_pixels;
  try {
    mapper_.emplace(model, options);
    if (mapper_->height() * mapper_->width() > 1) return;
    why_without_ = "the network's last feature map is a single cell";
    mapper_.reset();
  } catch (const OutOfMemory&) {
    throw;
  } catch (const Error& error) {
    why_without_ = error.what();
  }
}

std::string Thumbnails::Note() const {
  if (!mapper_) return "Where the network looked is left out: " + why_without_ + ".";
  return fmt::format(
      "The second picture shows where the network looked for its answer, the most in yellow: the {} x {} "
      "cells "
      "of its last feature map, weighted as its classifier weights them (class activation maps, Zhou et al. "
      "2016). What it didn't see is dark.",
      mapper_->height(), mapper_->width());
}

std::string Thumbnails::Html(const std::filesystem::path& file, int index) {
  const Image image = LoadImage(file, decode_);
  const Image small = Small(image);
  std::string html = "<div class=\"shots\">" + ImgTag(small, file.filename().string());
  if (mapper_) html += ImgTag(HeatPicture(small, mapper_->Pixels(image, index)), "where the network looked");
  return html + "</div>";
}

}  // namespace mobilenet
