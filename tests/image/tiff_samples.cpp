// samples.h: TIFF, by libtiff. Its failures end the test program: the input is our own.
#include <tiffio.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "image/samples.h"

namespace mobilenet::samples {
namespace {

struct Memory {
  Bytes bytes;
  std::uint64_t at = 0;
};

tmsize_t Read(thandle_t file, void* to, tmsize_t count) {
  auto& memory = *static_cast<Memory*>(file);
  const auto rest =
      static_cast<tmsize_t>(memory.bytes.size() - std::min<std::uint64_t>(memory.at, memory.bytes.size()));
  const tmsize_t given = std::min(count, rest);
  std::memcpy(to, memory.bytes.data() + memory.at, static_cast<std::size_t>(given));
  memory.at += given;
  return given;
}

tmsize_t Write(thandle_t file, void* from, tmsize_t count) {
  auto& memory = *static_cast<Memory*>(file);
  memory.bytes.resize(std::max<std::size_t>(memory.bytes.size(), memory.at + count));
  std::memcpy(memory.bytes.data() + memory.at, from, static_cast<std::size_t>(count));
  memory.at += count;
  return count;
}

toff_t Seek(thandle_t file, toff_t offset, int whence) {
  auto& memory = *static_cast<Memory*>(file);
  memory.at = (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory.at : memory.bytes.size()) + offset;
  return memory.at;
}

void Require(bool condition) {
  if (!condition) std::abort();
}

void SetFields(TIFF* tiff, int width, int height, const TiffOptions& o) {
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, o.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, o.samples);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, o.compression);
  if (o.photometric >= 0) TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, o.photometric);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, o.planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (o.compression == COMPRESSION_JPEG) TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (o.photometric == PHOTOMETRIC_YCBCR) TIFFSetField(tiff, TIFFTAG_YCBCRSUBSAMPLING, 1, 1);
  if (o.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, o.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, o.tile);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, o.rows_per_strip);
  }
  const std::size_t entries = o.palette.size() / 3;
  if (entries > 0) {
    TIFFSetField(tiff, TIFFTAG_COLORMAP, o.palette.data(), o.palette.data() + entries,
                 o.palette.data() + 2 * entries);
  }
  if (!o.extra.empty())
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, static_cast<int>(o.extra.size()), o.extra.data());
  if (o.orientation > 0) TIFFSetField(tiff, TIFFTAG_ORIENTATION, o.orientation);
  if (o.sample_format > 0) TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, o.sample_format);
  if (o.kind > 0) TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, o.kind);
  if (o.ink_set > 0) TIFFSetField(tiff, TIFFTAG_INKSET, o.ink_set);
}

void WriteStrips(TIFF* tiff, int height, const Bytes& rows, const TiffOptions& o) {
  const std::size_t row_bytes = rows.size() / height;
  for (int y = 0; y < height; y += o.rows_per_strip) {
    const int count = std::min(o.rows_per_strip, height - y);
    Bytes strip(rows.begin() + static_cast<std::ptrdiff_t>(y * row_bytes),
                rows.begin() + static_cast<std::ptrdiff_t>((y + count) * row_bytes));
    const auto size = static_cast<tmsize_t>(strip.size());
    Require(TIFFWriteEncodedStrip(tiff, TIFFComputeStrip(tiff, y, 0), strip.data(), size) == size);
  }
}

// A block of one plane, or of all samples; zeros behind the edges.
void WriteBlock(TIFF* tiff, int width, int height, const Bytes& rows, const TiffOptions& o, int left, int top,
                int plane) {
  const int bytes = o.bits / 8;
  const int block_width = o.tile > 0 ? o.tile : width;
  const int block_height = o.tile > 0 ? o.tile : std::min(o.rows_per_strip, height - top);
  const int samples = o.planar ? 1 : o.samples;
  Bytes block(static_cast<std::size_t>(block_width) * block_height * samples * bytes);
  for (int y = 0; y < std::min(block_height, height - top); ++y) {
    for (int x = 0; x < std::min(block_width, width - left); ++x) {
      const std::size_t from =
          ((static_cast<std::size_t>(top + y) * width + left + x) * o.samples + plane) * bytes;
      const std::size_t to = (static_cast<std::size_t>(y) * block_width + x) * samples * bytes;
      std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(from), samples * bytes,
                  block.begin() + static_cast<std::ptrdiff_t>(to));
    }
  }
  const auto size = static_cast<tmsize_t>(block.size());
  const auto sample = static_cast<std::uint16_t>(plane);
  Require((o.tile > 0
               ? TIFFWriteEncodedTile(tiff, TIFFComputeTile(tiff, left, top, 0, sample), block.data(), size)
               : TIFFWriteEncodedStrip(tiff, TIFFComputeStrip(tiff, top, sample), block.data(), size)) ==
          size);
}

void WriteBlocks(TIFF* tiff, int width, int height, const Bytes& rows, const TiffOptions& o) {
  for (int plane = 0; plane < (o.planar ? o.samples : 1); ++plane) {
    for (int y = 0; y<height; y += o.tile> 0 ? o.tile : o.rows_per_strip) {
      for (int x = 0; x<width; x += o.tile> 0 ? o.tile : width)
        WriteBlock(tiff, width, height, rows, o, x, y, plane);
    }
  }
}

}  // namespace

Bytes Tiff(int width, int height, const Bytes& rows, const TiffOptions& options) {
  Memory memory;
  const auto close = [](thandle_t) { return 0; };
  const auto size = [](thandle_t file) -> toff_t { return static_cast<Memory*>(file)->bytes.size(); };
  TIFF* tiff = TIFFClientOpen("memory", options.big_endian ? "wbm" : "wlm", &memory, Read, Write, Seek, close,
                              size, nullptr, nullptr);
  Require(tiff != nullptr);
  for (int page = 0; page < options.pages; ++page) {
    SetFields(tiff, width, height, options);
    const Bytes content = page == 0 ? rows : Bytes(rows.size());
    if (options.planar || options.tile > 0) {
      WriteBlocks(tiff, width, height, content, options);
    } else {
      WriteStrips(tiff, height, content, options);
    }
    Require(TIFFWriteDirectory(tiff) == 1);
  }
  TIFFClose(tiff);
  return memory.bytes;
}

}  // namespace mobilenet::samples
