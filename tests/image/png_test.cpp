#include <png.h>

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

// Expected pixels of a one-row picture.
std::vector<std::uint8_t> Decoded(int width, const Bytes& row, const PngOptions& options) {
  return DecodeImage(Png(width, 1, row, options)).pixels;
}

TEST(Png, GreyOfEveryDepth) {
  EXPECT_THAT(Decoded(3, {0b10100000}, {.colour_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 1}),
              ElementsAre(255, 255, 255, 0, 0, 0, 255, 255, 255));
  EXPECT_THAT(Decoded(3, {0b00011000}, {.colour_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 2}),
              ElementsAre(0, 0, 0, 85, 85, 85, 170, 170, 170));
  EXPECT_THAT(Decoded(2, {0x1E}, {.colour_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 4}),
              ElementsAre(17, 17, 17, 238, 238, 238));
  EXPECT_THAT(Decoded(2, {1, 254}, {.colour_type = PNG_COLOR_TYPE_GRAY}),
              ElementsAre(1, 1, 1, 254, 254, 254));
}

TEST(Png, SixteenBitsAreRounded) {
  // 0x0180 = 384 is 1.494 of 255, 0x0181 is 1.498, 0x0182 is 1.502
  EXPECT_THAT(Decoded(4, {0x01, 0x81, 0x01, 0x82, 0xFF, 0xFF, 0x80, 0x00},
                      {.colour_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 16}),
              ElementsAre(1, 1, 1, 2, 2, 2, 255, 255, 255, 128, 128, 128));
  EXPECT_THAT(
      Decoded(1, {0x12, 0x34, 0xFF, 0x7F, 0x00, 0x80}, {.colour_type = PNG_COLOR_TYPE_RGB, .bit_depth = 16}),
      ElementsAre(18, 255, 0));
}

TEST(Png, AlphaIsLaidOverWhite) {
  EXPECT_THAT(
      Decoded(3, {10, 20, 30, 255, 10, 20, 30, 0, 100, 0, 200, 128}, {.colour_type = PNG_COLOR_TYPE_RGBA}),
      ElementsAre(10, 20, 30, 255, 255, 255, 177, 127, 227));
  EXPECT_THAT(Decoded(2, {0, 51, 50, 255}, {.colour_type = PNG_COLOR_TYPE_GRAY_ALPHA}),
              ElementsAre(204, 204, 204, 50, 50, 50));
  EXPECT_THAT(Decoded(1, {0, 0, 0x33, 0x33}, {.colour_type = PNG_COLOR_TYPE_GRAY_ALPHA, .bit_depth = 16}),
              ElementsAre(204, 204, 204));
}

TEST(Png, PalettesWithAndWithoutTransparency) {
  const Bytes palette = {255, 0, 0, 0, 255, 0, 0, 0, 255};
  for (const int depth : {2, 4, 8}) {
    const Bytes row = depth == 2 ? Bytes{0b00011000} : depth == 4 ? Bytes{0x01, 0x20} : Bytes{0, 1, 2};
    const PngOptions opaque = {.colour_type = PNG_COLOR_TYPE_PALETTE, .bit_depth = depth, .palette = palette};
    EXPECT_THAT(Decoded(3, row, opaque), ElementsAreArray(palette));
    PngOptions clear = opaque;
    clear.palette_alpha = {255, 0};
    EXPECT_THAT(Decoded(3, row, clear), ElementsAre(255, 0, 0, 255, 255, 255, 0, 0, 255));
  }
}

TEST(Png, AKeyColourIsTransparent) {
  EXPECT_THAT(Decoded(2, {7, 8}, {.colour_type = PNG_COLOR_TYPE_GRAY, .key = {7}}),
              ElementsAre(255, 255, 255, 8, 8, 8));
  EXPECT_THAT(Decoded(2, {1, 2, 3, 1, 2, 4}, {.colour_type = PNG_COLOR_TYPE_RGB, .key = {1, 2, 3}}),
              ElementsAre(255, 255, 255, 1, 2, 4));
  // The key is compared before 16 bits become 8.
  EXPECT_THAT(
      Decoded(2, {7, 0, 7, 1}, {.colour_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 16, .key = {0x0701}}),
      ElementsAre(7, 7, 7, 255, 255, 255));
}

TEST(Png, InterlacedIsTheSamePicture) {
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 2}, {8, 8}, {33, 17}}) {
    const Image image = Noise(width, height);
    const Bytes bytes =
        Png(width, height, image.pixels, {.colour_type = PNG_COLOR_TYPE_RGB, .interlaced = true});
    EXPECT_EQ(MaxDifference(DecodeImage(bytes), image), 0) << width;
  }
}

TEST(Png, GammaChangesNothing) {
  EXPECT_THAT(Decoded(1, {10, 100, 200}, {.colour_type = PNG_COLOR_TYPE_RGB, .gamma = 1.0}),
              ElementsAre(10, 100, 200));
}

TEST(Png, LargeTextsAreSkipped) {
  const std::string text(std::size_t{64} << 20, 'x');
  EXPECT_THAT(Decoded(1, {1, 2, 3}, {.colour_type = PNG_COLOR_TYPE_RGB, .texts = {text}}),
              ElementsAre(1, 2, 3));
}

// The CRC-32 that ends a chunk, of the bytes [begin, end).
std::uint32_t Crc(const Bytes& bytes, std::size_t begin, std::size_t end) {
  std::uint32_t crc = ~0U;
  for (std::size_t i = begin; i < end; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

void PutBigEndian(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

Bytes WithSize(std::uint32_t width, std::uint32_t height) {
  Bytes bytes = Png(1, 1, {1, 2, 3}, {.colour_type = PNG_COLOR_TYPE_RGB});
  PutBigEndian(bytes, 16, width);
  PutBigEndian(bytes, 20, height);
  PutBigEndian(bytes, 29, Crc(bytes, 12, 29));
  return bytes;
}

TEST(Png, HugeSidesAreRefusedBeforeMemoryIsTaken) {
  EXPECT_EQ(DecodeError(WithSize(1, 1)), "");
  EXPECT_THAT(DecodeError(WithSize(0x80000000U, 0x80000000U)), HasSubstr("damaged PNG"));
  EXPECT_THAT(DecodeError(WithSize(0x7FFFFFFF, 1)), HasSubstr("pixels, expected at most"));
  EXPECT_THAT(DecodeError(WithSize(1, 0x7FFFFFFF)), HasSubstr("pixels, expected at most"));
  EXPECT_THAT(DecodeError(WithSize(0x7FFFFFFF, 0x7FFFFFFF)), HasSubstr("2147483647 x 2147483647 pixels"));
  EXPECT_THAT(DecodeError(WithSize(16000, 16000)), HasSubstr("16000 x 16000 pixels in"));
  EXPECT_THAT(DecodeError(WithSize(0, 1)), HasSubstr("damaged PNG"));
}

TEST(Png, AWrongChecksumIsRefused) {
  Bytes bytes = Png(9, 7, Noise(9, 7).pixels, {.colour_type = PNG_COLOR_TYPE_RGB});
  bytes[bytes.size() - 14] ^= 1;  // the CRC of the pixels, before the 12 bytes of IEND
  EXPECT_THAT(DecodeError(bytes), HasSubstr("x: damaged PNG: "));
}

}  // namespace
}  // namespace mobilenet
