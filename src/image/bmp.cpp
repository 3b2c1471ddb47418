// Windows and OS/2 bitmaps: 1, 2, 4, 8, 16, 24 and 32 bits a pixel, run-length coded ones too.
// Layout: Microsoft's BITMAPINFOHEADER and BITMAPV5HEADER pages.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/fail.h"
#include "image/bmp_runs.h"
#include "image/decoders.h"

namespace mobilenet {
namespace {

constexpr std::size_t kFileHeaderBytes = 14;
constexpr std::uint32_t kCoreHeaderBytes = 12;  // OS/2 1.x: 16-bit sides, three-byte palette entries
constexpr std::uint32_t kInfoHeaderBytes = 40;
constexpr std::uint32_t kOs2HeaderBytes = 64;
constexpr std::uint32_t kAlphaHeaderBytes = 56;  // the first with an alpha mask of its own

enum Compression : std::uint32_t { kPlain = 0, kRuns8 = 1, kRuns4 = 2, kMasks = 3, kAlphaMasks = 6 };

using Rgb = std::array<std::uint8_t, 3>;

// One channel of a 16- or 32-bit pixel.
struct Channel {
  std::uint32_t mask = 0;

  [[nodiscard]] unsigned Sample(std::uint32_t pixel) const {
    if (mask == 0) return 0;
    const int shift = std::countr_zero(mask);
    const std::uint64_t most = mask >> shift;
    return static_cast<unsigned>((std::uint64_t{(pixel & mask) >> shift} * 255 + most / 2) / most);
  }
};

struct Header {
  std::uint32_t header_bytes = 0;
  std::uint32_t pixels_offset = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;
  bool top_down = false;
  unsigned bits = 0;
  std::uint32_t compression = kPlain;
  std::uint32_t palette_entries = 0;
  std::array<Channel, 4> channels{};  // red, green, blue, alpha
};

class BmpReader {
 public:
  explicit BmpReader(const Encoded& encoded) : encoded_(encoded) {}

  Image Read() {
    ReadHeader();
    CheckHeader();
    if (header_.bits <= 8) return ReadPalettePixels();
    return header_.bits == 24 ? ReadRgbPixels() : ReadMaskedPixels();
  }

 private:
  template <typename... Parts>
  [[noreturn]] void FailDamaged(const Parts&... parts) const {
    Fail(encoded_.name, ": damaged BMP: ", parts...);
  }

  [[nodiscard]] std::uint32_t Integer(std::size_t offset, std::size_t length) const {
    if (offset + length > encoded_.bytes.size()) {
      FailDamaged("its header needs ", offset + length, " bytes, the file has ", encoded_.bytes.size());
    }
    std::uint32_t value = 0;
    for (std::size_t i = length; i-- > 0;) value = value << 8 | encoded_.bytes[offset + i];
    return value;
  }

  // Fields of the information header, counted from its first byte.
  [[nodiscard]] std::uint32_t Short(std::size_t offset) const {
    return Integer(kFileHeaderBytes + offset, 2);
  }
  [[nodiscard]] std::uint32_t Long(std::size_t offset) const { return Integer(kFileHeaderBytes + offset, 4); }

  void ReadHeader() {
    header_.pixels_offset = Integer(10, 4);
    header_.header_bytes = Long(0);
    if (header_.header_bytes == kCoreHeaderBytes) {
      header_.width = Short(4);
      header_.height = Short(6);
      header_.bits = Short(10);
      return;
    }
    constexpr std::array<std::uint32_t, 6> kKnown = {kInfoHeaderBytes, 52,  kAlphaHeaderBytes,
                                                     kOs2HeaderBytes,  108, 124};
    if (std::ranges::find(kKnown, header_.header_bytes) == kKnown.end()) {
      FailDamaged("a header of ", header_.header_bytes, " bytes, expected 12, 40, 52, 56, 64, 108 or 124");
    }
    const auto height = static_cast<std::int32_t>(Long(8));
    header_.width = static_cast<std::int32_t>(Long(4));
    header_.height = height < 0 ? -std::int64_t{height} : height;
    header_.top_down = height < 0;
    header_.bits = Short(14);
    header_.compression = Long(16);
    header_.palette_entries = Long(32);
    ReadMasks();
  }

