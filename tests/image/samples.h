// Encoded pictures for the tests, made by the libraries' own encoders or byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/image.h"

namespace mobilenet::samples {

using Bytes = std::vector<std::uint8_t>;

// Pseudo-random pixels that a Python script can make too: the upper byte of a linear congruential generator.
Image Noise(int width, int height, int channels = 3);

// A smooth picture with a different colour in each corner: what JPEG keeps well and what shows its
// orientation.
Image Gradient(int width, int height);

// The greatest difference of two samples; 256 where the shapes differ.
int MaxDifference(const Image& a, const Image& b);

// The message of the Error that `action` throws; "" where it throws none.
std::string ErrorOf(const std::function<void()>& action);

// The Error that decoding throws, under the name "x".
std::string DecodeError(const Bytes& bytes, const DecodeOptions& options = {});

// Little-endian integers, one after the other.
void Append16(Bytes& bytes, std::initializer_list<std::uint32_t> values);
void Append32(Bytes& bytes, std::initializer_list<std::uint32_t> values);
void Append(Bytes& bytes, std::string_view text);
void Append(Bytes& bytes, const Bytes& more);

// A TIFF structure whose first directory holds `orientation`, as EXIF data is.
Bytes Exif(int orientation, bool big_endian = false);

// --- JPEG ---

enum class JpegColour { kGrey, kRgb, kYcc420, kYcc444, kCmyk, kYcck };

enum class JpegScans {
  kOne,
  kComponents,   // sequential, one for each component
  kProgressive,  // libjpeg's choice: first the upper bits, then the lower ones
  kBands,        // progressive, all bits at once: the means of all components, then the rest of each
};

struct JpegOptions {
  JpegColour colour = JpegColour::kYcc444;
  int quality = 95;
  JpegScans scans = JpegScans::kOne;
  bool arithmetic = false;
  int restart_rows = 0;
  bool adobe_marker = true;
  Bytes exif = {};  // goes into an APP1 marker
};

// Four-component pictures store 255 - ink: `image` gives the first three and the fourth is `white`.
Bytes Jpeg(const Image& image, const JpegOptions& options = {}, std::uint8_t white = 255);

// --- PNG ---

struct PngOptions {
  int colour_type;  // PNG_COLOR_TYPE_...
  int bit_depth = 8;
  bool interlaced = false;
  Bytes palette = {};                   // RGB triples
  Bytes palette_alpha = {};             // tRNS of a palette
  std::vector<std::uint16_t> key = {};  // tRNS of grey (1) or RGB (3)
  Bytes exif = {};                      // eXIf before the pixels
  double gamma = 0;                     // gAMA, where not 0
  std::vector<std::string> texts = {};  // a zTXt each
};

// `rows` as PNG stores them: height rows without gaps, 16-bit samples in big-endian order.
Bytes Png(int width, int height, const Bytes& rows, const PngOptions& options);

// --- WebP ---

Bytes LosslessWebp(int width, int height, const Bytes& rgba);
Bytes LossyWebp(int width, int height, const Bytes& rgba);

// The image chunks of a WebP made by the two above, without its RIFF header (and VP8X).
Bytes WebpChunks(const Bytes& webp);

// A WebP container of the chunks given, behind a VP8X header with these flags.
Bytes ExtendedWebp(int width, int height, std::uint8_t flags, const Bytes& chunks);
Bytes WebpChunk(std::string_view name, const Bytes& content);

inline constexpr std::uint8_t kWebpAnimation = 0x02, kWebpExif = 0x08, kWebpAlpha = 0x10;

// --- BMP ---

struct BmpOptions {
  std::uint32_t header_bytes = 40;
  int bits = 24;
  std::uint32_t compression = 0;
  std::uint32_t palette_entries = 0;
  std::vector<std::uint32_t> masks = {};  // red, green, blue, alpha
  Bytes palette = {};                     // as stored: BGR0, or BGR behind a 12-byte header
};

// `rows` as BMP stores them; a negative height means top-down.
Bytes Bmp(int width, int height, const Bytes& rows, const BmpOptions& options = {});

// --- GIF ---

struct GifOptions {
  Bytes palette = {};  // RGB triples, of which there are a power of two
  int left = 0, top = 0;
  int canvas_width = 0, canvas_height = 0;  // 0: the frame's
  bool interlaced = false;
  bool own_palette = false;  // the frame's, not the file's
  int transparent = -1;      // an index
  int frames = 1;            // those behind the first are of zeros
};

// `indices` into the palette.
Bytes Gif(int width, int height, const Bytes& indices, const GifOptions& options);

// --- TIFF ---

struct TiffOptions {
  int photometric;  // PHOTOMETRIC_...
  int bits = 8;
  int samples = 3;
  int compression = 1;  // COMPRESSION_...
  bool planar = false;
  int tile = 0;  // a side; 0: strips
  int rows_per_strip = 3;
  std::vector<std::uint16_t> palette = {};  // all reds, all greens, all blues
  std::vector<std::uint16_t> extra = {};    // EXTRASAMPLE_...
  int orientation = 0;
  int sample_format = 0;
  int kind = 0;  // FILETYPE_...
  int ink_set = 0;
  bool big_endian = false;
  int pages = 1;
};

// `rows` as libtiff takes them: the samples of a pixel side by side, rows of whole bytes, 16 bits in the
// machine's order. Pages behind the first are of zeros. Planes and tiles are for samples of whole bytes.
Bytes Tiff(int width, int height, const Bytes& rows, const TiffOptions& options);

// --- HEIF ---

enum class HeifCodec { kHevc, kAv1 };

struct HeifOptions {
  HeifCodec codec = HeifCodec::kHevc;
  int bits = 8;
  bool premultiplied = false;
  int orientation = 1;
  bool grey = false;
  bool grid = false;  // HEVC of odd sides: a crop of one tile instead of a property that crops
  Bytes exif = {};
};

// Whether this machine's libheif can write it.
bool CanEncodeHeif(HeifCodec codec);

// RGB pixels, or RGBA with coverage, or grey ones.
Bytes Heif(int width, int height, const Bytes& pixels, const HeifOptions& options = {});

// A picture of `columns` x `rows` tiles, each a HEIF file that Heif wrote without a grid, cropped to width x
// height. Where there are fewer tiles than places, they are named again in turn.
Bytes HeifGrid(int width, int height, int columns, int rows, const std::vector<Bytes>& tiles, int tile_side);

// One small picture of every format and coding.
struct NamedSample {
  std::string name;
  Bytes bytes;
};
std::vector<NamedSample> SmallSamples();

}  // namespace mobilenet::samples
