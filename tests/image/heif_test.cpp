#include <algorithm>

#include "gmock/gmock.h"
#include "image/coded_size.h"
#include "image/samples.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::HasSubstr;

#define REQUIRE_ENCODER(codec) \
  if (!CanEncodeHeif(codec)) GTEST_SKIP() << "this machine's libheif has no encoder"

// The place of the picture's stored sides (ispe), first width, then height.
std::size_t Extents(const Bytes& file) {
  constexpr std::string_view kName = "ispe";
  const auto at = std::search(file.begin(), file.end(), kName.begin(), kName.end());
  EXPECT_NE(at, file.end());
  return static_cast<std::size_t>(at - file.begin()) + 8;
}

class HeifTest : public testing::TestWithParam<HeifCodec> {};
INSTANTIATE_TEST_SUITE_P(Codecs, HeifTest, testing::Values(HeifCodec::kHevc, HeifCodec::kAv1),
                         [](const auto& test) { return test.param == HeifCodec::kHevc ? "Hevc" : "Av1"; });

TEST_P(HeifTest, LosslessIsExact) {
  REQUIRE_ENCODER(GetParam());
  const Image image = Noise(70, 66);
  const Bytes file = Heif(70, 66, image.pixels, {.codec = GetParam()});
  EXPECT_LE(MaxDifference(DecodeImage(file), image), 1);
  EXPECT_GE(CodedSizeOf(file).largest, 70U * 66);
  EXPECT_LE(CodedSizeOf(file).largest, 72U * 72);
}

TEST_P(HeifTest, OddSidesAreCropped) {
  REQUIRE_ENCODER(GetParam());
  const Image image = Noise(37, 21);
  for (const bool grid : {false, true}) {
    const Bytes file = Heif(37, 21, image.pixels, {.codec = GetParam(), .grid = grid});
    EXPECT_LE(MaxDifference(DecodeImage(file), image), 1) << grid;
  }
}

TEST_P(HeifTest, GreyBecomesRgb) {
  REQUIRE_ENCODER(GetParam());
  const Image image = Noise(64, 64, 1);
  const Image decoded = DecodeImage(Heif(64, 64, image.pixels, {.codec = GetParam(), .grey = true}));
  ASSERT_EQ(decoded.pixels.size(), 64U * 64 * 3);
  int most = 0;
  for (std::size_t i = 0; i < decoded.pixels.size(); ++i)
    most = std::max(most, std::abs(decoded.pixels[i] - image.pixels[i / 3]));
  EXPECT_LE(most, 2);
}

TEST(HeifBits, TenAreRounded) {  // of HEVC alone: libaom 3.6 crashes over RGB of 10 bits
  REQUIRE_ENCODER(HeifCodec::kHevc);
  const Image image = Noise(64, 64);
  EXPECT_LE(MaxDifference(DecodeImage(Heif(64, 64, image.pixels, {.bits = 10})), image), 1);
}

TEST_P(HeifTest, AlphaIsLaidOverWhite) {
  REQUIRE_ENCODER(GetParam());
  for (const bool premultiplied : {false, true}) {
    Bytes rgba;
    for (int i = 0; i < 64 * 64; ++i) rgba.insert(rgba.end(), {100, 0, 128, 128});
    const Image image =
        DecodeImage(Heif(64, 64, rgba, {.codec = GetParam(), .premultiplied = premultiplied}));
    const Bytes expected = premultiplied ? Bytes{227, 127, 255} : Bytes{177, 127, 191};
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(image.pixels[3 * 64 * 30 + 3 * 30 + c], expected[c], 2);
  }
}

// Turned and mirrored as the file's own properties say; EXIF says the same a second time, and counts for
// nothing.
TEST_P(HeifTest, OrientationIsAppliedOnce) {
  REQUIRE_ENCODER(GetParam());
  const Image image = Gradient(80, 64);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image expected =
        DecodeImage(Png(80, 64, image.pixels, {.colour_type = 2, .exif = Exif(orientation)}));
    const Image decoded = DecodeImage(Heif(
        80, 64, image.pixels, {.codec = GetParam(), .orientation = orientation, .exif = Exif(orientation)}));
    EXPECT_LE(MaxDifference(decoded, expected), 2) << orientation;
  }
}

TEST_P(HeifTest, MorePixelsThanAllowedAreRefused) {
  REQUIRE_ENCODER(GetParam());
  Bytes file = Heif(64, 64, Noise(64, 64).pixels, {.codec = GetParam()});
  EXPECT_EQ(DecodeError(file, {.max_pixels = 4096}), "");
  EXPECT_THAT(DecodeError(file, {.max_pixels = 4095}), HasSubstr("64 x 64 pixels, expected at most 4095"));
  for (const std::size_t at : {0, 4}) file[Extents(file) + at + 2] = 0x7F;
  EXPECT_THAT(DecodeError(file), HasSubstr("HEIF of 32576 x 32576 pixels, expected at most"));
}

