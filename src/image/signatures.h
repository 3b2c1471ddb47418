// Which format a picture has, by its first bytes: the one list of what is read and what is only recognised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mobilenet {

enum class PictureFormat {
  kUnknown,
  kForeign,  // recognised, to say what it is, and not read
  kJpeg,
  kPng,
  kWebp,
  kBmp,
  kGif,
  kTiff,
  kHeif,  // HEIC, AVIF
};

struct Signature {
  PictureFormat format = PictureFormat::kUnknown;
  std::string_view what = {};  // "a GIF picture"; of what a build may not read
};

// Whether it is one of the formats that are read, if not by every build.
constexpr bool IsRead(PictureFormat format) {
  return format != PictureFormat::kUnknown && format != PictureFormat::kForeign;
}

constexpr std::size_t kSignatureBytes = 16;  // so many tell

Signature SignatureOf(std::span<const std::uint8_t> bytes);

}  // namespace mobilenet
