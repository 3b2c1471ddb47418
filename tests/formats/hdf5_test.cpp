#include "formats/hdf5.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/file.h"
#include "complaint.h"
#include "formats/keras.h"
#include "gmock/gmock.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

// Version 1 pads the name, the type and the space; version 3 doesn't, and has a byte for the name's encoding.
TEST(Import, Hdf5AttributesOfVersion3AreReadAsThoseOf1) {
  MOBILENET_REQUIRE_DATA();
  std::vector<std::uint8_t> bytes = ReadFile(SharedData() / "cases" / "k2_head100.h5");
  const Hdf5 file(bytes, "f");
  const std::string config = file.Text(file.root(), "model_config");
  ASSERT_THAT(config, testing::StartsWith("{"));
  // The version, and the sizes of the parts.
  const std::array<std::uint8_t, 8> first = {1, 0, 13, 0, 20, 0, 8, 0};
  const auto at = std::search(bytes.begin(), bytes.end(), first.begin(), first.end());
  ASSERT_LT(at, bytes.end());
  std::vector<std::uint8_t> third = {3, 0, 13, 0, 20, 0, 8, 0, 0};
  for (const auto& [begin, size] : {std::pair(8, 13), {8 + 16, 20}, {8 + 16 + 24, 8 + 16}})
    third.insert(third.end(), at + begin, at + begin + size);
  std::ranges::copy(third, at);
  EXPECT_EQ(file.Text(file.root(), "model_config"), config);
}

TEST(Damaged, Hdf5WithAddressesOrLengthsOfAnotherSize) {
  for (const std::size_t at : {13, 14}) {
    std::vector<std::uint8_t> bytes =
        ReadFile(std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "keras_weights.h5");
    ASSERT_EQ(bytes[at], 8);
    bytes[at] = 4;
    EXPECT_THAT(Complaint([&] { ReadKerasHdf5({bytes, "f"}); }), HasSubstr("bytes, expected 8"));
  }
}

// The shape of the last dataset, a bias of five values, is replaced by that of another size.
TEST(Damaged, Hdf5ShapesThatTheirDataDoNotFill) {
  const auto complaint = [](std::uint16_t size) {
    std::vector<std::uint8_t> bytes =
        ReadFile(std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "keras_weights.h5");
    std::array<std::uint8_t, 24> shape = {1, 1, 1};  // the version, one dimension, and its greatest size
    shape[8] = shape[16] = 5;
    const auto at = std::search(bytes.begin(), bytes.end(), shape.begin(), shape.end());
    for (const int place : {8, 16}) {
      at[place] = static_cast<std::uint8_t>(size);
      at[place + 1] = static_cast<std::uint8_t>(size >> 8);
    }
    return Complaint([&] { ReadKerasHdf5({bytes, "f"}); });
  };
  EXPECT_THAT(complaint(0), HasSubstr("has 20 bytes, expected 0 for"));
  EXPECT_THAT(complaint(6), HasSubstr("has 20 bytes, expected 24 for"));
  EXPECT_THAT(complaint(1000), HasSubstr("has 20 bytes, expected 4000 for"));
}

}  // namespace
}  // namespace mobilenet
