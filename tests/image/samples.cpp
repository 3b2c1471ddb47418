#include "image/samples.h"

#include <png.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "mobilenet/error.h"

namespace mobilenet::samples {

Image Noise(int width, int height, int channels) {
  Image image{.width = width, .height = height, .channels = channels, .pixels = {}};
  image.pixels.resize(static_cast<std::size_t>(width) * height * channels);
  auto state = static_cast<std::uint32_t>((width * 31 + height) * 31 + channels);
  for (std::uint8_t& sample : image.pixels) {
    state = state * 1664525U + 1013904223U;
    sample = static_cast<std::uint8_t>(state >> 24);
  }
  return image;
}

Image Gradient(int width, int height) {
  Image image{.width = width, .height = height, .channels = 3, .pixels = {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int across = 255 * x / std::max(1, width - 1);
      const int down = 255 * y / std::max(1, height - 1);
      for (const int sample : {across, down, (510 - across - down) / 2}) {
        image.pixels.push_back(static_cast<std::uint8_t>(sample));
      }
    }
  }
  return image;
}

int MaxDifference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels) return 256;
  if (a.pixels.size() != b.pixels.size()) return 256;
  int most = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  return most;
}

std::string ErrorOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string DecodeError(const Bytes& bytes, const DecodeOptions& options) {
  return ErrorOf([&] { DecodeImage(bytes, options, "x"); });
}