// The file says that the picture is small, and the coded data says otherwise: a bomb.
TEST_P(HeifTest, WhatIsCodedLargerThanTheFileSaysIsRefused) {
  REQUIRE_ENCODER(GetParam());
  const Image image{.width = 1280, .height = 1024, .channels = 3, .pixels = Bytes(1280 * 1024 * 3, 77)};
  Bytes file = Heif(1280, 1024, image.pixels, {.codec = GetParam()});
  EXPECT_EQ(CodedSizeOf(file).largest, 1280U * 1024);
  const std::size_t at = Extents(file);
  for (std::size_t i = 0; i < 8; ++i) file[at + i] = i % 4 == 3 ? 16 : 0;
  EXPECT_THAT(DecodeError(file, {.max_pixels = 1000}),
              HasSubstr("HEIF of 16 x 16 pixels, coded as 1310720 pixels"));
}

TEST_P(HeifTest, CutOffIsSaid) {
  REQUIRE_ENCODER(GetParam());
  const Bytes file = Heif(64, 64, Noise(64, 64).pixels, {.codec = GetParam()});
  EXPECT_THAT(DecodeError(Bytes(file.begin(), file.end() - 9)), HasSubstr("before the picture is complete"));
}

TEST_P(HeifTest, DamageIsSaidToBeThat) {
  REQUIRE_ENCODER(GetParam());
  Bytes file = Heif(64, 64, Noise(64, 64).pixels, {.codec = GetParam()});
  constexpr std::string_view kName = "pitm";  // which of the items is the picture
  std::search(file.begin(), file.end(), kName.begin(), kName.end())[0] = 'x';
  EXPECT_THAT(DecodeError(file), testing::StartsWith("x: damaged HEIF: "));
}

Bytes Box(std::string_view name, const Bytes& content) {
  Bytes box = {0, 0, 0, static_cast<std::uint8_t>(8 + content.size())};
  box.insert(box.end(), name.begin(), name.end());
  box.insert(box.end(), content.begin(), content.end());
  return box;
}

// AV1, 5.5.1: a sequence header in which all is there that may stand before the size, 640 x 480. Encoders of
// pictures leave it out.
TEST(HeifSizes, AV1WithTimingAndADecoderModel) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0};
  constexpr std::pair<std::uint64_t, int> kFields[] = {
      {0, 3},      {0, 1},                                  // the profile; no still picture
      {0, 1},                                               // not reduced
      {1, 1},      {kOnes, 64}, {0, 1},                     // timing
      {1, 1},      {10 - 1, 5}, {kOnes, 42},                // a model, whose delays have 10 bits
      {1, 1},      {1 - 1, 5},                              // display delays; one operating point
      {kOnes, 12}, {8, 5},      {1, 1},                     // a level above 7 has a tier
      {1, 1},      {kOnes, 21}, {1, 1},        {kOnes, 4},  // its model, its display delay
      {10 - 1, 4}, {10 - 1, 4}, {640 - 1, 10}, {480 - 1, 10}};
  std::vector<bool> bits;
  for (const auto& [value, count] : kFields) {
    for (int i = count; i-- > 0;) bits.push_back((value >> i & 1) != 0);
  }
  Bytes header = {1 << 3 | 2, static_cast<std::uint8_t>((bits.size() + 7) / 8)};  // of a unit with a length
  header.resize(2 + header[1]);
  for (std::size_t i = 0; i < bits.size(); ++i)
    header[2 + i / 8] |= static_cast<std::uint8_t>((bits[i] ? 1 : 0) << (7 - i % 8));
  Bytes property(4);
  property.insert(property.end(), header.begin(), header.end());
  Bytes meta(4);
  const Bytes properties = Box("iprp", Box("ipco", Box("av1C", property)));
  meta.insert(meta.end(), properties.begin(), properties.end());
  EXPECT_EQ(CodedSizeOf(Box("meta", meta)).largest, 640U * 480);
}

// As phones make them.
TEST(HeifTiles, TilesMakeAPicture) {
  REQUIRE_ENCODER(HeifCodec::kHevc);
  const Image whole = Noise(3 * 64, 2 * 64);
  std::vector<Bytes> tiles;
  for (int y = 0; y < 2; ++y) {
    for (int x = 0; x < 3; ++x) {
      Bytes pixels;
      for (int row = 0; row < 64; ++row) {
        const auto from = whole.pixels.begin() + ((y * 64 + row) * 192 + x * 64) * 3;
        pixels.insert(pixels.end(), from, from + 64 * 3);
      }
      tiles.push_back(Heif(64, 64, pixels));
    }
  }
  const Image image = DecodeImage(HeifGrid(150, 100, 3, 2, tiles, 64));
  ASSERT_EQ(image.width, 150);
  ASSERT_EQ(image.height, 100);
  int most = 0;
  for (int y = 0; y < 100; ++y) {
    for (int i = 0; i < 150 * 3; ++i)
      most = std::max(most, std::abs(image.pixels[y * 150 * 3 + i] - whole.pixels[y * 192 * 3 + i]));
  }
  EXPECT_LE(most, 1);
}

