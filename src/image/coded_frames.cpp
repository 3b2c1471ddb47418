// By ITU-T H.265 section 7.3 and the AV1 bitstream specification section 5.
#include "image/coded_frames.h"

#include <cstddef>
#include <vector>

namespace mobilenet {
namespace {

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
  constexpr std::uint64_t kMostSide = std::uint64_t{1} << 31;
  const std::uint64_t width = std::min(bits.Golomb(), kMostSide);
  return width * std::min(bits.Golomb(), kMostSide);
}

void AddNal(Bytes nal, CodedFrames& found) {
  constexpr unsigned kFirstOfParameters = 32;  // below are slices of pictures
  constexpr unsigned kSequenceParameters = 33;
  if (nal.size() < 2) return;
  const unsigned type = nal[0] >> 1 & 0x3FU;
  if (type == kSequenceParameters) found.pixels = std::max(found.pixels, HevcPixels(nal.subspan(2)));
  // 7.3.6.1: a slice's header begins with whether it is the first of its picture.
  if (type < kFirstOfParameters && nal.size() > 2 && nal[2] >> 7 == 1) ++found.frames;
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

}  // namespace

CodedFrames FramesOfNals(Bytes data) {
  CodedFrames found;
  for (BitReader reader(data); !reader.AtEnd();) {
    const std::uint64_t length = reader.Integer(4);
    AddNal(Part(reader.Rest(), 0, length), found);
    reader.Skip(8 * length);
  }
  return found;
}

// ISO/IEC 14496-15, 8.3.3.1: arrays of parameter sets behind 22 bytes.
CodedFrames FramesOfHvcc(Bytes content) {
  CodedFrames found;
  BitReader reader(Part(content, 22, content.size()));
  for (auto arrays = reader.Integer(1); arrays > 0; --arrays) {
    reader.Skip(8);
    for (auto units = reader.Integer(2); units > 0 && !reader.AtEnd(); --units) {
      const std::uint64_t length = reader.Integer(2);
      AddNal(Part(reader.Rest(), 0, length), found);
      reader.Skip(8 * length);
    }
  }
  return found;
}

// AV1, 5.3.
CodedFrames FramesOfObus(Bytes data) {
  constexpr unsigned kSequenceHeader = 1, kFrameHeader = 3, kFrame = 6;
  CodedFrames found;
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
    const unsigned type = header >> 3 & 15U;
    if (type == kSequenceHeader)
      found.pixels = std::max(found.pixels, Av1Pixels(Part(reader.Rest(), 0, length)));
    if (type == kFrameHeader || type == kFrame) ++found.frames;
    reader.Skip(8 * std::min<std::uint64_t>(length, data.size()));
  }
  return found;
}

}  // namespace mobilenet
