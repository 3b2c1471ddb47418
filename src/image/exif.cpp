#include "image/exif.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mobilenet {
namespace {

constexpr std::array<std::uint8_t, 6> kJpegPrefix = {'E', 'x', 'i', 'f', 0, 0};
constexpr unsigned kOrientationTag = 0x0112;
constexpr unsigned kTypeShort = 3;
constexpr unsigned kTypeLong = 4;
constexpr std::size_t kEntryBytes = 12;

// Integers of either byte order; 0 outside the data.
class TiffReader {
 public:
  TiffReader(std::span<const std::uint8_t> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  [[nodiscard]] std::uint32_t Short(std::size_t offset) const { return Integer(offset, 2); }
  [[nodiscard]] std::uint32_t Long(std::size_t offset) const { return Integer(offset, 4); }

 private:
  [[nodiscard]] std::uint32_t Integer(std::size_t offset, std::size_t length) const {
    if (offset > bytes_.size() || bytes_.size() - offset < length) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) {
      value = value << 8 | bytes_[offset + (big_endian_ ? i : length - 1 - i)];
    }
    return value;
  }

  std::span<const std::uint8_t> bytes_;
  bool big_endian_;
};

}  // namespace

int ExifOrientation(std::span<const std::uint8_t> exif) {
  if (exif.size() >= kJpegPrefix.size() && std::ranges::equal(exif.first(kJpegPrefix.size()), kJpegPrefix)) {
    exif = exif.subspan(kJpegPrefix.size());
  }
  if (exif.size() < 8 || exif[0] != exif[1] || (exif[0] != 'I' && exif[0] != 'M')) return 1;
  const TiffReader tiff(exif, exif[0] == 'M');
  if (tiff.Short(2) != 42) return 1;
  const std::size_t directory = tiff.Long(4);
  const std::size_t entries = tiff.Short(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (entry >= exif.size()) break;
    if (tiff.Short(entry) != kOrientationTag) continue;
    const std::uint32_t type = tiff.Short(entry + 2);
    const std::uint32_t value = type == kTypeShort  ? tiff.Short(entry + 8)
                                : type == kTypeLong ? tiff.Long(entry + 8)
                                                    : 0;
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace mobilenet
