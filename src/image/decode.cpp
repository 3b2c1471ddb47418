#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "image/decoders.h"
#include "image/orient.h"

namespace mobilenet {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kRead = "expected JPEG, PNG, WebP or BMP";

// Formats that people name .jpg or drop into a folder of photos, recognised only to say so.
struct Foreign {
  std::size_t offset;
  std::string_view magic;
  std::string_view what;
};

constexpr std::array kForeign = {
    Foreign{0, "GIF87a"sv, "a GIF picture"},
    Foreign{0, "GIF89a"sv, "a GIF picture"},
    Foreign{0, "II*\0"sv, "a TIFF picture (or a camera's raw file)"},
    Foreign{0, "MM\0*"sv, "a TIFF picture (or a camera's raw file)"},
    Foreign{0, "II+\0"sv, "a TIFF picture"},
    Foreign{0, "MM\0+"sv, "a TIFF picture"},
    Foreign{4, "ftypavif"sv, "an AVIF picture"},
    Foreign{4, "ftypavis"sv, "an AVIF picture"},
    Foreign{4, "ftyphei"sv, "a HEIC picture"},
    Foreign{4, "ftyphev"sv, "a HEIC picture"},
    Foreign{4, "ftypmif1"sv, "a HEIF picture"},
    Foreign{4, "ftypmsf1"sv, "a HEIF picture"},
    Foreign{4, "ftyp"sv, "an MP4 or QuickTime video"},
    Foreign{0, "\0\0\0\x0CJXL "sv, "a JPEG XL picture"},
    Foreign{0, "\xFF\x0A"sv, "a JPEG XL picture"},
    Foreign{0, "\0\0\0\x0CjP  "sv, "a JPEG 2000 picture"},
    Foreign{0, "\xFF\x4F\xFF\x51"sv, "a JPEG 2000 picture"},
    Foreign{0, "8BPS"sv, "a Photoshop file"},
    Foreign{0, "\0\0\1\0"sv, "a Windows icon"},
    Foreign{0, "%PDF"sv, "a PDF file"},
    Foreign{0, "<svg"sv, "an SVG picture"},
    Foreign{0, "<!DOCTYPE html"sv, "a web page"},
    Foreign{0, "<html"sv, "a web page"},
    Foreign{0, "<?xml"sv, "an XML file"},
    Foreign{0, "PK\3\4"sv, "a ZIP archive"},
};

bool HasAt(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view magic) {
  if (bytes.size() < offset + magic.size()) return false;
  return std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// The first bytes for a message: as text where they are text, in hexadecimal otherwise.
std::string Beginning(std::span<const std::uint8_t> bytes) {
  const auto head = bytes.first(std::min<std::size_t>(bytes.size(), 8));
  if (std::ranges::all_of(head, [](std::uint8_t b) { return b >= 0x20 && b < 0x7F; })) {
    return Concat('"', std::string(head.begin(), head.end()), '"');
  }
  std::string text = "bytes";
  for (const std::uint8_t byte : head) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), " %02X", byte);
    text += digits.data();
  }
  return text;
}

[[noreturn]] void FailUnknown(const Encoded& encoded) {
  for (const Foreign& foreign : kForeign) {
    if (HasAt(encoded.bytes, foreign.offset, foreign.magic)) {
      Fail(encoded.name, ": is ", foreign.what, ", which is not read: ", kRead);
    }
  }
  Fail(encoded.name, ": is not a picture that can be read: ", kRead, ", found a file that starts with ",
       Beginning(encoded.bytes));
}

Decoded DecodeByContent(const Encoded& encoded) {
  if (encoded.bytes.empty()) Fail(encoded.name, ": is empty, ", kRead);
  if (HasAt(encoded.bytes, 0, "\xFF\xD8\xFF")) return DecodeJpeg(encoded);
  if (HasAt(encoded.bytes, 0, "\x89PNG\r\n\x1A\n")) return DecodePng(encoded);
  if (HasAt(encoded.bytes, 0, "RIFF") && HasAt(encoded.bytes, 8, "WEBP")) return DecodeWebp(encoded);
  if (HasAt(encoded.bytes, 0, "BM")) return DecodeBmp(encoded);
  FailUnknown(encoded);
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
  Decoded decoded = DecodeByContent({bytes, options, name});
  return Orient(std::move(decoded.image), decoded.orientation);
}

Image LoadImage(const std::filesystem::path& file, const DecodeOptions& options) {
  return DecodeImage(ReadFile(file), options, file.string());
}

}  // namespace mobilenet
