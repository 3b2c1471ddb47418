#include "image/encode_jpeg.h"

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h expects FILE to be known

#include <jpeglib.h>

#include <cstdlib>

#include "base/fail.h"

namespace mobilenet {
namespace {

struct Writer {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf failed{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;

  Writer() = default;
  ~Writer() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

[[noreturn]] void Failed(j_common_ptr info) {
  auto& writer = *static_cast<Writer*>(info->client_data);
  writer.errors.format_message(info, writer.message.data());
  std::longjmp(writer.failed, 1);
}

// Nothing here that a longjmp would skip has a destructor.
bool Write(const Image& image, int quality, Writer& writer) {
  if (setjmp(writer.failed) != 0) return false;
  jpeg_create_compress(&writer.info);
  jpeg_mem_dest(&writer.info, &writer.bytes, &writer.size);
  writer.info.image_width = static_cast<JDIMENSION>(image.width);
  writer.info.image_height = static_cast<JDIMENSION>(image.height);
  writer.info.input_components = image.channels;
  writer.info.in_color_space = image.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&writer.info);
  jpeg_set_quality(&writer.info, quality, TRUE);
  jpeg_start_compress(&writer.info, TRUE);
  const std::size_t stride = static_cast<std::size_t>(image.width) * image.channels;
  while (writer.info.next_scanline < writer.info.image_height) {
    auto* row = const_cast<JSAMPLE*>(image.pixels.data() + writer.info.next_scanline * stride);
    jpeg_write_scanlines(&writer.info, &row, 1);
  }
  jpeg_finish_compress(&writer.info);
  return true;
}

}  // namespace

std::vector<std::uint8_t> EncodeJpeg(const Image& image, int quality) {
  Writer writer;
  writer.info.err = jpeg_std_error(&writer.errors);
  writer.info.client_data = &writer;
  writer.errors.error_exit = &Failed;
  if (!Write(image, quality, writer)) Fail("a picture can't be written as JPEG: ", writer.message.data());
  return {writer.bytes, writer.bytes + writer.size};
}

}  // namespace mobilenet
