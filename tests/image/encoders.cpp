// samples.h: the parts that call an encoder. Their failures end the test program: the input is our own.
#include <cstdio>  // jpeglib.h expects FILE to be known

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

#include <cstdlib>
#include <cstring>

#include "image/samples.h"

namespace mobilenet::samples {
namespace {

J_COLOR_SPACE InputSpace(JpegColour colour) {
  if (colour == JpegColour::kGrey) return JCS_GRAYSCALE;
  return colour == JpegColour::kCmyk || colour == JpegColour::kYcck ? JCS_CMYK : JCS_RGB;
}

J_COLOR_SPACE StoredSpace(JpegColour colour) {
  switch (colour) {
    case JpegColour::kGrey:
      return JCS_GRAYSCALE;
    case JpegColour::kRgb:
      return JCS_RGB;
    case JpegColour::kCmyk:
      return JCS_CMYK;
    case JpegColour::kYcck:
      return JCS_YCCK;
    default:
      return JCS_YCbCr;
  }
}

// The scans of a three-component picture; none where libjpeg chooses.
std::vector<jpeg_scan_info> Scans(JpegScans scans) {
  std::vector<jpeg_scan_info> list;
  if (scans == JpegScans::kBands) list.push_back({3, {0, 1, 2}, 0, 0, 0, 0});
  if (scans == JpegScans::kBands || scans == JpegScans::kComponents) {
    const int first = scans == JpegScans::kBands ? 1 : 0;
    for (int c = 0; c < 3; ++c) list.push_back({1, {c}, first, 63, 0, 0});
  }
  return list;
}

void AppendToBytes(png_structp png, png_bytep data, std::size_t size) {
  auto& bytes = *static_cast<Bytes*>(png_get_io_ptr(png));
  bytes.insert(bytes.end(), data, data + size);
}

Bytes EncodeWebp(int width, int height, const Bytes& rgba, bool lossless) {
  std::uint8_t* data = nullptr;
  const std::size_t size = lossless ? WebPEncodeLosslessRGBA(rgba.data(), width, height, width * 4, &data)
                                    : WebPEncodeRGBA(rgba.data(), width, height, width * 4, 95, &data);
  if (size == 0) std::abort();
  Bytes bytes(data, data + size);
  WebPFree(data);
  return bytes;
}

void WritePngHeader(png_structp png, png_infop info, int width, int height, const PngOptions& options) {
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
               options.bit_depth, options.colour_type,
               options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette;
  for (std::size_t i = 0; i + 2 < options.palette.size(); i += 3) {
    palette.push_back({options.palette[i], options.palette[i + 1], options.palette[i + 2]});
  }
  if (!palette.empty()) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  if (!options.palette_alpha.empty()) {
    png_set_tRNS(png, info, options.palette_alpha.data(), static_cast<int>(options.palette_alpha.size()),
                 nullptr);
  }
  png_color_16 key{};
  if (options.key.size() == 1) key.gray = options.key[0];
  if (options.key.size() == 3) {
    key.red = options.key[0];
    key.green = options.key[1];
    key.blue = options.key[2];
  }
  if (!options.key.empty()) png_set_tRNS(png, info, nullptr, 0, &key);
  if (options.gamma != 0) png_set_gAMA(png, info, options.gamma);
  Bytes exif = options.exif;
  if (!exif.empty()) png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()), exif.data());
  for (const std::string& content : options.texts) {
    std::string key_name = "Comment";
    std::string text_copy = content;
    png_text text{};
    text.compression = PNG_TEXT_COMPRESSION_zTXt;
    text.key = key_name.data();
    text.text = text_copy.data();
    text.text_length = text_copy.size();
    png_set_text(png, info, &text, 1);
  }
  png_write_info(png, info);
}

}  // namespace

Bytes Jpeg(const Image& image, const JpegOptions& options, std::uint8_t white) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.in_color_space = InputSpace(options.colour);
  info.input_components = info.in_color_space == JCS_GRAYSCALE ? 1 : info.in_color_space == JCS_CMYK ? 4 : 3;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, StoredSpace(options.colour));
  if (!options.adobe_marker) info.write_Adobe_marker = FALSE;
  jpeg_set_quality(&info, options.quality, TRUE);
  const int sampling = options.colour == JpegColour::kYcc420 ? 2 : 1;
  info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = sampling;
  info.restart_in_rows = options.restart_rows;
  info.arith_code = options.arithmetic ? TRUE : FALSE;
  const std::vector<jpeg_scan_info> scans = Scans(options.scans);
  if (options.scans == JpegScans::kProgressive) jpeg_simple_progression(&info);
  if (!scans.empty()) {
    info.scan_info = scans.data();
    info.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  if (!options.exif.empty()) {
    Bytes marker = {'E', 'x', 'i', 'f', 0, 0};
    Append(marker, options.exif);
    jpeg_write_marker(&info, JPEG_APP0 + 1, marker.data(), static_cast<unsigned>(marker.size()));
  }
  Bytes row(static_cast<std::size_t>(image.width) * info.input_components);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* pixel =
          image.pixels.data() + (static_cast<std::size_t>(y) * image.width + x) * image.channels;
      std::uint8_t* to = row.data() + static_cast<std::ptrdiff_t>(x) * info.input_components;
      for (int c = 0; c < info.input_components; ++c) to[c] = c == 3 ? white : pixel[c];
    }
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&info, rows, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  Bytes bytes(data, data + size);
  std::free(data);
  return bytes;
}

Bytes Png(int width, int height, const Bytes& rows, const PngOptions& options) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  Bytes bytes;
  png_set_write_fn(png, &bytes, AppendToBytes, nullptr);
  WritePngHeader(png, info, width, height, options);
  const std::size_t stride = png_get_rowbytes(png, info);
  Bytes copy = rows;
  if (copy.size() != stride * static_cast<std::size_t>(height)) std::abort();
  std::vector<png_bytep> pointers;
  for (int y = 0; y < height; ++y) pointers.push_back(copy.data() + static_cast<std::size_t>(y) * stride);
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

Bytes LosslessWebp(int width, int height, const Bytes& rgba) { return EncodeWebp(width, height, rgba, true); }
Bytes LossyWebp(int width, int height, const Bytes& rgba) { return EncodeWebp(width, height, rgba, false); }

Bytes WebpChunks(const Bytes& webp) {
  const bool is_extended = std::memcmp(webp.data() + 12, "VP8X", 4) == 0;
  return {webp.begin() + (is_extended ? 30 : 12), webp.end()};
}

Bytes WebpChunk(std::string_view name, const Bytes& content) {
  Bytes chunk;
  Append(chunk, name);
  Append32(chunk, {static_cast<std::uint32_t>(content.size())});
  Append(chunk, content);
  if (content.size() % 2 != 0) chunk.push_back(0);
  return chunk;
}

Bytes ExtendedWebp(int width, int height, std::uint8_t flags, const Bytes& chunks) {
  Bytes header;
  Append32(header, {flags});
  for (const int side : {width, height}) {
    for (int shift = 0; shift < 24; shift += 8)
      header.push_back(static_cast<std::uint8_t>((side - 1) >> shift));
  }
  Bytes content;
  Append(content, "WEBP");
  Append(content, WebpChunk("VP8X", header));
  Append(content, chunks);
  return WebpChunk("RIFF", content);
}

}  // namespace mobilenet::samples
