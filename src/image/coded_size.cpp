// Boxes by ISO/IEC 14496-12 and 23008-12 (HEIF), parameters by ITU-T H.265 section 7.3 and the AV1 bitstream
// specification section 5.5. Reading beyond an end gives zeros.
#include "image/coded_size.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

namespace mobilenet {
namespace {

using Bytes = std::span<const std::uint8_t>;

Bytes Part(Bytes bytes, std::uint64_t offset, std::uint64_t length) {
  offset = std::min<std::uint64_t>(offset, bytes.size());
  return bytes.subspan(offset, std::min<std::uint64_t>(length, bytes.size() - offset));
}

// Bits and integers, the highest first.
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  std::uint64_t Bits(int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i, ++at_) {
      const std::uint64_t byte = at_ / 8;
      value = value << 1 | (byte < bytes_.size() ? bytes_[byte] >> (7 - at_ % 8) & 1U : 0);
    }
    return value;
  }
  bool Flag() { return Bits(1) == 1; }
  std::uint64_t Integer(std::uint64_t bytes) {
    return Bits(static_cast<int>(8 * std::min<std::uint64_t>(bytes, 8)));
  }
  void Skip(std::uint64_t bits) { at_ += bits; }

  // As many zeros as the number that follows a one has bits: Exp-Golomb in H.265, uvlc in AV1.
  std::uint64_t Golomb() {
    int zeros = 0;
    while (!AtEnd() && zeros < 32 && !Flag()) ++zeros;
    return (std::uint64_t{1} << zeros) - 1 + Bits(zeros);
  }

  [[nodiscard]] bool AtEnd() const { return at_ / 8 >= bytes_.size(); }
  [[nodiscard]] Bytes Rest() const { return Part(bytes_, at_ / 8, bytes_.size()); }

 private:
  Bytes bytes_;
  std::uint64_t at_ = 0;
};

// H.265, 7.3.2.2: a sequence parameter set, without its NAL header.
std::uint64_t HevcPixels(Bytes escaped) {
  std::vector<std::uint8_t> plain;  // without the 3 that keeps 0 0 from looking like a start code
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const bool escape = i >= 2 && escaped[i] == 3 && escaped[i - 1] == 0 && escaped[i - 2] == 0;
    if (!escape) plain.push_back(escaped[i]);
  }
  constexpr int kProfile = 88, kLevel = 8;
  BitReader bits(plain);
  bits.Skip(4);
  const auto layers = static_cast<int>(bits.Bits(3));  // but for one
  bits.Skip(1 + kProfile + kLevel);
  std::uint64_t skipped = 0;
  for (int i = 0; i < layers; ++i) skipped += (bits.Flag() ? kProfile : 0) + (bits.Flag() ? kLevel : 0);
  if (layers > 0) skipped += static_cast<std::uint64_t>(2 * (8 - layers));
  bits.Skip(skipped);
  bits.Golomb();
  if (bits.Golomb() == 3) bits.Skip(1);
  const std::uint64_t width = bits.Golomb();
  const std::uint64_t height = bits.Golomb();
  return width * height;
}

std::uint64_t PixelsOfNal(Bytes nal) {
  constexpr int kSequenceParameters = 33;
  if (nal.size() < 2 || (nal[0] >> 1 & 0x3F) != kSequenceParameters) return 0;
  return HevcPixels(nal.subspan(2));
}

// An item of type hvc1: NAL units behind lengths of four bytes, which libheif expects.
std::uint64_t PixelsOfNals(Bytes data) {
  std::uint64_t most = 0;
  for (BitReader reader(data); !reader.AtEnd();) {
    const std::uint64_t length = reader.Integer(4);
    most = std::max(most, PixelsOfNal(Part(reader.Rest(), 0, length)));
    reader.Skip(8 * length);
  }
  return most;
}