  void ReadMasks() {
    if (header_.bits != 16 && header_.bits != 32) return;
    if (header_.compression == kPlain) {
      constexpr std::array<Channel, 4> k16 = {{{0x7C00}, {0x03E0}, {0x001F}, {0}}};
      constexpr std::array<Channel, 4> k32 = {{{0xFF0000}, {0x00FF00}, {0x0000FF}, {0}}};
      header_.channels = header_.bits == 16 ? k16 : k32;
      return;
    }
    const bool has_alpha = header_.compression == kAlphaMasks || header_.header_bytes >= kAlphaHeaderBytes;
    for (std::size_t c = 0; c < (has_alpha ? 4 : 3); ++c) {
      header_.channels[c].mask = Long(kInfoHeaderBytes + 4 * c);
    }
  }

  void CheckHeader() const {
    if (header_.width < 0) FailDamaged("a width of ", header_.width, " pixels");
    CheckSize(encoded_, "BMP", static_cast<std::uint64_t>(header_.width),
              static_cast<std::uint64_t>(header_.height));
    if (!CompressionFits()) {
      Fail(encoded_.name, ": BMP of ", header_.bits, " bits a pixel with compression ", header_.compression,
           ", expected 1, 2, 4, 8, 16, 24 or 32 bits, plain, run-length coded or with bit masks");
    }
    const bool has_masks = header_.bits == 16 || header_.bits == 32;
    if (has_masks && std::ranges::all_of(header_.channels, [](Channel c) { return c.mask == 0; })) {
      FailDamaged("its colour masks are empty");
    }
    if (header_.bits > 8 && header_.compression == kPlain) CheckPixelBytes();
  }

  [[nodiscard]] bool CompressionFits() const {
    constexpr std::array<unsigned, 7> kBits = {1, 2, 4, 8, 16, 24, 32};
    if (std::ranges::find(kBits, header_.bits) == kBits.end()) return false;
    const bool is_os2 = header_.header_bytes == kOs2HeaderBytes;  // 3 and 4 mean other things there
    switch (header_.compression) {
      case kPlain:
        return true;
      case kRuns8:
        return header_.bits == 8;
      case kRuns4:
        return header_.bits == 4;
      case kMasks:
      case kAlphaMasks:
        return !is_os2 && (header_.bits == 16 || header_.bits == 32);
      default:
        return false;
    }
  }

  [[nodiscard]] std::size_t RowBytes() const {
    return (static_cast<std::size_t>(header_.width) * header_.bits + 31) / 32 * 4;
  }

  // Throws where the file holds less than the pixels that its header declares. The last row's padding may
  // miss.
  void CheckPixelBytes() const {
    const std::size_t used = (static_cast<std::size_t>(header_.width) * header_.bits + 7) / 8;
    const std::size_t needed = RowBytes() * (static_cast<std::size_t>(header_.height) - 1) + used;
    const std::size_t size = encoded_.bytes.size();
    if (header_.pixels_offset > size || size - header_.pixels_offset < needed) {
      FailDamaged(header_.width, " x ", header_.height, " pixels of ", header_.bits, " bits at offset ",
                  header_.pixels_offset, " need ", needed, " bytes, the file has ", size);
    }
  }

  // The stored row that is shown at `y`.
  [[nodiscard]] const std::uint8_t* Row(std::size_t y) const {
    const std::size_t stored = header_.top_down ? y : static_cast<std::size_t>(header_.height) - 1 - y;
    return encoded_.bytes.data() + header_.pixels_offset + stored * RowBytes();
  }

  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(header_.width); }
  [[nodiscard]] std::size_t height() const { return static_cast<std::size_t>(header_.height); }

  // 256 colours, black behind the stored ones: an index beyond the palette shows black.
  [[nodiscard]] std::array<Rgb, 256> Palette() const {
    const bool is_core = header_.header_bytes == kCoreHeaderBytes;
    const std::size_t entry_bytes = is_core ? 3 : 4;
    const std::size_t begin = kFileHeaderBytes + header_.header_bytes;
    const std::size_t most = std::size_t{1} << header_.bits;
    std::size_t entries =
        header_.palette_entries == 0 ? most : std::min<std::size_t>(header_.palette_entries, most);
    // Writers that leave the count at 0 may store fewer colours than that means.
    const std::size_t end = std::min<std::size_t>(header_.pixels_offset, encoded_.bytes.size());
    entries = std::min(entries, end < begin ? 0 : (end - begin) / entry_bytes);
    if (entries == 0) FailDamaged("its palette is missing");
    std::array<Rgb, 256> palette{};
    for (std::size_t i = 0; i < entries; ++i) {
      const std::uint8_t* bgr = encoded_.bytes.data() + begin + i * entry_bytes;
      palette[i] = {bgr[2], bgr[1], bgr[0]};
    }
    return palette;
  }

