// JPEG through libjpeg-turbo. Decoding is libjpeg's default (accurate integer DCT, smooth chroma upsampling),
// so that an unscaled picture has the same pixels as in Pillow, OpenCV or TensorFlow.
//
// A picture is either whole or an Error: entropy-coded data that breaks off or holds impossible codes is
// refused rather than filled with grey. A file that only lacks bytes after the last pixel (the end marker) is
// whole.
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h expects FILE to be known

// In this order: what the second declares depends on the configuration that the first includes.
#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "image/decoders.h"
#include "image/exif.h"

namespace mobilenet {
namespace {

// Encoders write about ten scans. Each scan of a few bytes costs a pass over the whole picture, so that a
// small file could otherwise take minutes.
constexpr int kMaxScans = 100;

// Huffman coding spends at least one bit on a block, and a block covers at most 32x32 pixels (sampling
// factors up to 4): 8 * 1024 pixels a byte. A header that declares more than that is refused before memory is
// taken.
constexpr std::uint64_t kMaxPixelsPerByte = 8192;

constexpr std::array<JOCTET, 2> kEndOfImage = {0xFF, JPEG_EOI};

// libjpeg's state with our answers to its callbacks. They report failures by longjmp to Guard.
struct Reader {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  std::jmp_buf failed{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  bool past_end = false;    // libjpeg asked for more bytes than there are
  JSAMPLE* rows = nullptr;  // where ReadRows writes
  std::size_t stride = 0;

