// WebP through libwebp: lossy and lossless, still and animated (the first frame on its canvas), over white.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/fail.h"
#include "image/decoders.h"
#include "image/exif.h"

namespace mobilenet {
namespace {

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DeleteDemuxer>;

std::string_view StatusText(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "not enough memory";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a feature that libwebp does not read";
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "the file ends before the picture is complete";
    default:
      return "the bit stream is wrong";
  }
}

// Where the first frame's pixels go: a rectangle of a canvas with `channels` bytes a pixel.
struct Target {
  std::uint8_t* canvas;
  std::size_t canvas_bytes;
  std::size_t stride;
  std::size_t channels;
};

void DecodeFrame(const WebPIterator& frame, const Target& target, const Encoded& encoded) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) Fail(encoded.name, ": libwebp of another version");
  const std::size_t offset = frame.y_offset * target.stride + frame.x_offset * target.channels;
  config.output.colorspace = target.channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = target.canvas + offset;
  config.output.u.RGBA.stride = static_cast<int>(target.stride);
  config.output.u.RGBA.size = target.canvas_bytes - offset;
  const VP8StatusCode status = WebPDecode(frame.fragment.bytes, frame.fragment.size, &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) Fail(encoded.name, ": damaged WebP: ", StatusText(status));
}

void CheckFrame(const WebPIterator& frame, std::uint64_t width, std::uint64_t height,
                const Encoded& encoded) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(frame.fragment.bytes, frame.fragment.size, &features);
  if (status != VP8_STATUS_OK) Fail(encoded.name, ": damaged WebP: ", StatusText(status));
  const bool inside = frame.x_offset >= 0 && frame.y_offset >= 0 &&
                      static_cast<std::uint64_t>(frame.x_offset) + features.width <= width &&
                      static_cast<std::uint64_t>(frame.y_offset) + features.height <= height;
  if (!inside) {
    Fail(encoded.name, ": damaged WebP: a frame of ", features.width, " x ", features.height, " pixels at ",
         frame.x_offset, ", ", frame.y_offset, " leaves the canvas of ", width, " x ", height);
  }
}

Image ComposeFrame(const WebPIterator& frame, std::uint64_t width, std::uint64_t height,
                   const Encoded& encoded) {
  CheckFrame(frame, width, height, encoded);
  Image image = MakeImage(width, height, 255);
  if (frame.has_alpha == 0) {
    DecodeFrame(frame, {image.pixels.data(), image.pixels.size(), width * 3, 3}, encoded);
    return image;
  }
  std::vector<std::uint8_t> rgba(width * height * 4);
  DecodeFrame(frame, {rgba.data(), rgba.size(), width * 4, 4}, encoded);
  ComposeOverWhite(rgba, image.pixels);
  return image;
}

int Orientation(const WebPDemuxer* demuxer) {
  WebPChunkIterator chunk{};
  int orientation = 1;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0) {
    orientation = ExifOrientation({chunk.chunk.bytes, chunk.chunk.size});
  }
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

}  // namespace

Decoded DecodeWebp(const Encoded& encoded) {
  const WebPData data = {encoded.bytes.data(), encoded.bytes.size()};
  const Demuxer demuxer(WebPDemux(&data));
  if (demuxer == nullptr) {
    Fail(encoded.name, ": damaged WebP: the file of ", encoded.bytes.size(),
         " bytes ends before the picture is complete, or its chunks are wrong");
  }
  const std::uint64_t width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  const std::uint64_t height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  CheckSize(encoded, "WebP", width, height);

  WebPIterator frame{};
  const std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> release(&frame,
                                                                                   WebPDemuxReleaseIterator);
  if (WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) Fail(encoded.name, ": damaged WebP: it has no frame");
  return {ComposeFrame(frame, width, height, encoded), Orientation(demuxer.get())};
}

}  // namespace mobilenet