  // One byte for each pixel, top to bottom.
  [[nodiscard]] std::vector<std::uint8_t> Indices() const {
    if (header_.compression == kPlain) {
      CheckPixelBytes();
      std::vector<std::uint8_t> indices(width() * height());
      const unsigned mask = (1U << header_.bits) - 1;
      for (std::size_t i = 0; i < indices.size(); ++i) {
        const std::size_t bit = i % width() * header_.bits;
        const unsigned shift = 8 - header_.bits - bit % 8;
        indices[i] = static_cast<std::uint8_t>(Row(i / width())[bit / 8] >> shift & mask);
      }
      return indices;
    }
    const std::size_t offset = std::min<std::size_t>(header_.pixels_offset, encoded_.bytes.size());
    const BmpRuns runs = {.bits = header_.bits, .width = width(), .height = height(), .name = encoded_.name};
    std::vector<std::uint8_t> indices = ExpandBmpRuns(encoded_.bytes.subspan(offset), runs);
    for (std::size_t y = 0; y < (header_.top_down ? 0 : height() / 2); ++y) {
      std::swap_ranges(indices.data() + y * width(), indices.data() + (y + 1) * width(),
                       indices.data() + (height() - 1 - y) * width());
    }
    return indices;
  }

  [[nodiscard]] Image ReadPalettePixels() const {
    const std::array<Rgb, 256> palette = Palette();
    const std::vector<std::uint8_t> indices = Indices();
    Image image = MakeImage(width(), height());
    for (std::size_t i = 0; i < indices.size(); ++i) {
      std::ranges::copy(palette[indices[i]], image.pixels.data() + 3 * i);
    }
    return image;
  }

  [[nodiscard]] Image ReadRgbPixels() const {
    Image image = MakeImage(width(), height());
    std::uint8_t* rgb = image.pixels.data();
    for (std::size_t y = 0; y < height(); ++y) {
      const std::uint8_t* bgr = Row(y);
      for (std::size_t x = 0; x < width(); ++x, rgb += 3, bgr += 3) {
        rgb[0] = bgr[2];
        rgb[1] = bgr[1];
        rgb[2] = bgr[0];
      }
    }
    return image;
  }

  [[nodiscard]] std::uint32_t Pixel(const std::uint8_t* row, std::size_t x) const {
    if (header_.bits == 16) return row[2 * x] | std::uint32_t{row[2 * x + 1]} << 8;
    const std::uint8_t* at = row + 4 * x;
    return at[0] | std::uint32_t{at[1]} << 8 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[3]} << 24;
  }

  // Some programs declare an alpha channel and leave it at 0 throughout: such a picture is meant to be
  // opaque.
  [[nodiscard]] bool AnyAlpha() const {
    if (header_.channels[3].mask == 0) return false;
    for (std::size_t y = 0; y < height(); ++y) {
      for (std::size_t x = 0; x < width(); ++x) {
        if ((Pixel(Row(y), x) & header_.channels[3].mask) != 0) return true;
      }
    }
    return false;
  }

  [[nodiscard]] Image ReadMaskedPixels() const {
    CheckPixelBytes();
    const bool has_alpha = AnyAlpha();
    Image image = MakeImage(width(), height());
    std::uint8_t* rgb = image.pixels.data();
    for (std::size_t y = 0; y < height(); ++y) {
      const std::uint8_t* row = Row(y);
      for (std::size_t x = 0; x < width(); ++x, rgb += 3) {
        const std::uint32_t pixel = Pixel(row, x);
        const unsigned alpha = has_alpha ? header_.channels[3].Sample(pixel) : 255;
        for (std::size_t c = 0; c < 3; ++c) rgb[c] = OverWhite(header_.channels[c].Sample(pixel), alpha);
      }
    }
    return image;
  }

  const Encoded& encoded_;
  Header header_;
};

}  // namespace

Decoded DecodeBmp(const Encoded& encoded) { return {BmpReader(encoded).Read(), 1}; }

}  // namespace mobilenet
