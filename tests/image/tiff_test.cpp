#include <tiff.h>

#include <cstring>

#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Bytes Native16(std::initializer_list<std::uint16_t> values) {
  Bytes bytes(2 * values.size());
  std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}

TEST(Tiff, RgbIsExactInEveryLayoutAndCompression) {
  const Image image = Noise(37, 21);
  for (const int compression :
       {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS}) {
    for (const bool planar : {false, true}) {
      for (const int tile : {0, 16, 48}) {
        for (const bool big_endian : {false, true}) {
          const Bytes tiff = Tiff(37, 21, image.pixels,
                                  {.photometric = PHOTOMETRIC_RGB,
                                   .compression = compression,
                                   .planar = planar,
                                   .tile = tile,
                                   .rows_per_strip = 4,
                                   .big_endian = big_endian});
          EXPECT_EQ(MaxDifference(DecodeImage(tiff), image), 0)
              << "compression " << compression << ", planar " << planar << ", tile " << tile;
        }
      }
    }
  }
}

TEST(Tiff, SixteenBitsAreRounded) {
  // Of 65535: 128 / 257 rounds to 0, 129 / 257 to 1.
  const Bytes row = Native16({0, 128, 129, 65535, 65535 - 128, 32896});
  for (const bool big_endian : {false, true}) {
    const Bytes tiff =
        Tiff(2, 1, row, {.photometric = PHOTOMETRIC_RGB, .bits = 16, .big_endian = big_endian});
    EXPECT_THAT(DecodeImage(tiff).pixels, ElementsAre(0, 0, 1, 255, 255, 128));
  }
}

TEST(Tiff, GreyOfEveryDepth) {
  const auto grey = [](int bits, const Bytes& row, int photometric) {
    const Image image =
        DecodeImage(Tiff(2, 1, row, {.photometric = photometric, .bits = bits, .samples = 1}));
    return std::pair<int, int>(image.pixels[0], image.pixels[3]);
  };
  using Pair = std::pair<int, int>;
  EXPECT_EQ(grey(1, {0x40}, PHOTOMETRIC_MINISBLACK), Pair(0, 255));
  EXPECT_EQ(grey(1, {0x40}, PHOTOMETRIC_MINISWHITE), Pair(255, 0));
  EXPECT_EQ(grey(2, {0x60}, PHOTOMETRIC_MINISBLACK), Pair(85, 170));
  EXPECT_EQ(grey(4, {0x1E}, PHOTOMETRIC_MINISBLACK), Pair(17, 238));
  EXPECT_EQ(grey(8, {7, 9}, PHOTOMETRIC_MINISBLACK), Pair(7, 9));
  EXPECT_EQ(grey(12, {0x80, 0x0F, 0xFF}, PHOTOMETRIC_MINISBLACK), Pair(128, 255));
  EXPECT_EQ(grey(16, Native16({257, 65535}), PHOTOMETRIC_MINISWHITE), Pair(254, 0));
}

TEST(Tiff, PalettesOfEightAndSixteenBits) {
  for (const std::uint16_t one : {std::uint16_t{1}, std::uint16_t{256}, std::uint16_t{257}}) {
    std::vector<std::uint16_t> palette(3 * 16);
    palette[5] = static_cast<std::uint16_t>(200 * one);       // red of 5
    palette[16 + 5] = static_cast<std::uint16_t>(100 * one);  // green
    palette[32 + 6] = static_cast<std::uint16_t>(50 * one);   // blue of 6
    const Bytes tiff =
        Tiff(2, 1, {0x56}, {.photometric = PHOTOMETRIC_PALETTE, .bits = 4, .samples = 1, .palette = palette});
    EXPECT_THAT(DecodeImage(tiff).pixels, ElementsAre(200, 100, 0, 0, 0, 50)) << one;
  }
}

