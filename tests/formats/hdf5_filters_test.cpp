#include "formats/hdf5_filters.h"

#include <zlib.h>

#include <string>
#include <vector>

#include "complaint.h"
#include "formats/zip_bytes.h"
#include "gmock/gmock.h"

namespace mobilenet::hdf5 {
namespace {

using testing::HasSubstr;
using Kind = Filter::Kind;

std::vector<std::uint8_t> AsBytes(const std::string& text) { return {text.begin(), text.end()}; }

std::string Undone(const std::vector<Filter>& filters, const std::string& stored, std::uint64_t size,
                   std::uint32_t skipped = 0) {
  std::vector<std::uint8_t> buffer;
  const auto bytes = AsBytes(stored);
  const Bytes result = Unfiltered(filters, bytes, skipped, size, buffer);
  return {result.begin(), result.end()};
}

std::string Wrong(const std::vector<Filter>& filters, const std::string& stored, std::uint64_t size) {
  return Complaint([&] { Undone(filters, stored, size); });
}

std::string Deflated(const std::string& text) {
  std::string packed(compressBound(static_cast<uLong>(text.size())), 0);
  uLongf size = static_cast<uLongf>(packed.size());
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           static_cast<uLong>(text.size()));
  packed.resize(size);
  return packed;
}

TEST(Hdf5Filters, Deflate) {
  EXPECT_EQ(Undone({{Kind::kDeflate}}, Deflated("abcabc"), 6), "abcabc");
  EXPECT_THAT(Wrong({{Kind::kDeflate}}, Deflated("abcabc").substr(0, 5), 6), HasSubstr("are damaged"));
  EXPECT_THAT(Wrong({{Kind::kDeflate}}, Deflated(std::string(1 << 20, 'a')), 6), HasSubstr("or more than"));
  EXPECT_THAT(Wrong({{Kind::kDeflate}}, Deflated("abc"), 6), HasSubstr("has a chunk of 3 bytes, expected 6"));
}

TEST(Hdf5Filters, ShuffleLeavesWhatIsLessThanAValue) {
  EXPECT_EQ(Undone({{Kind::kShuffle, 3}}, "adgbehcfiXY", 11), "abcdefghiXY");
  EXPECT_EQ(Undone({{Kind::kShuffle, 100}}, "abc", 3), "abc");
}

// Four bytes are the words 0x0102 and 0x0304: their sums are 0x0406, and 0x0102 + 0x0406.
TEST(Hdf5Filters, Fletcher32) {
  const std::string text = {1, 2, 3, 4};
  const std::string sum = LittleEndian(0x05080406, 4);
  EXPECT_EQ(Undone({{Kind::kFletcher32}}, text + sum, 4), text);
  EXPECT_THAT(Wrong({{Kind::kFletcher32}}, text + LittleEndian(0x05080407, 4), 4),
              HasSubstr("checksum is 84411398, expected 84411399"));
  EXPECT_THAT(Wrong({{Kind::kFletcher32}}, "abc", 3), HasSubstr("lacks its checksum"));
}

// Runs of literals, a repetition from 3 bytes before, and a long one from 1 byte before.
TEST(Hdf5Filters, Lzf) {
  const auto lzf = [](const std::string& stored, std::uint64_t size) {
    return Undone({{Kind::kLzf}}, stored, size);
  };
  EXPECT_EQ(lzf(std::string("\2abc\x80\2", 6), 9), "abcabcabc");
  EXPECT_EQ(lzf(std::string("\0a\xE0\1\0", 5), 11), std::string(11, 'a'));
  for (const std::string& damaged : {std::string("\2ab", 3), std::string("\0a\x80\1", 4),
                                     std::string("\0a\x80", 3), std::string("\0a\xE0", 3)})
    EXPECT_THAT(Wrong({{Kind::kLzf}}, damaged, 9), HasSubstr("lzf-compressed bytes are damaged"));
  EXPECT_THAT(Wrong({{Kind::kLzf}}, std::string("\0a\xE0\xFF\0", 5), 9), HasSubstr("damaged"));
  EXPECT_THAT(Wrong({{Kind::kLzf}}, "\x1F" + std::string(32, 'a'), 9), HasSubstr("or more than"));
}

TEST(Hdf5Filters, AreUndoneFromTheLastButThoseThatWereSkipped) {
  const std::vector<Filter> filters = {{Kind::kShuffle, 2}, {Kind::kDeflate}};
  EXPECT_EQ(Undone(filters, Deflated("acbd"), 4), "abcd");
  EXPECT_EQ(Undone(filters, "acbd", 4, 2), "abcd");
  EXPECT_EQ(Undone(filters, "acbd", 4, 3), "acbd");
}

TEST(Hdf5Filters, ListsOfBothVersions) {
  // Two filters; shuffle with its name, padded to eight bytes, and a value, which is padded, too.
  const std::string first = LittleEndian(1 | 2 << 8, 8) + LittleEndian(2, 2) + LittleEndian(8, 2) +
                            LittleEndian(0, 2) + LittleEndian(1, 2) + "shuffle" + '\0' + LittleEndian(4, 8) +
                            LittleEndian(3, 8);
  const std::string second = LittleEndian(2 | 2 << 8, 2) + LittleEndian(2, 4) + LittleEndian(1, 2) +
                             LittleEndian(4, 4) + LittleEndian(32000, 2) + LittleEndian(4, 2) +
                             LittleEndian(0, 4) + "lzf" + '\0';
  for (const std::string& message : {first, second}) {
    const auto filters = ReadFilters(AsBytes(message));
    ASSERT_EQ(filters.size(), 2U);
    EXPECT_EQ(filters[0].kind, Kind::kShuffle);
    EXPECT_EQ(filters[0].unit, 4U);
    EXPECT_EQ(filters[1].kind, message == first ? Kind::kFletcher32 : Kind::kLzf);
    EXPECT_THAT(Complaint([&] { ReadFilters(AsBytes(message.substr(0, message.size() - 1))); }),
                HasSubstr("cut off"));
  }
  const std::string blosc = LittleEndian(2 | 1 << 8, 2) + LittleEndian(32001, 2) + LittleEndian(6, 2) +
                            LittleEndian(0, 4) + "other" + '\0';
  EXPECT_THAT(Complaint([&] { ReadFilters(AsBytes(blosc)); }),
              HasSubstr("went through blosc (filter 32001)"));
}

// The values that stand in lookup3.c.
TEST(Hdf5Filters, Lookup3) {
  EXPECT_EQ(Lookup3({}), 0xDEADBEEF);
  EXPECT_EQ(Lookup3(AsBytes("Four score and seven years ago")), 0x17770551U);
}

}  // namespace
}  // namespace mobilenet::hdf5
