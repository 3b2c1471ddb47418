#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/error.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::HasSubstr;

Image Solid(int width, int height, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Image image{.width = width, .height = height, .channels = 3, .pixels = {}};
  for (int i = 0; i < width * height; ++i) Append(image.pixels, Bytes{red, green, blue});
  return image;
}

// The position of a marker's first byte.
std::size_t Find(const Bytes& bytes, std::uint8_t marker, std::size_t from = 0) {
  const std::uint8_t pattern[] = {0xFF, marker};
  return static_cast<std::size_t>(
      std::search(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), pattern, pattern + 2) -
      bytes.begin());
}

TEST(Jpeg, EveryColourSpaceBecomesRgb) {
  const Image image = Gradient(48, 40);
  EXPECT_LE(MaxDifference(DecodeImage(Jpeg(image, {.colour = JpegColour::kRgb})), image), 6);
  EXPECT_LE(MaxDifference(DecodeImage(Jpeg(image, {.colour = JpegColour::kYcc444})), image), 8);
  EXPECT_LE(MaxDifference(DecodeImage(Jpeg(image, {.colour = JpegColour::kYcc420})), image), 16);
}

TEST(Jpeg, GreyBecomesThreeEqualChannels) {
  const Image image = DecodeImage(Jpeg(Solid(9, 9, 77, 0, 0), {.colour = JpegColour::kGrey}));
  EXPECT_LE(MaxDifference(image, Solid(9, 9, 77, 77, 77)), 1);
}

// 255 - ink is stored: with light (245, 55, 178) and white 225 left, red is 245 * 225 / 255.
TEST(Jpeg, InkIsStoredInverted) {
  for (const JpegColour colour : {JpegColour::kCmyk, JpegColour::kYcck}) {
    for (const bool adobe_marker : {true, colour == JpegColour::kYcck}) {
      const Bytes bytes =
          Jpeg(Solid(8, 8, 245, 55, 178), {.colour = colour, .adobe_marker = adobe_marker}, 225);
      EXPECT_LE(MaxDifference(DecodeImage(bytes), Solid(8, 8, 216, 49, 157)), 4);
    }
  }
}

TEST(Jpeg, EveryCodingGivesTheSamePixels) {
  const Image image = Gradient(50, 34);
  const Image baseline = DecodeImage(Jpeg(image));
  EXPECT_EQ(MaxDifference(DecodeImage(Jpeg(image, {.scans = JpegScans::kProgressive})), baseline), 0);
  EXPECT_EQ(MaxDifference(DecodeImage(Jpeg(image, {.scans = JpegScans::kComponents})), baseline), 0);
  EXPECT_EQ(MaxDifference(DecodeImage(Jpeg(image, {.scans = JpegScans::kBands})), baseline), 0);
  EXPECT_EQ(MaxDifference(DecodeImage(Jpeg(image, {.arithmetic = true})), baseline), 0);
  EXPECT_EQ(MaxDifference(DecodeImage(Jpeg(image, {.restart_rows = 1})), baseline), 0);
}

TEST(Jpeg, IsScaledToNoLessThanTwiceTheTarget) {
  const Bytes bytes = Jpeg(Gradient(640, 480));
  const auto width_for = [&](int target_width, int target_height) {
    return DecodeImage(bytes, {.target_width = target_width, .target_height = target_height}).width;
  };
  EXPECT_EQ(width_for(0, 0), 640);
  EXPECT_EQ(width_for(32, 0), 640);
  EXPECT_EQ(width_for(-5, -5), 640);
  EXPECT_EQ(width_for(320, 240), 640);
  EXPECT_EQ(width_for(161, 100), 640);
  EXPECT_EQ(width_for(160, 120), 320);
  EXPECT_EQ(width_for(160, 121), 640);
  EXPECT_EQ(width_for(80, 60), 160);
  EXPECT_EQ(width_for(40, 30), 80);
  EXPECT_EQ(width_for(41, 30), 160);
  EXPECT_EQ(width_for(1, 1), 80);
}

TEST(Jpeg, ScalesTheUprightSides) {
  const Bytes bytes = Jpeg(Gradient(640, 320), {.exif = Exif(6)});
  Image image = DecodeImage(bytes, {.target_width = 40, .target_height = 80});
  EXPECT_EQ(image.width, 80);
  EXPECT_EQ(image.height, 160);
  image = DecodeImage(bytes, {.target_width = 80, .target_height = 40});
  EXPECT_EQ(image.width, 160);
  EXPECT_EQ(image.height, 320);
}

TEST(Jpeg, ScaledPixelsAreThoseOfTheWholePicture) {
  const Bytes bytes = Jpeg(Gradient(640, 480), {.colour = JpegColour::kYcc420});
  const Image whole = DecodeImage(bytes);
  for (const int target : {120, 60, 30}) {
    const Image scaled = DecodeImage(bytes, {.target_width = target, .target_height = target});
    ASSERT_LT(scaled.width, 640);
    const Image a = Resize(whole, 32, 24, ResizeFilter::kBilinear, {0, 0, 640, 480});
    const Image b = Resize(scaled, 32, 24, ResizeFilter::kBilinear,
                           {0, 0, static_cast<double>(scaled.width), static_cast<double>(scaled.height)});
    EXPECT_LE(MaxDifference(a, b), 2);
  }
}

