// PNG through libpng: every colour type and depth to 8-bit RGB over white. Gamma and colour profiles are
// ignored, as in the programs that prepared the data sets.
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <vector>

#include "base/fail.h"
#include "image/decoders.h"
#include "image/exif.h"

namespace mobilenet {
namespace {

// Deflate's best is 258 bytes for 2 bits. A header that declares more data than that is refused before memory
// is taken for its pixels.
constexpr std::uint64_t kMaxInflation = 1032;

// Larger ancillary chunks are skipped by libpng. EXIF data is at most 64 KB.
constexpr png_alloc_size_t kMaxChunkBytes = 1 << 20;

struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const std::uint8_t> rest;
  std::array<char, 256> message{};
  std::uint8_t* rows = nullptr;  // where ReadRows writes
  std::size_t stride = 0;

  Reader() = default;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

[[noreturn]] void OnError(png_structp png, png_const_charp message) {
  auto& reader = *static_cast<Reader*>(png_get_error_ptr(png));
  std::snprintf(reader.message.data(), reader.message.size(), "%s", message);
  png_longjmp(png, 1);
}

void OnWarning(png_structp /*png*/, png_const_charp /*message*/) {}

void OnRead(png_structp png, png_bytep to, std::size_t count) {
  auto& reader = *static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader.rest.size()) png_error(png, "the file ends before the picture is complete");
  std::memcpy(to, reader.rest.data(), count);
  reader.rest = reader.rest.subspan(count);
}

// Runs a step that calls libpng; false where libpng gave up, with the reason in reader.message. A longjmp
// runs no destructors, so steps hold only plain values: whatever owns memory lives in the caller.
bool Guard(Reader& reader, void (*step)(Reader&)) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  step(reader);
  return true;
}

void ReadHeader(Reader& reader) {
  png_set_read_fn(reader.png, &reader, OnRead);
  png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // CheckSize has the better message
  png_set_chunk_malloc_max(reader.png, kMaxChunkBytes);
  // Compressed profiles and texts cost time and memory and change nothing here.
  static constexpr png_byte kSkipped[] = "iCCP\0zTXt\0iTXt\0tEXt\0sPLT";
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, kSkipped, sizeof(kSkipped) / 5);
  png_read_info(reader.png, reader.info);
}

void ChooseTransforms(Reader& reader) {
  png_set_expand(reader.png);  // palettes, depths below 8, tRNS
  png_set_scale_16(reader.png);
  png_set_gray_to_rgb(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
}

void ReadRows(Reader& reader) {
  const png_uint_32 height = png_get_image_height(reader.png, reader.info);
  const bool interlaced = png_get_interlace_type(reader.png, reader.info) != PNG_INTERLACE_NONE;
  for (int pass = 0; pass < (interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1); ++pass) {
    for (png_uint_32 y = 0; y < height; ++y) {
      png_read_row(reader.png, reader.rows + y * reader.stride, nullptr);
    }
  }
  png_read_end(reader.png, reader.info);  // the last checksums, and EXIF data behind the pixels
}

void Run(Reader& reader, const Encoded& encoded, void (*step)(Reader&)) {
  if (!Guard(reader, step)) Fail(encoded.name, ": damaged PNG: ", reader.message.data());
}

void CheckHeader(const Reader& reader, const Encoded& encoded) {
  const png_uint_32 width = png_get_image_width(reader.png, reader.info);
  const png_uint_32 height = png_get_image_height(reader.png, reader.info);
  CheckSize(encoded, "PNG", width, height);
  const std::uint64_t bytes = std::uint64_t{png_get_rowbytes(reader.png, reader.info)} * height;
  if (bytes / kMaxInflation > encoded.bytes.size()) {
    Fail(encoded.name, ": damaged PNG: the file ends before the picture is complete: ", width, " x ", height,
         " pixels in ", encoded.bytes.size(), " bytes");
  }
}

int Orientation(const Reader& reader) {
  png_uint_32 count = 0;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(reader.png, reader.info, &count, &exif) == 0 || exif == nullptr) return 1;
  return ExifOrientation({exif, count});
}

}  // namespace

Decoded DecodePng(const Encoded& encoded) {
  Reader reader;
  reader.rest = encoded.bytes;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, OnError, OnWarning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) Fail(encoded.name, ": no memory for libpng");
  Run(reader, encoded, ReadHeader);
  CheckHeader(reader, encoded);
  Run(reader, encoded, ChooseTransforms);

  Decoded decoded;
  decoded.image =
      MakeImage(png_get_image_width(reader.png, reader.info), png_get_image_height(reader.png, reader.info));
  const bool has_alpha = png_get_channels(reader.png, reader.info) == 4;
  std::vector<std::uint8_t> rgba;
  reader.stride = png_get_rowbytes(reader.png, reader.info);
  if (has_alpha) rgba.resize(reader.stride * static_cast<std::size_t>(decoded.image.height));
  reader.rows = has_alpha ? rgba.data() : decoded.image.pixels.data();
  Run(reader, encoded, ReadRows);
  if (has_alpha) ComposeOverWhite(rgba, decoded.image.pixels);
  decoded.orientation = Orientation(reader);
  return decoded;
}

}  // namespace mobilenet
