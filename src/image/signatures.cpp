#include "image/signatures.h"

#include <array>

#include "base/signature.h"

namespace mobilenet {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::size_t offset;
  std::string_view magic;
  Signature is;
};

constexpr Row Foreign(std::size_t offset, std::string_view magic, std::string_view what) {
  return {offset, magic, {PictureFormat::kForeign, what}};
}

constexpr Row Heif(std::string_view brand, std::string_view what) {
  return {4, brand, {PictureFormat::kHeif, what}};
}

constexpr std::string_view kTiff = "a TIFF picture";

// The first that fits. People name the foreign ones .jpg, or drop them into a folder of photos.
constexpr std::array kRows = {
    Row{0, "\xFF\xD8\xFF"sv, {PictureFormat::kJpeg}},
    Row{0, "\x89PNG\r\n\x1A\n"sv, {PictureFormat::kPng}},
    Row{8, "WEBP"sv, {PictureFormat::kWebp}},  // behind RIFF and a length
    Row{0, "BM"sv, {PictureFormat::kBmp}},
    Row{0, "GIF87a"sv, {PictureFormat::kGif, "a GIF picture"}},
    Row{0, "GIF89a"sv, {PictureFormat::kGif, "a GIF picture"}},
    Foreign(8, "CR\2\0"sv, "a Canon camera's raw file"),  // behind the head of a TIFF
    Row{0, "II*\0"sv, {PictureFormat::kTiff, kTiff}},
    Row{0, "MM\0*"sv, {PictureFormat::kTiff, kTiff}},
    Row{0, "II+\0"sv, {PictureFormat::kTiff, kTiff}},  // of more than 4 GB
    Row{0, "MM\0+"sv, {PictureFormat::kTiff, kTiff}},
    Heif("ftypavif"sv, "an AVIF picture"),
    Heif("ftypavis"sv, "an AVIF picture"),
    Heif("ftyphei"sv, "a HEIC picture"),
    Heif("ftyphev"sv, "a HEIC picture"),
    Heif("ftypmif1"sv, "a HEIF picture"),
    Heif("ftypmsf1"sv, "a HEIF picture"),
    Foreign(4, "ftyp"sv, "an MP4 or QuickTime video"),
    Foreign(0, "\0\0\0\x0CJXL "sv, "a JPEG XL picture"),
    Foreign(0, "\xFF\x0A"sv, "a JPEG XL picture"),
    Foreign(0, "\0\0\0\x0CjP  "sv, "a JPEG 2000 picture"),
    Foreign(0, "\xFF\x4F\xFF\x51"sv, "a JPEG 2000 picture"),
    Foreign(0, "8BPS"sv, "a Photoshop file"),
    Foreign(0, "\0\0\1\0"sv, "a Windows icon"),
    Foreign(0, "%PDF"sv, "a PDF file"),
    Foreign(0, "<svg"sv, "an SVG picture"),
    Foreign(0, "<!DOCTYPE html"sv, "a web page"),
    Foreign(0, "<html"sv, "a web page"),
    Foreign(0, "<?xml"sv, "an XML file"),
    Foreign(0, "PK\3\4"sv, "a ZIP archive"),
};

}  // namespace

Signature SignatureOf(std::span<const std::uint8_t> bytes) {
  for (const Row& row : kRows) {
    if (!HasAt(bytes, row.offset, row.magic)) continue;
    if (row.is.format == PictureFormat::kWebp && !HasAt(bytes, 0, "RIFF")) continue;
    return row.is;
  }
  return {};
}

}  // namespace mobilenet
