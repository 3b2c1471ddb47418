#include <algorithm>

#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

std::vector<std::uint8_t> Pixels(const Bytes& bmp) { return DecodeImage(bmp).pixels; }

TEST(Bmp, BottomUpAndTopDown) {
  const Bytes rows = {3, 2, 1, 0, 6, 5, 4, 0};  // two rows of one BGR pixel and a byte of padding
  EXPECT_THAT(Pixels(Bmp(1, 2, rows)), ElementsAre(4, 5, 6, 1, 2, 3));
  EXPECT_THAT(Pixels(Bmp(1, -2, rows)), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Bmp, HeadersOfEveryLength) {
  for (const std::uint32_t length : {12, 40, 52, 56, 64, 108, 124}) {
    EXPECT_THAT(Pixels(Bmp(1, 1, {3, 2, 1, 0}, {.header_bytes = length})), ElementsAre(1, 2, 3)) << length;
  }
  EXPECT_THAT(DecodeError(Bmp(1, 1, {3, 2, 1, 0}, {.header_bytes = 41})),
              HasSubstr("a header of 41 bytes, expected"));
}

// Colours 0: (1, 2, 3), 1: (11, 12, 13), ...
Bytes Palette(int entries, int entry_bytes) {
  Bytes palette;
  for (int i = 0; i < entries; ++i) {
    for (const int sample : {3, 2, 1}) palette.push_back(static_cast<std::uint8_t>(10 * i + sample));
    if (entry_bytes == 4) palette.push_back(0);
  }
  return palette;
}

TEST(Bmp, PalettesOfEveryDepth) {
  for (const std::uint32_t header : {12, 40, 124}) {
    const int entry = header == 12 ? 3 : 4;
    EXPECT_THAT(Pixels(Bmp(3, 1, {0b01000000, 0, 0, 0},
                           {.header_bytes = header, .bits = 1, .palette = Palette(2, entry)})),
                ElementsAre(1, 2, 3, 11, 12, 13, 1, 2, 3));
    EXPECT_THAT(Pixels(Bmp(3, 1, {0b11000100, 0, 0, 0},
                           {.header_bytes = header, .bits = 2, .palette = Palette(4, entry)})),
                ElementsAre(31, 32, 33, 1, 2, 3, 11, 12, 13));
    EXPECT_THAT(Pixels(Bmp(3, 1, {0x3F, 0x10, 0, 0},
                           {.header_bytes = header, .bits = 4, .palette = Palette(16, entry)})),
                ElementsAre(31, 32, 33, 151, 152, 153, 11, 12, 13));
    EXPECT_THAT(
        Pixels(Bmp(3, 1, {2, 0, 20, 0}, {.header_bytes = header, .bits = 8, .palette = Palette(25, entry)})),
        ElementsAre(21, 22, 23, 1, 2, 3, 201, 202, 203));
  }
}

TEST(Bmp, AnIndexBeyondThePaletteIsBlack) {
  EXPECT_THAT(Pixels(Bmp(3, 1, {1, 2, 255, 0}, {.bits = 8, .palette_entries = 2, .palette = Palette(2, 4)})),
              ElementsAre(11, 12, 13, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(DecodeError(Bmp(3, 1, {1, 2, 255, 0}, {.bits = 8})), HasSubstr("its palette is missing"));
}

TEST(Bmp, RunLengthsOf8Bits) {
  // Row 0: a run of 2 and 1 literal (padded to 3), row 1: skipped to x = 1, y + 1; a run of 2. Bottom up.
  const Bytes codes = {2, 1, 0, 0, 0, 3, 2, 0, 3, 0, 0, 0, 0, 1};
  EXPECT_THAT(Pixels(Bmp(3, 2, codes, {.bits = 8, .compression = 1, .palette = Palette(4, 4)})),
              ElementsAre(21, 22, 23, 1, 2, 3, 31, 32, 33, 11, 12, 13, 11, 12, 13, 1, 2, 3));
  const Bytes skip = {1, 2, 0, 2, 1, 1, 1, 3, 0, 1};
  EXPECT_THAT(Pixels(Bmp(3, 2, skip, {.bits = 8, .compression = 1, .palette = Palette(4, 4)})),
              ElementsAre(1, 2, 3, 1, 2, 3, 31, 32, 33, 21, 22, 23, 1, 2, 3, 1, 2, 3));
}

TEST(Bmp, RunLengthsOf4Bits) {
  const Bytes codes = {3, 0x12, 0, 0, 0, 3, 0x21, 0x30, 0, 1};
  EXPECT_THAT(Pixels(Bmp(3, 2, codes, {.bits = 4, .compression = 2, .palette = Palette(4, 4)})),
              ElementsAre(21, 22, 23, 11, 12, 13, 31, 32, 33, 11, 12, 13, 21, 22, 23, 11, 12, 13));
}

TEST(Bmp, RunsThatLeaveThePictureAreRefused) {
  const BmpOptions options = {.bits = 8, .compression = 1, .palette = Palette(4, 4)};
  EXPECT_THAT(DecodeError(Bmp(3, 2, {4, 1, 0, 1}, options)),
              HasSubstr("a run leaves the picture of 3 x 2 at 3, 0"));
  EXPECT_THAT(DecodeError(Bmp(3, 2, {0, 0, 0, 0, 1, 1, 0, 1}, options)), HasSubstr("at 0, 2"));
  EXPECT_THAT(DecodeError(Bmp(3, 2, {0, 2, 255, 255, 1, 1, 0, 1}, options)), HasSubstr("at 255, 255"));
  EXPECT_THAT(DecodeError(Bmp(3, 2, {3, 1}, options)), HasSubstr("ends before the picture is complete"));
}

TEST(Bmp, SixteenBits) {
  // 5 bits each: red 31, green 0, blue 16
  EXPECT_THAT(Pixels(Bmp(1, 1, {0x10, 0x7C, 0, 0}, {.bits = 16})), ElementsAre(255, 0, 132));
  // 5, 6 and 5 bits
  EXPECT_THAT(Pixels(Bmp(1, 1, {0xF0, 0x07, 0, 0},
                         {.bits = 16, .compression = 3, .masks = {0xF800, 0x07E0, 0x001F}})),
              ElementsAre(0, 255, 132));
}

TEST(Bmp, ThirtyTwoBitsWithAndWithoutMasks) {
  EXPECT_THAT(Pixels(Bmp(1, 1, {3, 2, 1, 0}, {.bits = 32})), ElementsAre(1, 2, 3));
  const std::vector<std::uint32_t> rgbx = {0xFF, 0xFF00, 0xFF0000};
  EXPECT_THAT(Pixels(Bmp(1, 1, {1, 2, 3, 0}, {.bits = 32, .compression = 3, .masks = rgbx})),
              ElementsAre(1, 2, 3));
  const std::vector<std::uint32_t> ten_bits = {0x3FF00000, 0x000FFC00, 0x000003FF};
  EXPECT_THAT(Pixels(Bmp(1, 1, {0x00, 0x00, 0xF8, 0x3F}, {.bits = 32, .compression = 3, .masks = ten_bits})),
              ElementsAre(255, 128, 0));
}

TEST(Bmp, AlphaWhereMasksDeclareIt) {
  const std::vector<std::uint32_t> rgba = {0xFF, 0xFF00, 0xFF0000, 0xFF000000};
  for (const auto& [header, compression] : {std::pair{56U, 3U}, {108U, 3U}, {124U, 3U}, {40U, 6U}}) {
    const BmpOptions options = {
        .header_bytes = header, .bits = 32, .compression = compression, .masks = rgba};
    EXPECT_THAT(Pixels(Bmp(2, 1, {0, 0, 0, 51, 9, 9, 9, 255}, options)), ElementsAre(204, 204, 204, 9, 9, 9));
    // All 0: the program that wrote it knew nothing of alpha.
    EXPECT_THAT(Pixels(Bmp(1, 1, {7, 8, 9, 0}, options)), ElementsAre(7, 8, 9));
  }
}

TEST(Bmp, ImpossibleHeadersAreRefused) {
  EXPECT_THAT(DecodeError(Bmp(1, 1, {0, 0, 0, 0}, {.compression = 4})), HasSubstr("with compression 4"));
  EXPECT_THAT(DecodeError(Bmp(1, 1, {0, 0, 0, 0}, {.compression = 1})),
              HasSubstr("24 bits a pixel with compression 1"));
  EXPECT_THAT(DecodeError(Bmp(1, 1, {0, 0, 0, 0}, {.bits = 23})), HasSubstr("23 bits"));
  EXPECT_THAT(DecodeError(Bmp(0, 1, {})), HasSubstr("0 x 1"));
  EXPECT_THAT(DecodeError(Bmp(-1, 1, {0, 0, 0, 0})), HasSubstr("a width of -1"));
  EXPECT_THAT(DecodeError(Bmp(1, 1, {0, 0, 0, 0}, {.bits = 32, .compression = 3, .masks = {0, 0, 0}})),
              HasSubstr("masks are empty"));
}

TEST(Bmp, HugeSidesAreRefusedBeforeMemoryIsTaken) {
  constexpr int kMost = 0x7FFFFFFF;
  constexpr int kLeast = -kMost - 1;
  const Bytes row = {0, 0, 0, 0};
  EXPECT_THAT(DecodeError(Bmp(kMost, kMost, row)), HasSubstr("pixels, expected at most"));
  EXPECT_THAT(DecodeError(Bmp(kMost, kLeast, row)), HasSubstr("2147483647 x 2147483648 pixels"));
  EXPECT_THAT(DecodeError(Bmp(kMost, 1, row)), HasSubstr("pixels, expected at most"));
  EXPECT_THAT(DecodeError(Bmp(16000, 16000, row)),
              AllOf(HasSubstr("need 768000000 bytes"), HasSubstr("has 58")));
  for (const std::uint32_t compression : {0, 1}) {
    EXPECT_NE(DecodeError(
                  Bmp(16000, 16000, row, {.bits = 8, .compression = compression, .palette = Palette(4, 4)})),
              "");
  }
  EXPECT_NE(DecodeError(Bmp(kLeast, 1, row)), "");
}

}  // namespace
}  // namespace mobilenet