// Pillow's answers for the same CMYK: Image.new("CMYK", (1, 1), (10, 200, 0, 50)).convert("RGB").
TEST(Tiff, CmykOfEightAndSixteenBits) {
  const Bytes ink = {10, 200, 0, 50};
  EXPECT_THAT(DecodeImage(Tiff(1, 1, ink, {.photometric = PHOTOMETRIC_SEPARATED, .samples = 4})).pixels,
              ElementsAre(197, 44, 205));
  const Bytes wide = Native16({10 * 257, 200 * 257, 0, 50 * 257});
  const TiffOptions options = {.photometric = PHOTOMETRIC_SEPARATED, .bits = 16, .samples = 4};
  EXPECT_THAT(DecodeImage(Tiff(1, 1, wide, options)).pixels, ElementsAre(197, 44, 205));
}

TEST(Tiff, AlphaIsLaidOverWhite) {
  const Bytes row = {10, 20, 30, 255, 10, 20, 30, 0, 100, 0, 200, 128};
  const auto decode = [&](const std::vector<std::uint16_t>& extra, bool planar) {
    return DecodeImage(Tiff(3, 1, row,
                            {.photometric = PHOTOMETRIC_RGB, .samples = 4, .planar = planar, .extra = extra}))
        .pixels;
  };
  for (const bool planar : {false, true}) {
    EXPECT_THAT(decode({EXTRASAMPLE_UNASSALPHA}, planar),
                ElementsAre(10, 20, 30, 255, 255, 255, 177, 127, 227));
    EXPECT_THAT(decode({EXTRASAMPLE_ASSOCALPHA}, planar),
                ElementsAre(10, 20, 30, 255, 255, 255, 227, 127, 255));
    EXPECT_THAT(decode({EXTRASAMPLE_UNSPECIFIED}, planar), ElementsAre(10, 20, 30, 10, 20, 30, 100, 0, 200));
  }
  EXPECT_THAT(decode({}, false), ElementsAre(10, 20, 30, 255, 255, 255, 177, 127, 227));
}

TEST(Tiff, JpegAndYcbcr) {
  const Image image = Gradient(64, 48);
  for (const int photometric : {PHOTOMETRIC_RGB, PHOTOMETRIC_YCBCR}) {
    const Bytes tiff =
        Tiff(64, 48, image.pixels,
             {.photometric = photometric, .compression = COMPRESSION_JPEG, .rows_per_strip = 16});
    EXPECT_LE(MaxDifference(DecodeImage(tiff), image), 24) << photometric;
  }
  // Y, Cb and Cr themselves.
  const Bytes bare = Tiff(1, 1, {150, 44, 21}, {.photometric = PHOTOMETRIC_YCBCR});
  EXPECT_LE(MaxDifference(DecodeImage(bare), {.width = 1, .height = 1, .channels = 3, .pixels = {0, 255, 1}}),
            2);
}

TEST(Tiff, FaxOfGroup4) {
  Bytes rows;
  for (int i = 0; i < 5 * 30; ++i) rows.push_back(static_cast<std::uint8_t>(i * 37));
  const TiffOptions options = {
      .photometric = PHOTOMETRIC_MINISWHITE, .bits = 1, .samples = 1, .compression = COMPRESSION_CCITTFAX4};
  TiffOptions plain = options;
  plain.compression = COMPRESSION_NONE;
  EXPECT_EQ(MaxDifference(DecodeImage(Tiff(40, 30, rows, options)), DecodeImage(Tiff(40, 30, rows, plain))),
            0);
}

TEST(Tiff, OrientationAndPages) {
  const Image image = Noise(5, 3);
  const Image turned =
      DecodeImage(Tiff(5, 3, image.pixels, {.photometric = PHOTOMETRIC_RGB, .orientation = 6, .pages = 2}));
  ASSERT_EQ(turned.width, 3);
  ASSERT_EQ(turned.height, 5);
  for (int c = 0; c < 3; ++c) EXPECT_EQ(turned.pixels[c], image.pixels[2 * 5 * 3 + c]);  // the lower left one
}

