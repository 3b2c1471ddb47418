#include "formats/hdf5_types.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/fail.h"
#include "base/float16.h"

namespace mobilenet::hdf5 {

std::uint64_t Dataspace::Count(std::uint64_t most_values) const {
  if (std::ranges::find(shape, 0U) != shape.end()) return 0;
  std::uint64_t count = 1;
  for (const std::uint64_t n : shape) {
    if (n > most_values / count)
      Fail("has more than ", most_values, " values, the most that are read of a file of its size");
    count *= n;
  }
  return count;
}

Dataspace ReadDataspace(Bytes message) {
  constexpr std::uint64_t kMostDimensions = 8;
  Cursor cursor(message);
  const std::uint64_t version = cursor.Take(1);
  const std::uint64_t rank = cursor.Take(1);
  const bool bounded = (cursor.Take(1) & 1) != 0;
  const std::uint64_t kind = cursor.Take(1);
  cursor.Skip(version == 1 ? 4 : 0);
  if (version < 1 || version > 2 || rank > kMostDimensions)
    Fail("has a shape of version ", version, " and ", rank, " dimensions, expected version 1 or 2, at most ",
         kMostDimensions);
  constexpr std::uint64_t kNull = 2;
  if (version == 2 && kind == kNull) return {.shape = {0}, .most = {0}};
  Dataspace space;
  for (std::uint64_t i = 0; i < rank; ++i) space.shape.push_back(cursor.Take(8));
  for (std::uint64_t i = 0; i < rank; ++i) space.most.push_back(bounded ? cursor.Take(8) : space.shape[i]);
  if (!cursor.good()) Fail("has a shape that was cut off");
  for (std::uint64_t i = 0; i < rank; ++i) {
    if (space.shape[i] > space.most[i])
      Fail("has the size ", space.shape[i], ", expected at most ", space.most[i]);
  }
  return space;
}

Datatype ReadDatatype(Bytes message) {
  Cursor cursor(message);
  const auto kind = static_cast<unsigned>(cursor.Take(1) & 0x0F);
  cursor.Skip(3);
  const Datatype type = {kind, cursor.Take(4), message};
  if (!cursor.good()) Fail("has a datatype that was cut off");
  return type;
}

FloatType FloatTypeOf(const Datatype& type) {
  // The first bit's number, how many there are; where exponent and fraction lie and how long they are; the
  // exponent's bias.
  using Properties = std::array<std::uint8_t, 12>;
  constexpr Properties kHalf = {0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0};
  constexpr Properties kSingle = {0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0};
  constexpr Properties kDouble = {0, 0, 64, 0, 52, 11, 0, 52, 0xFF, 3, 0, 0};
  constexpr unsigned kBigEndian = 1;
  constexpr unsigned kVax = 0x40;  // an order of bytes of its own
  if (type.kind == kFloatingPoint && type.message.size() >= 20 && (type.message[1] & kVax) == 0) {
    for (const Properties& format : {kHalf, kSingle, kDouble}) {
      const std::size_t size = format[2] / 8;
      if (type.size == size && std::ranges::equal(format, type.message.subspan(8, format.size())))
        return {size, (type.message[1] & kBigEndian) != 0};
    }
  }
  Fail("holds values of class ", type.kind, " and ", type.size,
       " bytes, expected IEEE floating-point numbers of 16, 32 or 64 bits");
}

namespace {

float ToFloat(std::uint64_t bits, std::size_t size) {
  if (size == 2) return FromF16(static_cast<std::uint16_t>(bits));
  if (size == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  return static_cast<float>(std::bit_cast<double>(bits));
}

}  // namespace

void ReadFloats(const FloatType& type, Bytes bytes, std::span<float> values) {
  if (values.empty()) return;
  if (type.size == sizeof(float) && !type.big_endian && std::endian::native == std::endian::little) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return;
  }
  for (float& value : values) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < type.size; ++i)
      bits |= std::uint64_t{bytes[type.big_endian ? type.size - 1 - i : i]} << (8 * i);
    value = ToFloat(bits, type.size);
    bytes = bytes.subspan(type.size);
  }
}

}  // namespace mobilenet::hdf5
