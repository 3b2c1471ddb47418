#include "formats/hdf5_filters.h"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <string>

#include "base/fail.h"

namespace mobilenet::hdf5 {
namespace {

using Buffer = std::vector<std::uint8_t>;

constexpr std::uint64_t kFletcherSize = 4;

// Numbers of filters, as https://github.com/HDFGroup/hdf5_plugins lists those that are no part of HDF5.
std::string NameOfFilter(std::uint64_t number, std::string name) {
  constexpr std::pair<std::uint64_t, const char*> kKnown[] = {
      {4, "szip"},    {5, "nbit"},           {6, "scaleoffset"}, {307, "bzip2"},  {32001, "blosc"},
      {32004, "lz4"}, {32008, "bitshuffle"}, {32013, "zfp"},     {32015, "zstd"}, {32026, "blosc2"}};
  for (const auto& [known, called] : kKnown) {
    if (known == number) name = called;
  }
  return name.empty() ? Concat("filter ", number) : Concat(name, " (filter ", number, ")");
}

Filter FilterOf(std::uint64_t number, const std::string& name, Cursor values) {
  switch (number) {
    case 1:
      return {Filter::Kind::kDeflate};
    case 2: {
      const std::uint64_t unit = values.Take(4);
      if (unit == 0) Fail("is shuffled in units of 0 bytes");
      return {Filter::Kind::kShuffle, unit};
    }
    case 3:
      return {Filter::Kind::kFletcher32};
    case 32000:
      return {Filter::Kind::kLzf};
    default:
      Fail("went through ", NameOfFilter(number, name), ", expected deflate, lzf, shuffle or fletcher32");
  }
}

Filter TakeFilter(Cursor& cursor, std::uint64_t version) {
  constexpr std::uint64_t kFirstWithName = 256;  // in version 2
  const std::uint64_t number = cursor.Take(2);
  const bool named = version == 1 || number >= kFirstWithName;
  const std::uint64_t length = named ? cursor.Take(2) : 0;
  cursor.Skip(2);  // whether it may be left out
  const std::uint64_t count = cursor.Take(2);
  const std::string name = UpToZero(cursor.TakeBytes(version == 1 ? PaddedToEight(length) : length));
  const Cursor values(cursor.TakeBytes(4 * count));
  cursor.Skip(version == 1 && count % 2 == 1 ? 4 : 0);
  if (!cursor.good()) Fail("has a list of filters that was cut off");
  return FilterOf(number, name, values);
}

// At most `most` bytes.
Buffer Inflate(Bytes packed, std::uint64_t most) {
  Buffer unpacked(most);
  uLongf size = static_cast<uLongf>(most);
  const int status = uncompress(unpacked.data(), &size, packed.data(), static_cast<uLong>(packed.size()));
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  if (status != Z_OK) Fail("has a chunk whose compressed bytes are damaged, or more than ", most);
  unpacked.resize(size);
  return unpacked;
}

// LibLZF's format: a byte below 32 begins a run of one byte more than it says; others say how many bytes, and
// how far before, come again. False where they run out, or would be more than `most`.
bool UnpackLzfPart(Cursor& packed, std::uint64_t most, Buffer& unpacked) {
  const std::uint64_t control = packed.Take(1);
  const std::uint64_t left = most - unpacked.size();
  if (control < 32) {
    const Bytes run = packed.TakeBytes(control + 1);
    if (!packed.good() || run.size() > left) return false;
    unpacked.insert(unpacked.end(), run.begin(), run.end());
    return true;
  }
  const std::uint64_t length = 2 + (control < 7 << 5 ? control >> 5 : 7 + packed.Take(1));
  const std::uint64_t back = 1 + ((control & 31) << 8 | packed.Take(1));
  if (!packed.good() || back > unpacked.size() || length > left) return false;
  for (std::uint64_t i = 0; i < length; ++i) unpacked.push_back(unpacked[unpacked.size() - back]);
  return true;
}

Buffer UnpackLzf(Bytes packed, std::uint64_t most) {
  Buffer unpacked;
  unpacked.reserve(most);
  Cursor cursor(packed);
  while (!cursor.rest().empty()) {
    if (!UnpackLzfPart(cursor, most, unpacked))
      Fail("has a chunk whose lzf-compressed bytes are damaged, or more than ", most);
  }
  return unpacked;
}

// Shuffled, all first bytes of the values come first, then all second ones. What is less than a value stays.
Buffer Unshuffle(Bytes shuffled, std::uint64_t unit) {
  Buffer values(shuffled.begin(), shuffled.end());
  const std::uint64_t count = shuffled.size() / unit;
  for (std::uint64_t byte = 0; byte < unit && count > 0; ++byte) {
    for (std::uint64_t i = 0; i < count; ++i) values[i * unit + byte] = shuffled[byte * count + i];
  }
  return values;
}

// Fletcher 1982: two sums of 16-bit words, the first byte the higher one, modulo 65535; a sum is 0 only where
// all words are.
std::uint32_t Fletcher32(Bytes bytes) {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  const auto fold = [](std::uint32_t sum) { return (sum & 0xFFFFU) + (sum >> 16); };
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const std::uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
    first = fold(first + (static_cast<std::uint32_t>(bytes[i]) << 8 | low));
    second = fold(second + first);
  }
  return second << 16 | first;
}

Bytes WithoutFletcher32(Bytes bytes) {
  if (bytes.size() < kFletcherSize) Fail("has a chunk that lacks its checksum");
  const Bytes content = bytes.first(bytes.size() - kFletcherSize);
  const std::uint64_t expected = Cursor(bytes.last(kFletcherSize)).Take(kFletcherSize);
  if (const std::uint32_t sum = Fletcher32(content); sum != expected)
    Fail("has a chunk whose checksum is ", sum, ", expected ", expected);
  return content;
}

}  // namespace

std::vector<Filter> ReadFilters(Bytes message) {
  constexpr std::uint64_t kMostFilters = 32;
  Cursor cursor(message);
  const std::uint64_t version = cursor.Take(1);
  const std::uint64_t count = cursor.Take(1);
  if (version < 1 || version > 2 || count > kMostFilters)
    Fail("has ", count, " filters of version ", version, ", expected at most ", kMostFilters,
         " of version 1 or 2");
  cursor.Skip(version == 1 ? 6 : 0);
  std::vector<Filter> filters;
  while (filters.size() < count) filters.push_back(TakeFilter(cursor, version));
  return filters;
}

Bytes Unfiltered(const std::vector<Filter>& filters, Bytes stored, std::uint32_t skipped, std::uint64_t size,
                 std::vector<std::uint8_t>& buffer) {
  // Compressed may be what already has checksums.
  const std::uint64_t most = size + kFletcherSize * filters.size();
  Bytes bytes = stored;
  const auto keep = [&](Buffer made) {
    buffer = std::move(made);
    bytes = buffer;
  };
  for (std::size_t i = filters.size(); i-- > 0;) {
    if ((skipped >> i & 1) != 0) continue;
    switch (filters[i].kind) {
      case Filter::Kind::kDeflate:
        keep(Inflate(bytes, most));
        break;
      case Filter::Kind::kLzf:
        keep(UnpackLzf(bytes, most));
        break;
      case Filter::Kind::kShuffle:
        keep(Unshuffle(bytes, filters[i].unit));
        break;
      case Filter::Kind::kFletcher32:
        bytes = WithoutFletcher32(bytes);
        break;
    }
  }
  if (bytes.size() != size) Fail("has a chunk of ", bytes.size(), " bytes, expected ", size);
  return bytes;
}

}  // namespace mobilenet::hdf5