TEST(Tiff, WhatIsNotReadIsSaid) {
  const Bytes rows(8 * 8 * 3 * 4, 1);
  const auto error = [&](const TiffOptions& options) {
    const std::size_t bytes = static_cast<std::size_t>(8) * 8 * options.samples * options.bits / 8;
    return DecodeError(
        Tiff(8, 8, Bytes(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(bytes)), options));
  };
  EXPECT_EQ(error({.photometric = PHOTOMETRIC_RGB, .bits = 32, .sample_format = SAMPLEFORMAT_IEEEFP}),
            "x: TIFF has floating-point samples, expected integers of at most 16 bits");
  EXPECT_EQ(error({.photometric = PHOTOMETRIC_MINISBLACK, .bits = 32, .samples = 1}),
            "x: TIFF has 32 bits in a sample, expected 1 to 16");
  EXPECT_EQ(error({.photometric = PHOTOMETRIC_RGB, .sample_format = SAMPLEFORMAT_INT}),
            "x: TIFF has signed samples, expected unsigned ones");
  EXPECT_EQ(error({.photometric = PHOTOMETRIC_SEPARATED, .samples = 4, .ink_set = INKSET_MULTIINK}),
            "x: TIFF has inks other than cyan, magenta, yellow and black");
  EXPECT_THAT(error({.photometric = PHOTOMETRIC_RGB, .kind = FILETYPE_REDUCEDIMAGE}),
              HasSubstr("a thumbnail as its first page, as a camera's raw file"));
  EXPECT_THAT(error({.photometric = PHOTOMETRIC_CFA, .samples = 1}), HasSubstr("a sensor's bare samples"));
  EXPECT_THAT(error({.photometric = -1}), HasSubstr("it does not say what its samples stand for"));
  EXPECT_THAT(error({.photometric = PHOTOMETRIC_MASK, .samples = 1}),
              HasSubstr("photometric interpretation 4"));
  Bytes raw = Tiff(8, 8, Bytes(192), {.photometric = PHOTOMETRIC_RGB});
  std::memcpy(raw.data() + 8, "CR\2\0", 4);
  EXPECT_THAT(DecodeError(raw), HasSubstr("is a Canon camera's raw file"));
}

TEST(Tiff, HugeOnesAreRefusedBeforeMemoryIsTaken) {
  Bytes tiff = Tiff(8, 8, Bytes(192), {.photometric = PHOTOMETRIC_RGB});
  const Bytes width = {0x00, 0x01, 0x03, 0x00, 0x01, 0, 0, 0, 8, 0};
  const Bytes height = {0x01, 0x01, 0x03, 0x00, 0x01, 0, 0, 0, 8, 0};
  for (const Bytes& side : {width, height}) {
    const auto at = std::search(tiff.begin(), tiff.end(), side.begin(), side.end());
    ASSERT_NE(at, tiff.end());
    at[8] = at[9] = 0x7F;
  }
  EXPECT_THAT(DecodeError(tiff), HasSubstr("TIFF of 32639 x 32639 pixels, expected at most"));
  EXPECT_THAT(DecodeError(tiff, {.max_pixels = std::size_t{1} << 33}),
              AllOf(HasSubstr("before the picture is complete")));
}

// A tile may be larger than its picture, up to 2^20 pixels whatever is allowed.
TEST(Tiff, TilesAreRefusedWhereTheyAreLargerThanThatAndThanAllowed) {
  const auto tiff = [](int tile) {
    return Tiff(8, 8, Bytes(192),
                {.photometric = PHOTOMETRIC_RGB, .compression = COMPRESSION_ADOBE_DEFLATE, .tile = tile});
  };
  EXPECT_EQ(DecodeImage(tiff(1024), {.max_pixels = 64}).width, 8);
  EXPECT_THAT(DecodeError(tiff(1040), {.max_pixels = 64}), HasSubstr("TIFF tile of 1040 x 1040 pixels"));
  EXPECT_EQ(DecodeImage(tiff(1040), {.max_pixels = 1040 * 1040}).width, 8);
}

}  // namespace
}  // namespace mobilenet