void Append16(Bytes& bytes, std::initializer_list<std::uint32_t> values) {
  for (const std::uint32_t value : values) {
    for (int shift = 0; shift < 16; shift += 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void Append32(Bytes& bytes, std::initializer_list<std::uint32_t> values) {
  for (const std::uint32_t value : values) {
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void Append(Bytes& bytes, std::string_view text) { std::ranges::copy(text, std::back_inserter(bytes)); }
void Append(Bytes& bytes, const Bytes& more) { std::ranges::copy(more, std::back_inserter(bytes)); }

Bytes Exif(int orientation, bool big_endian) {
  const auto value = static_cast<std::uint8_t>(orientation);
  if (big_endian) {
    return {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0};
  }
  return {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0};
}

Bytes Bmp(int width, int height, const Bytes& rows, const BmpOptions& options) {
  // Behind a 40-byte header the masks follow as three or four words; longer headers contain them.
  Bytes header;
  Append32(header, {options.header_bytes});
  if (options.header_bytes == 12) {
    Append16(header, {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height), 1,
                      static_cast<std::uint32_t>(options.bits)});
  } else {
    Append32(header, {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)});
    Append16(header, {1, static_cast<std::uint32_t>(options.bits)});
    Append32(header, {options.compression, static_cast<std::uint32_t>(rows.size()), 2835, 2835,
                      options.palette_entries, 0});
    for (const std::uint32_t mask : options.masks) Append32(header, {mask});
    if (header.size() < options.header_bytes) header.resize(options.header_bytes);
  }
  Append(header, options.palette);
  Bytes bytes;
  Append(bytes, "BM");
  const auto offset = static_cast<std::uint32_t>(14 + header.size());
  Append32(bytes, {static_cast<std::uint32_t>(offset + rows.size()), 0, offset});
  Append(bytes, header);
  Append(bytes, rows);
  return bytes;
}

// Those of formats that a build may lack.
void AppendOptionalSamples([[maybe_unused]] const Image& image, [[maybe_unused]] const Bytes& rgba,
                           [[maybe_unused]] std::vector<NamedSample>& samples) {
  if constexpr (MOBILENET_READS_GIF == 1) {
    Bytes indices(image.pixels.begin(), image.pixels.begin() + 9 * 7);
    for (std::uint8_t& index : indices) index &= 3;
    const Bytes palette = {1, 2, 3, 255, 0, 0, 0, 255, 0, 90, 90, 90};
    samples.push_back({"gif", Gif(9, 7, indices, {.palette = palette})});
    samples.push_back({"interlaced gif", Gif(9, 7, indices, {.palette = palette, .interlaced = true})});
  }
  if constexpr (MOBILENET_READS_TIFF == 1) {
    const auto tiff = [&](const char* name, const Bytes& rows, const TiffOptions& options) {
      samples.push_back({name, Tiff(9, 7, rows, options)});
    };
    constexpr int kInk = 5, kLzw = 5, kFax4 = 4, kDeflate = 8, kJpeg = 7;
    tiff("tiff", image.pixels, {.photometric = 2, .orientation = 6});
    tiff("lzw tiff", rgba,
         {.photometric = 2, .samples = 4, .compression = kLzw, .planar = true, .extra = {2}});
    tiff("tiled tiff", rgba, {.photometric = kInk, .samples = 4, .compression = kDeflate, .tile = 16});
    tiff("fax tiff", Bytes(14, 0x5A), {.photometric = 0, .bits = 1, .samples = 1, .compression = kFax4});
    tiff("jpeg tiff", image.pixels, {.photometric = 6, .compression = kJpeg, .rows_per_strip = 8});
    tiff("ycbcr tiff", image.pixels, {.photometric = 6});
  }
  if constexpr (MOBILENET_READS_HEIF == 1) {
    if (CanEncodeHeif(HeifCodec::kHevc))
      samples.push_back({"heic", Heif(9, 7, image.pixels, {.grid = true})});
    if (CanEncodeHeif(HeifCodec::kAv1))
      samples.push_back({"avif", Heif(9, 7, rgba, {.codec = HeifCodec::kAv1, .orientation = 3})});
  }
}

std::vector<NamedSample> SmallSamples() {
  const Image image = Noise(9, 7);
  Bytes rgba(9 * 7 * 4, 200);
  for (std::size_t i = 0; i < 9 * 7; ++i) std::copy_n(image.pixels.data() + 3 * i, 3, rgba.data() + 4 * i);
  std::vector<NamedSample> samples;
  const auto jpeg = [&](const char* name, const JpegOptions& options) {
    samples.push_back({name, Jpeg(image, options)});
  };
  jpeg("jpeg", {});
  jpeg("jpeg with EXIF", {.colour = JpegColour::kYcc420, .exif = Exif(6)});
  jpeg("grey jpeg", {.colour = JpegColour::kGrey});
  jpeg("cmyk jpeg", {.colour = JpegColour::kCmyk});
  jpeg("progressive jpeg", {.scans = JpegScans::kProgressive});
  jpeg("jpeg in separate scans", {.scans = JpegScans::kComponents});
  jpeg("arithmetic jpeg", {.arithmetic = true});
  jpeg("jpeg with restarts", {.restart_rows = 1});
  samples.push_back({"png", Png(9, 7, image.pixels, {.colour_type = PNG_COLOR_TYPE_RGB, .exif = Exif(5)})});
  samples.push_back({"rgba png", Png(9, 7, rgba, {.colour_type = PNG_COLOR_TYPE_RGBA, .interlaced = true})});
  samples.push_back({"lossless webp", LosslessWebp(9, 7, rgba)});
  samples.push_back({"lossy webp", LossyWebp(9, 7, rgba)});
  const Bytes exif = WebpChunk("EXIF", Exif(3));
  Bytes chunks = WebpChunks(LosslessWebp(9, 7, rgba));
  Append(chunks, exif);
  samples.push_back({"extended webp", ExtendedWebp(9, 7, kWebpExif | kWebpAlpha, chunks)});
  samples.push_back({"bmp", Bmp(9, 7, Bytes(28 * 7, 99))});
  samples.push_back({"palette bmp", Bmp(9, 7, Bytes(8 * 7, 0x52), {.bits = 4, .palette = Bytes(64, 77)})});
  samples.push_back({"run-length bmp", Bmp(9, 7, {9, 1, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1},
                                           {.bits = 8, .compression = 1, .palette = Bytes(1024, 3)})});
  samples.push_back({"masked bmp", Bmp(9, 7, Bytes(36 * 7, 99),
                                       {.header_bytes = 56,
                                        .bits = 32,
                                        .compression = 3,
                                        .masks = {0xFF, 0xFF00, 0xFF0000, 0xFF000000}})});
  AppendOptionalSamples(image, rgba, samples);
  return samples;
}

}  // namespace mobilenet::samples