// ISO/IEC 14496-15, 8.3.3.1: arrays of parameter sets behind 22 bytes.
std::uint64_t PixelsOfHvcc(Bytes content) {
  std::uint64_t most = 0;
  BitReader reader(Part(content, 22, content.size()));
  for (auto arrays = reader.Integer(1); arrays > 0; --arrays) {
    reader.Skip(8);
    for (auto units = reader.Integer(2); units > 0 && !reader.AtEnd(); --units) {
      const std::uint64_t length = reader.Integer(2);
      most = std::max(most, PixelsOfNal(Part(reader.Rest(), 0, length)));
      reader.Skip(8 * length);
    }
  }
  return most;
}

// What sequence headers of AV1 have before the size, where they are not reduced.
void SkipOperatingPoints(BitReader& bits) {
  bool has_model = false;
  std::uint64_t delay_bits = 0;
  if (bits.Flag()) {  // timing
    bits.Skip(64);
    if (bits.Flag()) bits.Golomb();
    has_model = bits.Flag();
    if (has_model) {
      delay_bits = bits.Bits(5) + 1;
      bits.Skip(32 + 5 + 5);
    }
  }
  const bool has_delay = bits.Flag();
  for (auto points = bits.Bits(5) + 1; points > 0; --points) {
    bits.Skip(12);
    if (bits.Bits(5) > 7) bits.Skip(1);
    if (has_model && bits.Flag()) bits.Skip(2 * delay_bits + 1);
    if (has_delay && bits.Flag()) bits.Skip(4);
  }
}

// AV1, 5.5.1.
std::uint64_t Av1Pixels(Bytes header) {
  BitReader bits(header);
  bits.Skip(3 + 1);
  if (bits.Flag()) {
    bits.Skip(5);
  } else {
    SkipOperatingPoints(bits);
  }
  const auto width_bits = static_cast<int>(bits.Bits(4)) + 1;
  const auto height_bits = static_cast<int>(bits.Bits(4)) + 1;
  const std::uint64_t width = bits.Bits(width_bits) + 1;
  return width * (bits.Bits(height_bits) + 1);
}

// AV1, 5.3: open bitstream units.
std::uint64_t PixelsOfObus(Bytes data) {
  constexpr unsigned kSequenceHeader = 1;
  std::uint64_t most = 0;
  for (BitReader reader(data); !reader.AtEnd();) {
    const auto header = static_cast<unsigned>(reader.Integer(1));
    if ((header & 4U) != 0) reader.Skip(8);
    std::uint64_t length = reader.Rest().size();
    if ((header & 2U) != 0) {
      length = 0;
      std::uint64_t more = 1;
      for (int i = 0; i < 8 && more == 1; ++i) {
        more = reader.Bits(1);
        length |= reader.Bits(7) << (7 * i);
      }
    }
    if ((header >> 3 & 15U) == kSequenceHeader)
      most = std::max(most, Av1Pixels(Part(reader.Rest(), 0, length)));
    reader.Skip(8 * std::min<std::uint64_t>(length, data.size()));
  }
  return most;
}

constexpr std::uint32_t Tag(std::string_view name) {
  std::uint32_t tag = 0;
  for (const char c : name) tag = tag << 8 | static_cast<unsigned char>(c);
  return tag;
}

void ForEachBox(Bytes bytes, const auto& visit) {
  while (bytes.size() >= 8) {
    BitReader reader(bytes);
    std::uint64_t length = reader.Integer(4);
    const auto tag = static_cast<std::uint32_t>(reader.Integer(4));
    const std::uint64_t head = length == 1 ? 16 : 8;
    if (length == 1) length = reader.Integer(8);
    if (length == 0) length = bytes.size();
    if (length < head || length > bytes.size()) return;
    visit(tag, bytes.subspan(head, length - head));
    bytes = bytes.subspan(length);
  }
}

constexpr std::uint64_t kFullBox = 4;  // bytes of version and flags

struct File {
  Bytes all;
  Bytes idat;
  std::map<std::uint64_t, std::uint32_t> types;             // of items
  std::map<std::uint64_t, std::vector<std::uint8_t>> data;  // of items that are coded pictures
  std::uint64_t most = 0;
};

