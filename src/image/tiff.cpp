// TIFF through libtiff: the first page, in strips or tiles, of bilevel, grey, palette, RGB, CMYK, Y'CbCr and
// L*a*b* samples, to 8-bit RGB over white. Colour profiles are ignored, as in the programs that prepared the
// data sets.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "image/decoders.h"
#include "image/tiff_file.h"

namespace mobilenet {
namespace {

constexpr int kMaxSamples = 8;  // to a pixel

// A tile may be larger than its picture. Up to so many pixels that does no harm.
constexpr std::uint64_t kMaxSmallTile = 1 << 20;

enum class Colours { kGrey, kPalette, kRgb, kInk };

// How the samples of the page lie.
struct Layout {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Colours colours = Colours::kGrey;
  bool inverted = false;  // 0 is white
  int bits = 1;           // of a sample
  int samples = 1;        // of a pixel
  bool has_alpha = false;
  bool premultiplied = false;
  bool planar = false;  // samples apart: first all of the first
  bool tiled = false;
  std::uint32_t block_width = 0;  // of a tile or a strip
  std::uint32_t block_height = 0;

  [[nodiscard]] int ColourSamples() const {
    return colours == Colours::kRgb ? 3 : colours == Colours::kInk ? 4 : 1;
  }
  // Those that are read: the others of a pixel say nothing that is known.
  [[nodiscard]] int ReadSamples() const { return ColourSamples() + (has_alpha ? 1 : 0); }
};

[[noreturn]] void FailUnread(const Encoded& encoded, const auto&... what) {
  Fail(encoded.name, ": TIFF has ", what...);
}

// The bytes that one byte of a file can stand for, by what its compression can do best; 0: unknown. A header
// that declares more is refused before memory is taken.
std::uint64_t MaxInflation(std::uint16_t compression) {
  switch (compression) {
    case COMPRESSION_NONE:
      return 1;
    case COMPRESSION_PACKBITS:
      return 64;  // a run of 128 in two bytes
    case COMPRESSION_LZW:
      return 4096;
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
      return 1032;
    default:
      return 0;
  }
}

void CheckCompression(const TiffFile& file, const Encoded& encoded) {
  const auto compression = file.Field<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  if (compression == COMPRESSION_OJPEG) {
    FailUnread(encoded,
               "JPEG data in the way that was given up in 1995, or is a camera's raw file: neither is read");
  }
  if (TIFFIsCODECConfigured(compression) == 0)
    FailUnread(encoded, "compression ", compression, ", which this libtiff does not read");
}

std::uint16_t PhotometricOf(const TiffFile& file, const Encoded& encoded) {
  std::uint16_t photometric = 0;
  if (TIFFGetField(file.get(), TIFFTAG_PHOTOMETRIC, &photometric) != 1)
    Fail(encoded.name,
         ": damaged TIFF: it does not say what its samples stand for (photometric interpretation)");
  return photometric;
}

// A camera's raw file begins with a small picture, or is none to be seen.
void CheckNotRaw(const TiffFile& file, const Encoded& encoded) {
  std::uint32_t kind = 0;
  const bool thumbnail =
      TIFFGetField(file.get(), TIFFTAG_SUBFILETYPE, &kind) == 1 && (kind & FILETYPE_REDUCEDIMAGE) != 0;
  if (thumbnail || PhotometricOf(file, encoded) == PHOTOMETRIC_CFA)
    FailUnread(encoded, thumbnail ? "a thumbnail as its first page" : "a sensor's bare samples",
               ", as a camera's raw file: convert it to another format first");
}

void CheckSamples(const TiffFile& file, const Encoded& encoded, const Layout& layout) {
  const auto format = file.Field<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  if (format == SAMPLEFORMAT_IEEEFP || format == SAMPLEFORMAT_COMPLEXIEEEFP)
    FailUnread(encoded, "floating-point samples, expected integers of at most 16 bits");
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
    FailUnread(encoded, "signed samples, expected unsigned ones");
  const int most = layout.colours == Colours::kPalette ? 8 : 16;
  if (layout.bits < 1 || layout.bits > most)
    FailUnread(encoded, layout.bits, " bits in a sample, expected 1 to ", most);
  if (layout.samples < layout.ColourSamples() || layout.samples > kMaxSamples)
    FailUnread(encoded, layout.samples, " samples in a pixel, expected ", layout.ColourSamples(), " to ",
               kMaxSamples);
}

// True where libtiff makes RGB of what we don't: Y'CbCr that isn't JPEG, and L*a*b*.
bool IsLeftToLibtiff(const TiffFile& file, const Encoded& encoded) {
  switch (PhotometricOf(file, encoded)) {
    case PHOTOMETRIC_YCBCR:
      return file.Field<std::uint16_t>(TIFFTAG_COMPRESSION) != COMPRESSION_JPEG ||
             file.Field<std::uint16_t>(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
    case PHOTOMETRIC_CIELAB:
      return true;
    default:
      return false;
  }
}

void SetColours(const TiffFile& file, const Encoded& encoded, Layout& layout) {
  const std::uint16_t photometric = PhotometricOf(file, encoded);
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
      layout.inverted = true;
      return;
    case PHOTOMETRIC_MINISBLACK:
      return;
    case PHOTOMETRIC_PALETTE:
      layout.colours = Colours::kPalette;
      return;
    case PHOTOMETRIC_YCBCR:  // libjpeg makes RGB of it
      TIFFSetField(file.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      [[fallthrough]];
    case PHOTOMETRIC_RGB:
      layout.colours = Colours::kRgb;
      return;
    case PHOTOMETRIC_SEPARATED:
      layout.colours = Colours::kInk;
      layout.inverted = true;
      if (file.Field<std::uint16_t>(TIFFTAG_INKSET, INKSET_CMYK) != INKSET_CMYK)
        FailUnread(encoded, "inks other than cyan, magenta, yellow and black");
      return;
    default:
      FailUnread(encoded, "photometric interpretation ", photometric,
                 ", expected bilevel, grey, a palette, RGB, CMYK, YCbCr or L*a*b*");
  }
}

// The first sample behind the colours, if it is said to be a coverage. Four samples of RGB without a word
// about the fourth are taken for RGBA, as by Pillow.
void SetAlpha(const TiffFile& file, Layout& layout) {
  const int extra = layout.samples - layout.ColourSamples();
  if (extra == 0) return;
  std::uint16_t count = 0;
  const std::uint16_t* kinds = nullptr;
  if (TIFFGetField(file.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1 || count == 0) {
    layout.has_alpha = layout.colours == Colours::kRgb && extra == 1;
    return;
  }
  layout.premultiplied = kinds[0] == EXTRASAMPLE_ASSOCALPHA;
  layout.has_alpha = layout.premultiplied || kinds[0] == EXTRASAMPLE_UNASSALPHA;
}

void SetBlocks(const TiffFile& file, const Encoded& encoded, Layout& layout) {
  layout.tiled = TIFFIsTiled(file.get()) != 0;
  if (!layout.tiled) {
    layout.block_width = layout.width;
    layout.block_height =
        std::min(layout.height, file.Field<std::uint32_t>(TIFFTAG_ROWSPERSTRIP, layout.height));
    if (layout.block_height == 0) Fail(encoded.name, ": damaged TIFF: its strips have no rows");
    return;
  }
  layout.block_width = file.Field<std::uint32_t>(TIFFTAG_TILEWIDTH);
  layout.block_height = file.Field<std::uint32_t>(TIFFTAG_TILELENGTH);
  const bool large = std::uint64_t{layout.block_width} * layout.block_height > kMaxSmallTile;
  if (large || layout.block_width == 0 || layout.block_height == 0)
    CheckSize(encoded, "TIFF tile", layout.block_width, layout.block_height);
}

Layout LayoutOf(const TiffFile& file, const Encoded& encoded) {
  Layout layout;
  layout.width = file.Field<std::uint32_t>(TIFFTAG_IMAGEWIDTH);
  layout.height = file.Field<std::uint32_t>(TIFFTAG_IMAGELENGTH);
  layout.bits = file.Field<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
  layout.samples = file.Field<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
  layout.planar =
      file.Field<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  SetColours(file, encoded, layout);
  CheckSamples(file, encoded, layout);
  SetAlpha(file, layout);
  SetBlocks(file, encoded, layout);
  const std::uint64_t inflation =
      MaxInflation(file.Field<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE));
  const std::uint64_t bits = std::uint64_t{layout.width} * layout.height * layout.bits * layout.samples;
  if (inflation != 0 && bits / 8 / inflation > encoded.bytes.size()) {
    Fail(encoded.name, ": TIFF of ", layout.width, " x ", layout.height, " pixels ends after ",
         encoded.bytes.size(), " bytes, before the picture is complete");
  }
  return layout;
}

// `count` samples of `bits` bits as 8 bits each, from as many bytes as they take; those of palettes as they
// are.
void Unpack(const std::uint8_t* packed, const Layout& layout, std::span<std::uint8_t> samples) {
  if (layout.bits == 8) {
    std::copy_n(packed, samples.size(), samples.begin());
    return;
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    unsigned value = 0;
    if (layout.bits == 16) {  // in the machine's order
      std::uint16_t whole = 0;
      std::memcpy(&whole, packed + 2 * i, sizeof(whole));
      value = whole;
    } else {
      for (std::size_t bit = i * layout.bits; bit < (i + 1) * layout.bits; ++bit)
        value = value << 1 | (packed[bit / 8] >> (7 - bit % 8) & 1U);
    }
    samples[i] = layout.colours == Colours::kPalette ? static_cast<std::uint8_t>(value)
                                                     : EightBits(value, layout.bits);
  }
}

// All samples that count, 8 bits each, pixel by pixel.
class SampleReader {
 public:
  SampleReader(TiffFile& file, const Encoded& encoded, const Layout& layout)
      : file_(file), encoded_(encoded), layout_(layout) {}

  std::vector<std::uint8_t> Read() {
    const auto in_block = static_cast<std::uint64_t>(layout_.planar ? 1 : layout_.samples);
    row_.resize(layout_.block_width * in_block);
    row_bytes_ = (row_.size() * layout_.bits + 7) / 8;
    const tmsize_t expected = layout_.tiled ? TIFFTileRowSize(file_.get()) : TIFFScanlineSize(file_.get());
    if (expected != static_cast<tmsize_t>(row_bytes_))
      Fail(encoded_.name, ": damaged TIFF: rows of ", expected, " bytes, expected ", row_bytes_);
    block_.resize(row_bytes_ * layout_.block_height);
    ReadBlock(0, 0, 0);  // before memory is taken for all
    samples_.resize(std::size_t{layout_.width} * layout_.height * layout_.ReadSamples());
    for (int plane = 0; plane < (layout_.planar ? layout_.ReadSamples() : 1); ++plane) {
      for (std::uint64_t y = 0; y < layout_.height; y += layout_.block_height) {
        for (std::uint64_t x = 0; x < layout_.width; x += layout_.block_width) {
          if (x + y + static_cast<unsigned>(plane) > 0) ReadBlock(x, y, plane);
          Spread(x, y, plane);
        }
      }
    }
    return std::move(samples_);
  }

 private:
  void ReadBlock(std::uint64_t x, std::uint64_t y, int plane) {
    const auto sample = static_cast<std::uint16_t>(plane);
    const auto left = static_cast<std::uint32_t>(x);
    const auto top = static_cast<std::uint32_t>(y);
    const std::uint64_t rows = layout_.tiled
                                   ? layout_.block_height
                                   : std::min<std::uint64_t>(layout_.block_height, layout_.height - y);
    const auto bytes = static_cast<tmsize_t>(rows * row_bytes_);
    const tmsize_t read =
        layout_.tiled ? TIFFReadEncodedTile(file_.get(), TIFFComputeTile(file_.get(), left, top, 0, sample),
                                            block_.data(), bytes)
                      : TIFFReadEncodedStrip(file_.get(), TIFFComputeStrip(file_.get(), top, sample),
                                             block_.data(), bytes);
    file_.Check(read != bytes);
  }

  // The block at (left, top) goes to its place among all samples.
  void Spread(std::uint64_t left, std::uint64_t top, int plane) {
    const std::size_t in_block = layout_.planar ? 1 : static_cast<std::size_t>(layout_.samples);
    const auto kept = static_cast<std::size_t>(layout_.ReadSamples());
    const std::size_t copied = layout_.planar ? 1 : kept;
    const std::uint64_t width = std::min<std::uint64_t>(layout_.block_width, layout_.width - left);
    const std::uint64_t height = std::min<std::uint64_t>(layout_.block_height, layout_.height - top);
    for (std::uint64_t y = 0; y < height; ++y) {
      Unpack(block_.data() + y * row_bytes_, layout_, row_);
      std::uint8_t* to = samples_.data() + ((top + y) * layout_.width + left) * kept + plane;
      for (std::uint64_t x = 0; x < width; ++x)
        std::copy_n(row_.data() + x * in_block, copied, to + x * kept);
    }
  }

  TiffFile& file_;
  const Encoded& encoded_;
  const Layout& layout_;
  std::size_t row_bytes_ = 0;        // of a block
  std::vector<std::uint8_t> block_;  // as it is stored, decompressed
  std::vector<std::uint8_t> row_;    // of the block, unpacked
  std::vector<std::uint8_t> samples_;
};

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

// Entries have 16 bits, of which the upper ones are what other programs show: some writers leave the lower
// ones 0. Some write entries of 8 bits.
Palette ReadPalette(const TiffFile& file, const Encoded& encoded, const Layout& layout) {
  std::array<const std::uint16_t*, 3> columns{};
  if (TIFFGetField(file.get(), TIFFTAG_COLORMAP, &columns[0], &columns[1], &columns[2]) != 1)
    Fail(encoded.name, ": damaged TIFF: its palette is missing");
  const std::size_t entries = std::size_t{1} << layout.bits;
  bool small = true;
  for (const std::uint16_t* column : columns)
    small = small && std::all_of(column, column + entries, [](std::uint16_t value) { return value < 256; });
  Palette palette{};
  for (std::size_t i = 0; i < entries; ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      palette[i][c] = static_cast<std::uint8_t>(small ? columns[c][i] : columns[c][i] >> 8);
  }
  return palette;
}

void ToRgb(const std::uint8_t* pixel, const Layout& layout, const Palette& palette, std::uint8_t* rgb) {
  switch (layout.colours) {
    case Colours::kGrey:
      std::fill_n(rgb, 3, pixel[0]);
      return;
    case Colours::kPalette:
      std::ranges::copy(palette[pixel[0]], rgb);
      return;
    case Colours::kRgb:
      std::copy_n(pixel, 3, rgb);
      return;
    case Colours::kInk:
      LightToRgb(pixel, rgb);
      return;
  }
}

Image ImageOf(std::vector<std::uint8_t> samples, const Layout& layout, const Palette& palette) {
  const auto kept = static_cast<std::size_t>(layout.ReadSamples());
  Image image = MakeImage(layout.width, layout.height);
  for (std::size_t i = 0; i < samples.size() / kept; ++i) {
    std::uint8_t* pixel = samples.data() + i * kept;
    std::uint8_t* rgb = image.pixels.data() + 3 * i;
    if (layout.inverted) {
      for (int c = 0; c < layout.ColourSamples(); ++c) pixel[c] = static_cast<std::uint8_t>(255 - pixel[c]);
    }
    ToRgb(pixel, layout, palette, rgb);
    if (!layout.has_alpha) continue;
    const unsigned alpha = pixel[kept - 1];
    for (int c = 0; c < 3; ++c)
      rgb[c] = layout.premultiplied ? PremultipliedOverWhite(rgb[c], alpha) : OverWhite(rgb[c], alpha);
  }
  return image;
}

Image ReadByLibtiff(TiffFile& file, const Encoded& encoded, std::uint32_t width, std::uint32_t height) {
  std::array<char, 1024> text{};
  TIFFRGBAImage reader;
  if (TIFFRGBAImageOK(file.get(), text.data()) == 0)
    FailUnread(encoded, "pixels that libtiff does not read: ", text.data());
  file.Check(TIFFRGBAImageBegin(&reader, file.get(), 1, text.data()) == 0);
  const std::unique_ptr<TIFFRGBAImage, decltype(&TIFFRGBAImageEnd)> end(&reader, TIFFRGBAImageEnd);
  reader.req_orientation = reader.orientation;  // as it is stored
  std::vector<std::uint32_t> pixels(std::size_t{width} * height);
  const bool read = TIFFRGBAImageGet(&reader, pixels.data(), width, height) == 1;
  file.Check(!read);
  Image image = MakeImage(width, height);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    image.pixels[3 * i] = static_cast<std::uint8_t>(TIFFGetR(pixels[i]));
    image.pixels[3 * i + 1] = static_cast<std::uint8_t>(TIFFGetG(pixels[i]));
    image.pixels[3 * i + 2] = static_cast<std::uint8_t>(TIFFGetB(pixels[i]));
  }
  return image;
}

}  // namespace

Decoded DecodeTiff(const Encoded& encoded) {
  TiffFile file(encoded);
  const auto width = file.Field<std::uint32_t>(TIFFTAG_IMAGEWIDTH);
  const auto height = file.Field<std::uint32_t>(TIFFTAG_IMAGELENGTH);
  CheckSize(encoded, "TIFF", width, height);
  CheckNotRaw(file, encoded);
  CheckCompression(file, encoded);
  Decoded decoded;
  decoded.orientation = file.Field<std::uint16_t>(TIFFTAG_ORIENTATION, 1);
  file.ExpectPixels();
  if (IsLeftToLibtiff(file, encoded)) {
    decoded.image = ReadByLibtiff(file, encoded, width, height);
    return decoded;
  }
  const Layout layout = LayoutOf(file, encoded);
  const Palette palette =
      layout.colours == Colours::kPalette ? ReadPalette(file, encoded, layout) : Palette{};
  decoded.image = ImageOf(SampleReader(file, encoded, layout).Read(), layout, palette);
  return decoded;
}

}  // namespace mobilenet
