// Real photos: complete ones decode, cut ones are refused.
#include <algorithm>
#include <string>
#include <vector>

#include "base/file.h"
#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/error.h"
#include "mobilenet/image.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

using namespace samples;

std::vector<std::filesystem::path> FilesIn(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

TEST(Photos, AllDecodeUprightAndWithinBounds) {
  MOBILENET_REQUIRE_DATA();
  std::vector<std::filesystem::path> files = FilesIn(SharedData() / "images" / "imagenet200");
  ASSERT_EQ(files.size(), 200U);
  const auto others = FilesIn(SharedData() / "images" / "photos");
  files.insert(files.end(), others.begin(), others.end());
  for (const auto& file : files) {
    const Image image = LoadImage(file, DecodeOptionsFor({}, 224, 224));
    EXPECT_GE(image.width, 32) << file;
    EXPECT_GE(image.height, 32) << file;
    EXPECT_EQ(image.pixels.size(), static_cast<std::size_t>(image.width) * image.height * 3) << file;
    const auto [least, most] = std::ranges::minmax(image.pixels);
    EXPECT_GT(most - least, 60) << file;
  }
}

TEST(Photos, CutOnesAreRefused) {
  MOBILENET_REQUIRE_DATA();
  for (const auto& file : FilesIn(SharedData() / "images" / "photos")) {
    const std::vector<std::uint8_t> bytes = ReadFile(file);
    std::size_t whole = 0;
    for (std::size_t size = 0; size < bytes.size(); size += 97) {
      const std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      whole += DecodeError(cut).empty() ? 1 : 0;
    }
    EXPECT_LE(whole, 1U) << file;  // cut behind the last pixel
  }
}

}  // namespace
}  // namespace mobilenet