void ReadTypes(Bytes content, File& file) {
  BitReader reader(content);
  const std::uint64_t count_bytes = reader.Integer(1) == 0 ? 2 : 4;
  ForEachBox(Part(content, kFullBox + count_bytes, content.size()), [&](std::uint32_t tag, Bytes entry) {
    if (tag != Tag("infe")) return;
    BitReader item(entry);
    const std::uint64_t version = item.Integer(1);
    item.Skip(24);
    const std::uint64_t id = item.Integer(version == 2 ? 2 : 4);
    item.Skip(16);
    file.types[id] = static_cast<std::uint32_t>(item.Integer(4));
  });
}

// ISO/IEC 14496-12, 8.11.3.
void ReadData(Bytes content, File& file) {
  BitReader reader(content);
  const std::uint64_t version = reader.Integer(1);
  reader.Skip(24);
  const std::uint64_t offset_bytes = reader.Bits(4), length_bytes = reader.Bits(4),
                      base_bytes = reader.Bits(4);
  const std::uint64_t last = reader.Bits(4);  // reserved in version 0
  const std::uint64_t index_bytes = version == 0 ? 0 : last;
  for (auto items = reader.Integer(version < 2 ? 2 : 4); items > 0 && !reader.AtEnd(); --items) {
    const std::uint64_t id = reader.Integer(version < 2 ? 2 : 4);
    const bool inside = version != 0 && (reader.Integer(2) & 15U) == 1;  // in idat
    reader.Skip(16);
    const std::uint64_t base = reader.Integer(base_bytes);
    const auto type = file.types.find(id);
    const bool coded =
        type != file.types.end() && (type->second == Tag("hvc1") || type->second == Tag("av01"));
    for (auto extents = reader.Integer(2); extents > 0 && !reader.AtEnd(); --extents) {
      reader.Skip(8 * index_bytes);
      const std::uint64_t offset = reader.Integer(offset_bytes);
      const std::uint64_t length = reader.Integer(length_bytes);
      auto& data = file.data[id];
      const Bytes extent = Part(inside ? file.idat : file.all, base + offset, length);
      // What is longer than the file is made of the same bytes many times.
      if (coded && data.size() <= file.all.size()) data.insert(data.end(), extent.begin(), extent.end());
    }
  }
}

void ReadProperties(Bytes content, File& file) {
  ForEachBox(content, [&](std::uint32_t outer, Bytes properties) {
    if (outer != Tag("ipco")) return;
    ForEachBox(properties, [&](std::uint32_t tag, Bytes property) {
      if (tag == Tag("hvcC")) file.most = std::max(file.most, PixelsOfHvcc(property));
      if (tag == Tag("av1C"))
        file.most = std::max(file.most, PixelsOfObus(Part(property, 4, property.size())));
    });
  });
}

}  // namespace

std::uint64_t MostCodedPixels(std::span<const std::uint8_t> bytes) {
  File file{.all = bytes, .idat = {}, .types = {}, .data = {}};
  const auto in_meta = [&](std::string_view wanted, const auto& read) {
    ForEachBox(bytes, [&](std::uint32_t outer, Bytes meta) {
      if (outer != Tag("meta")) return;
      ForEachBox(Part(meta, kFullBox, meta.size()), [&](std::uint32_t tag, Bytes content) {
        if (tag == Tag(wanted)) read(content, file);
      });
    });
  };
  in_meta("idat", [](Bytes content, File& to) { to.idat = content; });
  in_meta("iinf", ReadTypes);
  in_meta("iloc", ReadData);
  in_meta("iprp", ReadProperties);
  for (const auto& [id, type] : file.types) {
    const std::uint64_t pixels =
        type == Tag("av01") ? PixelsOfObus(file.data[id]) : PixelsOfNals(file.data[id]);
    if (type == Tag("av01") && pixels == 0) return 0;  // libheif loses memory over empty ones
    file.most = std::max(file.most, pixels);
  }
  return file.most;
}

}  // namespace mobilenet
