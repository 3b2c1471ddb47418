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

constexpr std::string_view kRead = "expected JPEG, PNG, WebP or BMP";

Decoded DecodeByContent(const Encoded& encoded) {
  if (encoded.bytes.empty()) Fail(encoded.name, ": is empty, ", kRead);
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
    case PictureFormat::kForeign:
      Fail(encoded.name, ": is ", signature.what, ", which is not read: ", kRead);
    case PictureFormat::kUnknown:
      break;
  }
  Fail(encoded.name, ": is not a picture that can be read: ", kRead, ", found a file that starts with ",
       Beginning(encoded.bytes));
}

}  // namespace

void CheckSize(const Encoded& encoded, std::string_view format, std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) {
    Fail(encoded.name, ": ", format, " of ", width, " x ", height, " pixels, expected at least one");
  }
  if (width > encoded.options.max_pixels / height) {
    Fail(encoded.name, ": ", format, " of ", width, " x ", height, " pixels, expected at most ",
         encoded.options.max_pixels, " in all");
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
