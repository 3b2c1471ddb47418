// samples.h: GIF, by giflib. Its failures end the test program: the input is our own.
#include <gif_lib.h>

#include <cstdlib>

#include "image/samples.h"

namespace mobilenet::samples {
namespace {

int Append(GifFileType* gif, const GifByteType* data, int count) {
  auto& bytes = *static_cast<Bytes*>(gif->UserData);
  bytes.insert(bytes.end(), data, data + count);
  return count;
}

void Require(int result) {
  if (result != GIF_OK) std::abort();
}

void WriteTransparency(GifFileType* gif, int index) {
  const GraphicsControlBlock control = {DISPOSAL_UNSPECIFIED, false, 10, index};
  std::uint8_t block[4];
  EGifGCBToExtension(&control, block);
  Require(EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, sizeof(block), block));
}

}  // namespace

Bytes Gif(int width, int height, const Bytes& indices, const GifOptions& options) {
  Bytes bytes;
  int error = 0;
  GifFileType* gif = EGifOpen(&bytes, Append, &error);
  EGifSetGifVersion(gif, true);
  const auto colours = static_cast<int>(options.palette.size() / 3);
  ColorMapObject* map =
      GifMakeMapObject(colours, reinterpret_cast<const GifColorType*>(options.palette.data()));
  if (map == nullptr) std::abort();
  Require(EGifPutScreenDesc(gif, options.canvas_width > 0 ? options.canvas_width : width,
                            options.canvas_height > 0 ? options.canvas_height : height, 8, 0,
                            options.own_palette ? nullptr : map));
  for (int frame = 0; frame < options.frames; ++frame) {
    if (options.transparent >= 0) WriteTransparency(gif, options.transparent);
    Require(EGifPutImageDesc(gif, options.left, options.top, width, height, options.interlaced,
                             options.own_palette ? map : nullptr));
    const auto write = [&](int first, int step) {
      for (int y = first; y < height; y += step) {
        Bytes row(width);
        if (frame == 0) row.assign(indices.begin() + y * width, indices.begin() + (y + 1) * width);
        Require(EGifPutLine(gif, row.data(), width));
      }
    };
    if (options.interlaced) {
      write(0, 8);
      write(4, 8);
      write(2, 4);
      write(1, 2);
    } else {
      write(0, 1);
    }
  }
  GifFreeMapObject(map);
  Require(EGifCloseFile(gif, &error));
  return bytes;
}

}  // namespace mobilenet::samples
