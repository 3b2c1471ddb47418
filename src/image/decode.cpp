#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/signature.h"
#include "image/decoders.h"
#include "image/orient.h"
#include "image/signatures.h"

namespace mobilenet {
namespace {

// Formats that a build reads where it found their library.
struct Optional {
  PictureFormat format;
  bool built_in;
  std::string_view names;    // as PictureFormats has them
  std::string_view package;  // Debian's
};
constexpr std::array kOptional = {
    Optional{PictureFormat::kGif, MOBILENET_READS_GIF == 1, "GIF", "libgif-dev"},
    Optional{PictureFormat::kTiff, MOBILENET_READS_TIFF == 1, "TIFF", "libtiff-dev"},
    Optional{PictureFormat::kHeif, MOBILENET_READS_HEIF == 1, "HEIC, AVIF", "libheif-dev"},
};

std::string Expected() { return Concat("expected one of ", PictureFormats()); }

[[noreturn]] void FailNotBuiltIn(const Encoded& encoded, const Signature& signature) {
  const auto* optional = std::ranges::find(kOptional, signature.format, &Optional::format);
  Fail(encoded.name, ": is ", signature.what, ", which this build does not read: build it where ",
       optional->package, " is installed; ", Expected());
}

Decoded DecodeByContent(const Encoded& encoded) {
  if (encoded.bytes.empty()) Fail(encoded.name, ": is empty, ", Expected());
  const Signature signature = SignatureOf(encoded.bytes);
  switch (signature.format) {
    case PictureFormat::kJpeg:
      return DecodeJpeg(encoded);
    case PictureFormat::kPng:
      return DecodePng(encoded);
    case PictureFormat::kWebp:
      return DecodeWebp(encoded);
    case PictureFormat::kBmp:
      return DecodeBmp(encoded);
    case PictureFormat::kGif:
      if constexpr (MOBILENET_READS_GIF == 1) return DecodeGif(encoded);
      FailNotBuiltIn(encoded, signature);
    case PictureFormat::kTiff:
      if constexpr (MOBILENET_READS_TIFF == 1) return DecodeTiff(encoded);
      FailNotBuiltIn(encoded, signature);
    case PictureFormat::kHeif:
      if constexpr (MOBILENET_READS_HEIF == 1) return DecodeHeif(encoded);
      FailNotBuiltIn(encoded, signature);
    case PictureFormat::kForeign:
      Fail(encoded.name, ": is ", signature.what, ", which is not read: ", Expected());
    case PictureFormat::kUnknown:
      break;
  }
  Fail(encoded.name, ": is not a picture that can be read: ", Expected(), "; found a file that starts with ",
       Beginning(encoded.bytes));
}

}  // namespace

void CheckSize(const Encoded& encoded, std::string_view format, std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) {
    Fail(encoded.name, ": ", format, " of ", width, " x ", height, " pixels, expected at least one");
  }
  if (width > encoded.options.max_pixels / height) {
    Fail(encoded.name, ": ", format, " of ", width, " x ", height, " pixels, expected at most ",
         encoded.options.max_pixels, " in all: a larger max_pixels (--max-pixels) reads it");
  }
}

Image MakeImage(std::uint64_t width, std::uint64_t height, std::uint8_t value) {
  Image image{
      .width = static_cast<int>(width), .height = static_cast<int>(height), .channels = 3, .pixels = {}};
  image.pixels.assign(width * height * 3, value);
  return image;
}

void ComposeOverWhite(std::span<const std::uint8_t> rgba, std::span<std::uint8_t> rgb) {
  const std::size_t pixels = rgb.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    const unsigned alpha = rgba[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) rgb[3 * i + c] = OverWhite(rgba[4 * i + c], alpha);
  }
}

std::string PictureFormats() {
  std::string names = "JPEG, PNG, WebP, BMP";
  for (const Optional& optional : kOptional) {
    if (optional.built_in) names += Concat(", ", optional.names);
  }
  return names;
}

Image DecodeImage(std::span<const std::uint8_t> bytes, const DecodeOptions& options, std::string_view name) {
  return OrOutOfMemory(name, [&] {
    Decoded decoded = DecodeByContent({bytes, options, name});
    return Orient(std::move(decoded.image), decoded.orientation);
  });
}

Image LoadImage(const std::filesystem::path& file, const DecodeOptions& options) {
  const std::string& name = file.native();
  return DecodeImage(OrOutOfMemory(name, [&] { return ReadFile(file); }), options, name);
}

}  // namespace mobilenet