  Reader() = default;
  ~Reader() { jpeg_destroy_decompress(&info); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

Reader& ReaderOf(j_common_ptr info) { return *static_cast<Reader*>(info->client_data); }
Reader& ReaderOf(j_decompress_ptr info) { return *static_cast<Reader*>(info->client_data); }

[[noreturn]] void OnError(j_common_ptr info) {
  Reader& reader = ReaderOf(info);
  info->err->format_message(info, reader.message.data());
  std::longjmp(reader.failed, 1);
}

// Warnings that mean wrong pixels end the decoding; those about padding, version numbers and the like do not.
void OnMessage(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
      OnError(info);
    default:
      return;
  }
}

void OnProgress(j_common_ptr info) {
  Reader& reader = ReaderOf(info);
  if (reader.info.input_scan_number <= kMaxScans) return;
  std::snprintf(reader.message.data(), reader.message.size(), "more than %d scans", kMaxScans);
  std::longjmp(reader.failed, 1);
}

boolean OnInputEnd(j_decompress_ptr info) {
  ReaderOf(info).past_end = true;
  info->src->next_input_byte = kEndOfImage.data();
  info->src->bytes_in_buffer = kEndOfImage.size();
  return TRUE;
}

void OnSkip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  const std::size_t skipped = std::min(static_cast<std::size_t>(count), info->src->bytes_in_buffer);
  info->src->next_input_byte += skipped;
  info->src->bytes_in_buffer -= skipped;
}

void Prepare(Reader& reader, std::span<const std::uint8_t> bytes) {
  reader.info.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = OnError;
  reader.errors.emit_message = OnMessage;
  reader.errors.output_message = [](j_common_ptr) {};
  reader.info.client_data = &reader;
  reader.source.next_input_byte = bytes.data();
  reader.source.bytes_in_buffer = bytes.size();
  reader.source.init_source = [](j_decompress_ptr) {};
  reader.source.fill_input_buffer = OnInputEnd;
  reader.source.skip_input_data = OnSkip;
  reader.source.resync_to_restart = jpeg_resync_to_restart;
  reader.source.term_source = [](j_decompress_ptr) {};
  reader.progress.progress_monitor = OnProgress;
}

// Runs a step that calls libjpeg; false where libjpeg gave up, with the reason in reader.message. A longjmp
// runs no destructors, so steps hold only plain values: whatever owns memory lives in the caller.
bool Guard(Reader& reader, void (*step)(Reader&)) {
  if (setjmp(reader.failed) != 0) return false;
  step(reader);
  return true;
}

void ReadHeader(Reader& reader) {
  jpeg_create_decompress(&reader.info);
  reader.info.src = &reader.source;
  reader.info.progress = &reader.progress;
  jpeg_save_markers(&reader.info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&reader.info, TRUE);
}

void Start(Reader& reader) { jpeg_start_decompress(&reader.info); }

void ReadRows(Reader& reader) {
  const JDIMENSION end = reader.rows == nullptr ? 0 : reader.info.output_height;
  while (reader.info.output_scanline < end) {
    JSAMPROW row = reader.rows + reader.info.output_scanline * reader.stride;
    jpeg_read_scanlines(&reader.info, &row, 1);
  }
}

[[noreturn]] void FailAtEnd(const Encoded& encoded) {
  Fail(encoded.name, ": JPEG ends after ", encoded.bytes.size(), " bytes, before the picture is complete");
}

void Run(Reader& reader, const Encoded& encoded, void (*step)(Reader&)) {
  if (Guard(reader, step)) return;
  if (reader.past_end) FailAtEnd(encoded);
  Fail(encoded.name, ": damaged JPEG: ", reader.message.data());
}

int Orientation(const Reader& reader) {
  for (const jpeg_marker_struct* marker = reader.info.marker_list; marker != nullptr; marker = marker->next) {
    const int orientation = ExifOrientation({marker->data, marker->data_length});
    if (orientation != 1) return orientation;
  }
  return 1;
}

// The largest divisor that leaves each side at twice the target or more.
unsigned ScaleDenominator(const Reader& reader, const DecodeOptions& options, int orientation) {
  std::uint64_t target_width = std::max(options.target_width, 0);
  std::uint64_t target_height = std::max(options.target_height, 0);
  if (target_width == 0 || target_height == 0) return 1;
  if (orientation >= 5) std::swap(target_width, target_height);
  for (const unsigned denominator : {8U, 4U, 2U}) {
    if (reader.info.image_width >= 2 * target_width * denominator &&
        reader.info.image_height >= 2 * target_height * denominator) {
      return denominator;
    }
  }
  return 1;
}

bool HasInk(const Reader& reader) {
  return reader.info.jpeg_color_space == JCS_CMYK || reader.info.jpeg_color_space == JCS_YCCK;
}

// Whether the scans so far hold every coefficient. libjpeg itself takes a file that ends between two scans,
// or anywhere in arithmetic coding, for a whole one.
bool AllScansRead(const Reader& reader) {
  if (reader.info.arith_code) return false;
  const std::span components(reader.info.comp_info, reader.info.num_components);
  if (!reader.info.progressive_mode) {
    return std::ranges::all_of(components, [](const auto& c) { return c.quant_table != nullptr; });
  }
  for (int c = 0; c < reader.info.num_components; ++c) {
    const std::span<const int> missing_bits(reader.info.coef_bits[c], DCTSIZE2);
    if (std::ranges::any_of(missing_bits, [](int bits) { return bits != 0; })) return false;
  }
  return true;
}

// Four-component JPEGs store the light that is left, not the ink, as Adobe's programs write them and browsers
// and Pillow read them, with or without Adobe's marker.
void InkToRgb(std::span<const std::uint8_t> ink, std::span<std::uint8_t> rgb) {
  for (std::size_t i = 0; i < rgb.size() / 3; ++i) LightToRgb(ink.data() + 4 * i, rgb.data() + 3 * i);
}

void CheckHeader(const Reader& reader, const Encoded& encoded) {
  CheckSize(encoded, "JPEG", reader.info.image_width, reader.info.image_height);
  const std::uint64_t pixels = std::uint64_t{reader.info.image_width} * reader.info.image_height;
  if (!reader.info.arith_code && pixels / kMaxPixelsPerByte > encoded.bytes.size()) {
    Fail(encoded.name, ": JPEG of ", reader.info.image_width, " x ", reader.info.image_height,
         " pixels ends after ", encoded.bytes.size(), " bytes, before the picture is complete");
  }
  if (reader.info.jpeg_color_space == JCS_UNKNOWN) {
    Fail(encoded.name, ": JPEG has ", reader.info.num_components, " components, expected 1, 3 or 4");
  }
}

}  // namespace

Decoded DecodeJpeg(const Encoded& encoded) {
  Reader reader;
  Prepare(reader, encoded.bytes);
  Run(reader, encoded, ReadHeader);
  CheckHeader(reader, encoded);

  Decoded decoded;
  decoded.orientation = Orientation(reader);
  reader.info.scale_num = 1;
  reader.info.scale_denom = ScaleDenominator(reader, encoded.options, decoded.orientation);
  reader.info.out_color_space = HasInk(reader) ? JCS_CMYK : JCS_RGB;
  Run(reader, encoded, Start);

  decoded.image = MakeImage(reader.info.output_width, reader.info.output_height);
  std::vector<std::uint8_t> ink;
  reader.stride = std::size_t{reader.info.output_width} * reader.info.output_components;
  if (HasInk(reader)) ink.resize(reader.stride * reader.info.output_height);
  reader.rows = HasInk(reader) ? ink.data() : decoded.image.pixels.data();
  Run(reader, encoded, ReadRows);
  if (reader.past_end && !AllScansRead(reader)) FailAtEnd(encoded);
  if (HasInk(reader)) InkToRgb(ink, decoded.image.pixels);
  return decoded;
}

}  // namespace mobilenet
