// HDF5 files that were cut off or changed, all of them from tests/data/hdf5: an Error, or an answer.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fail.h"
#include "base/file.h"
#include "complaint.h"
#include "forbid.h"
#include "formats/hdf5.h"
#include "formats/zip_bytes.h"
#include "gmock/gmock.h"

namespace mobilenet {
namespace {

using Bytes = std::vector<std::uint8_t>;
using testing::HasSubstr;

Bytes Contents(const std::string& name) {
  return ReadFile(std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "hdf5" / (name + ".h5"));
}

void Put(Bytes& bytes, std::size_t at, std::uint64_t value, int size) {
  std::ranges::copy(LittleEndian(value, size), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

// Where the `nth` of some letters are.
std::size_t Place(const Bytes& bytes, std::string_view letters, int nth = 0) {
  auto found = bytes.begin();
  for (; nth >= 0; --nth) found = std::search(found + 1, bytes.end(), letters.begin(), letters.end());
  EXPECT_LT(found, bytes.end());
  return static_cast<std::size_t>(found - bytes.begin());
}

// Looks at all that a file holds, and counts what is wrong.
class Look {
 public:
  explicit Look(std::span<const std::uint8_t> bytes) {
    wrong_ += !Tried([&] {
      const Hdf5 file(bytes, "f", {.checksums = false});
      Group(file, file.root(), 5);
    });
  }

  [[nodiscard]] int wrong() const { return wrong_; }

 private:
  template <typename Work>
  static bool Tried(const Work& work) {
    try {
      work();
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  void Group(const Hdf5& file, Hdf5::Address group, int depth) {
    if (depth == 0) return;
    wrong_ += !Tried([&] { (void)file.Text(group, "long"); });
    for (const auto& [name, child] : file.Children(group)) {
      if (--most_ < 0) return;
      bool dataset = false;
      wrong_ += !Tried([&, c = child] { dataset = file.IsDataset(c); });
      wrong_ +=
          !Tried([&, n = name, c = child] { dataset ? (void)file.Floats(c, n) : Group(file, c, depth - 1); });
    }
  }

  int wrong_ = 0;
  int most_ = 100;
};

class DamagedHdf5 : public testing::TestWithParam<const char*> {};

TEST_P(DamagedHdf5, CutOffAnywhere) {
  Bytes bytes = Contents(GetParam());
  for (std::size_t size = 0; size < bytes.size(); size += size < 100 ? 1 : 97)
    EXPECT_THAT(Complaint([&] { Hdf5({bytes.data(), size}, "f"); }), HasSubstr("f: ")) << size;
}

// Files that say that they end before their first byte, so that it is not that which shows where they were
// cut.
TEST_P(DamagedHdf5, CutOffAnywhereWithoutTellingSo) {
  Bytes bytes = Contents(GetParam());
  Put(bytes, bytes[8] < 2 ? 40 : 28, 0, 8);
  EXPECT_EQ(Look(bytes).wrong(), Look(Contents(GetParam())).wrong());
  for (std::size_t size = bytes.size() / 997 * 997; size > 0; size -= 997) {
    Forbid(bytes.data() + size, bytes.size() - size);
    (void)Look({bytes.data(), size});
  }
  Allow(bytes.data(), bytes.size());
}

TEST_P(DamagedHdf5, BytesChanged) {
  Bytes bytes = Contents(GetParam());
  const int wrong = Look(bytes).wrong();
  int tried = 0;
  int noticed = 0;
  for (std::size_t i = 8; i < bytes.size(); i += 1 + bytes.size() / 500, ++tried) {
    const std::uint8_t good = bytes[i];
    bytes[i] = static_cast<std::uint8_t>(good ^ (tried % 2 == 0 ? 0xFF : 1U << (tried / 2 % 8)));
    noticed += Look(bytes).wrong() == wrong ? 0 : 1;
    bytes[i] = good;
  }
  EXPECT_GT(noticed, tried / 100);
}

INSTANTIATE_TEST_SUITE_P(All, DamagedHdf5,
                         testing::Values("earliest", "earliest_ordered", "latest", "latest_ordered",
                                         "model_gzip", "model_latest", "model_superblock2"));

// Of a file whose every block has a checksum, a dataset whose chunks have one, too: a bit changed anywhere.
TEST(DamagedHdf5, ChecksumsFindEveryChange) {
  Bytes bytes = Contents("latest");
  const auto read = [&]() -> std::optional<std::vector<float>> {
    try {
      const Hdf5 file(bytes, "f");
      const Tensor tensor = file.Floats(file.Children(file.root()).at("filter_shuffle"), "d");
      return std::vector<float>(tensor.values.begin(), tensor.values.end());
    } catch (const Error&) {
      return std::nullopt;
    }
  };
  const auto right = read();
  ASSERT_TRUE(right);
  int found = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 23) {
    bytes[i] ^= static_cast<std::uint8_t>(1U << i % 8);
    if (const auto values = read())
      EXPECT_EQ(*values, *right) << i;
    else
      ++found;
    bytes[i] ^= static_cast<std::uint8_t>(1U << i % 8);
  }
  EXPECT_GT(found, 30);
}

template <typename Work>
std::string ComplaintOf(const Work& work) {
  return Complaint([&] { (void)work(); });
}

// What reading a dataset of a file whose checksums don't count says.
std::string ComplaintOfDataset(const Bytes& bytes, const std::string& name) {
  const Hdf5 file(bytes, "f", {.checksums = false});
  return ComplaintOf([&] { return file.Floats(file.Children(file.root()).at(name), name); });
}

TEST(DamagedHdf5, ChecksumsAreNamed) {
  Bytes bytes = Contents("latest");
  bytes[30] ^= 1;
  EXPECT_THAT(ComplaintOf([&] { return Hdf5(bytes, "f").root(); }),
              HasSubstr("f: the superblock at 0 is damaged: its checksum is"));
  bytes = Contents("model_latest");
  bytes[Place(bytes, "FHDB") + 40] ^= 1;
  EXPECT_THAT(ComplaintOf([&] {
                const Hdf5 file(bytes, "f");
                const auto root = file.Children(file.root());
                return file.Children(file.Children(root.at("model_weights")).begin()->second).size() +
                       file.Children(root.at("model_weights")).size();
              }),
              HasSubstr("a heap's block at"));
}

// A part of a header that holds nothing but that it goes on with itself.
TEST(DamagedHdf5, HeadersWithoutEnd) {
  Bytes bytes = Contents("model_latest");
  const std::size_t part = Place(bytes, "OCHK");
  Bytes address(8);
  Put(address, 0, part, 8);
  const auto told = std::search(bytes.begin(), bytes.end(), address.begin(), address.end());
  ASSERT_LT(told, bytes.end() - 16);
  const Bytes place(told, told + 16);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(part + 4), place[8] - 8, std::uint8_t{0});
  Put(bytes, part + 4, 0x10, 1);
  Put(bytes, part + 5, place.size(), 2);
  std::ranges::copy(place, bytes.begin() + static_cast<std::ptrdiff_t>(part + 8));
  EXPECT_THAT(ComplaintOf([&] {
                const Hdf5 file(bytes, "f", {.checksums = false});
                return file.Children(file.root());
              }),
              HasSubstr("is damaged"));
}

// The root of a tree of three levels is its own first child.
TEST(DamagedHdf5, TreesWithinThemselves) {
  Bytes bytes = Contents("latest_ordered");
  const Hdf5 file(bytes, "f", {.checksums = false});
  const auto group = file.Children(file.root()).at("links1200");
  const std::string header = "BTHD" + std::string("\0\5", 2);
  for (std::size_t at = 0; at + 46 < bytes.size(); ++at) {
    if (!std::equal(header.begin(), header.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at)) ||
        bytes[at + 12] != 2)
      continue;
    const Bytes root(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 16,
                     bytes.begin() + static_cast<std::ptrdiff_t>(at) + 24);
    std::size_t node = 0;
    for (std::size_t i = 8; i-- > 0;) node = node << 8 | root[i];
    const std::size_t records = bytes[at + 24];
    std::ranges::copy(root, bytes.begin() + static_cast<std::ptrdiff_t>(node + 6 + records * 11));
  }
  EXPECT_THAT(ComplaintOf([&] { return file.Children(group); }), HasSubstr("expected"));
}

// The datasets of 20 x 20 values become as large as nothing is.
TEST(DamagedHdf5, ShapesLargerThanTheFileAllows) {
  for (const std::uint64_t size : {std::uint64_t{1} << 62, std::uint64_t{1} << 12, std::uint64_t{700}}) {
    for (const std::string name : {"earliest", "latest"}) {
      Bytes bytes = Contents(name);
      const std::string shape = LittleEndian(20, 8) + LittleEndian(20, 8);
      for (auto at = bytes.begin();
           (at = std::search(at, bytes.end(), shape.begin(), shape.end())) != bytes.end();)
        at = std::ranges::copy(LittleEndian(size, 8) + LittleEndian(size, 8), at).out;
      EXPECT_THAT(ComplaintOfDataset(bytes, "filter_gzip"),
                  testing::AnyOf(HasSubstr("values, the most that are read"), HasSubstr("would take")))
          << name << size;
    }
  }
}

TEST(DamagedHdf5, MoreIsNotUnpackedThanTheArchiveAllows) {
  const Bytes bytes = Contents("latest");
  const auto complaint = [&](std::uint64_t packed) {
    const Hdf5 file(bytes, "f", {.packed = packed});
    return ComplaintOf([&] { return file.Floats(file.Children(file.root()).at("filter_gzip"), "d"); });
  };
  EXPECT_EQ(complaint(bytes.size()), "no error");
  EXPECT_THAT(complaint(200), HasSubstr("f: the dataset d: would take 1600 bytes of memory"));
}

}  // namespace
}  // namespace mobilenet
