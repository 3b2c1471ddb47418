// Bits and bytes of coded data, the highest first. Reading beyond an end gives zeros.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace mobilenet {

using Bytes = std::span<const std::uint8_t>;

inline Bytes Part(Bytes bytes, std::uint64_t offset, std::uint64_t length) {
  offset = std::min<std::uint64_t>(offset, bytes.size());
  return bytes.subspan(offset, std::min<std::uint64_t>(length, bytes.size() - offset));
}

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

}  // namespace mobilenet