TEST(Jpeg, OnlyTheEndMarkerMayMiss) {
  for (const JpegScans scans : {JpegScans::kOne, JpegScans::kProgressive}) {
    const Image image = Noise(64, 48);
    Bytes bytes = Jpeg(image, {.scans = scans});
    const Image whole = DecodeImage(bytes);
    bytes.resize(bytes.size() - 2);
    EXPECT_EQ(MaxDifference(DecodeImage(bytes), whole), 0);
    bytes.resize(bytes.size() - 8);
    EXPECT_THAT(DecodeError(bytes), HasSubstr("before the picture is complete"));
    bytes.resize(bytes.size() / 2);
    EXPECT_EQ(DecodeError(bytes), "x: JPEG ends after " + std::to_string(bytes.size()) +
                                      " bytes, before the picture is complete");
  }
}

// A file that ends just before one of its scans is coarse everywhere, or lacks a colour, but breaks off
// nowhere.
TEST(Jpeg, AFileWithoutItsLastScanIsNotWhole) {
  for (const JpegOptions& options :
       {JpegOptions{.scans = JpegScans::kProgressive}, JpegOptions{.scans = JpegScans::kComponents}}) {
    Bytes bytes = Jpeg(Noise(32, 32), options);
    std::size_t last_scan = 0;
    for (std::size_t at = Find(bytes, 0xDA); at < bytes.size(); at = Find(bytes, 0xDA, at + 2))
      last_scan = at;
    bytes.resize(last_scan);
    EXPECT_THAT(DecodeError(bytes), HasSubstr("before the picture is complete"));
  }
}

TEST(Jpeg, DamagedCodesAreRefused) {
  Bytes bytes = Jpeg(Noise(64, 64), {.restart_rows = 1});
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(Find(bytes, 0xD3)), 40, std::uint8_t{0});
  EXPECT_THAT(DecodeError(bytes), HasSubstr("x: damaged JPEG: "));
}

TEST(Jpeg, BytesBetweenAndBehindDoNotMatter) {
  const Bytes plain = Jpeg(Gradient(16, 16));
  const Image image = DecodeImage(plain);
  Bytes bytes = plain;
  Append(bytes, "trailing bytes, such as a second picture or a video");
  EXPECT_EQ(MaxDifference(DecodeImage(bytes), image), 0);
  bytes = plain;
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(Find(bytes, 0xDA)), 7, 0x55);
  EXPECT_EQ(MaxDifference(DecodeImage(bytes), image), 0);
}

// Sets the sides in the frame header.
Bytes WithSize(Bytes bytes, std::uint8_t frame_marker, int width, int height) {
  const std::size_t at = Find(bytes, frame_marker);
  bytes[at + 5] = static_cast<std::uint8_t>(height >> 8);
  bytes[at + 6] = static_cast<std::uint8_t>(height);
  bytes[at + 7] = static_cast<std::uint8_t>(width >> 8);
  bytes[at + 8] = static_cast<std::uint8_t>(width);
  return bytes;
}

TEST(Jpeg, HugeSidesAreRefusedBeforeMemoryIsTaken) {
  for (const JpegScans scans : {JpegScans::kOne, JpegScans::kProgressive}) {
    const std::uint8_t frame = scans == JpegScans::kProgressive ? 0xC2 : 0xC0;
    const Bytes bytes = Jpeg(Gradient(16, 16), {.scans = scans});
    EXPECT_NE(DecodeError(WithSize(bytes, frame, 65535, 65535)), "");
    EXPECT_THAT(DecodeError(WithSize(bytes, frame, 65000, 65000)),
                HasSubstr("65000 x 65000 pixels, expected at"));
    EXPECT_THAT(DecodeError(WithSize(bytes, frame, 16000, 16000)),
                HasSubstr("16000 x 16000 pixels ends after"));
    EXPECT_NE(DecodeError(WithSize(bytes, frame, 0, 16)), "");
  }
}

TEST(Jpeg, TooManyScansAreRefused) {
  const Bytes bytes = Jpeg(Gradient(16, 16), {.scans = JpegScans::kBands});
  EXPECT_EQ(DecodeError(bytes), "");
  const std::size_t first = Find(bytes, 0xDA);
  const std::size_t second = Find(bytes, 0xC4, first);  // the next scan starts with its Huffman table
  const auto repeated = [&](int times) {
    Bytes bomb = bytes;
    for (int i = 0; i < times; ++i) {
      bomb.insert(bomb.begin() + static_cast<std::ptrdiff_t>(second),
                  bytes.begin() + static_cast<std::ptrdiff_t>(first),
                  bytes.begin() + static_cast<std::ptrdiff_t>(second));
    }
    return bomb;
  };
  EXPECT_EQ(MaxDifference(DecodeImage(repeated(90)), DecodeImage(bytes)), 0);
  EXPECT_EQ(DecodeError(repeated(500)), "x: damaged JPEG: more than 100 scans");
}

}  // namespace
}  // namespace mobilenet