// A small file, over which libheif would work for minutes.
TEST(HeifTiles, OneTileNamedThousandsOfTimesIsRefused) {
  REQUIRE_ENCODER(HeifCodec::kHevc);
  const Bytes tile = Heif(64, 64, Noise(64, 64).pixels);
  const Bytes file = HeifGrid(255, 255, 255, 255, {tile}, 1);
  EXPECT_EQ(CodedSizeOf(file).work, 255U * 255 + 255U * 255 * 128 * 128);
  EXPECT_THAT(DecodeError(file), HasSubstr("HEIF of 65025 pixels, for which 1065434625 would be decoded, "
                                           "expected at most 17297416"));
  const Image image = DecodeImage(HeifGrid(1024, 1024, 16, 16, {tile, tile}, 64));
  EXPECT_EQ(image.pixels.size(), 3U << 20) << "the same tiles may be all there is to see";
}

TEST(HeifTiles, APictureMadeOfItselfIsRefused) {
  REQUIRE_ENCODER(HeifCodec::kHevc);
  Bytes file = HeifGrid(64, 64, 1, 1, {Heif(64, 64, Noise(64, 64).pixels)}, 64);
  ASSERT_EQ(DecodeError(file), "");
  constexpr std::string_view kName = "dimg";
  auto at = std::search(file.begin(), file.end(), kName.begin(), kName.end());
  ASSERT_NE(at, file.end());
  at +=
      4 + 2 + 2 + 1;  // its name, the grid's number, how many tiles, the first byte of the first one's number
  ASSERT_EQ(*at, 2);
  *at = 1;
  EXPECT_THAT(DecodeError(file), HasSubstr("damaged HEIF: it is made of itself"));
}

// libheif copies what every item names, were it the whole file each time.
TEST(HeifTiles, ItemsThatNameTheSameDataOverAndOverAreRefused) {
  REQUIRE_ENCODER(HeifCodec::kHevc);
  const Bytes tile = Heif(64, 64, Noise(64, 64).pixels);
  constexpr std::size_t kTiles = 30;
  Bytes file = HeifGrid(64 * kTiles, 64, kTiles, 1, std::vector<Bytes>(kTiles, tile), 64);
  ASSERT_EQ(DecodeError(file), "");
  constexpr std::string_view kName = "iloc";
  auto at = std::search(file.begin(), file.end(), kName.begin(), kName.end());
  ASSERT_NE(at, file.end());
  at += 4 + 4 + 2 + 2 + 16;  // its name, version and sizes, how many, the place of the grid itself
  const std::ptrdiff_t first = at - file.begin();
  file.resize(std::size_t{1} << 20);
  const Bytes whole = {0, 0, 0, 0, 0, 0x10, 0, 0};  // from 0, all of it
  const auto name = [&](std::size_t place) {
    std::ranges::copy(whole, file.begin() + first + static_cast<std::ptrdiff_t>(16 * place + 8));
  };
  for (std::size_t i = 0; i < 20; ++i) name(i);
  EXPECT_LT(CodedSizeOf(file).work, kEndless) << "those that are the same may lie in one place";
  for (std::size_t i = 20; i < kTiles; ++i) name(i);
  EXPECT_EQ(CodedSizeOf(file).work, kEndless);
  EXPECT_THAT(DecodeError(file), HasSubstr("or of the same data again"));
}

TEST_P(HeifTest, DataThatIsNamedAgainCountsAsOften) {
  REQUIRE_ENCODER(GetParam());
  const std::uint64_t work = CodedSizeOf(Heif(256, 256, Noise(256, 256).pixels, {.codec = GetParam()})).work;
  EXPECT_EQ(work, 256U * 256);
  const std::uint64_t turned =
      CodedSizeOf(Heif(256, 256, Noise(256, 256).pixels, {.codec = GetParam(), .orientation = 5})).work;
  EXPECT_EQ(turned, 3 * work) << "mirrored and turned";
  Bytes rgba;
  for (int i = 0; i < 256 * 256; ++i) rgba.insert(rgba.end(), {100, 0, 128, 128});
  EXPECT_EQ(CodedSizeOf(Heif(256, 256, rgba, {.codec = GetParam()})).work, 2 * work) << "with alpha";
}

}  // namespace
}  // namespace mobilenet
