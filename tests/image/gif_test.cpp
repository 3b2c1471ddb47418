#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::ElementsAre;
using testing::HasSubstr;

const Bytes kPalette = {0, 0, 0, 255, 0, 0, 0, 255, 0, 10, 20, 30};

TEST(Gif, ColoursComeFromThePaletteOfTheFileOrTheFrame) {
  for (const bool own : {false, true}) {
    const Image image =
        DecodeImage(Gif(2, 2, {0, 1, 2, 3}, {.palette = kPalette, .own_palette = own, .frames = 2}));
    EXPECT_EQ(image.width, 2);
    EXPECT_THAT(image.pixels, ElementsAre(0, 0, 0, 255, 0, 0, 0, 255, 0, 10, 20, 30));
  }
}

TEST(Gif, InterlacedRowsComeToTheirPlaces) {
  Bytes indices;
  for (int i = 0; i < 5 * 13; ++i) indices.push_back(static_cast<std::uint8_t>(i * 7 % 4));
  const Image straight = DecodeImage(Gif(5, 13, indices, {.palette = kPalette}));
  const Image interlaced = DecodeImage(Gif(5, 13, indices, {.palette = kPalette, .interlaced = true}));
  EXPECT_EQ(straight.pixels[3 * 7], 255);  // of index 7 * 7 % 4 = 1: red
  EXPECT_EQ(MaxDifference(straight, interlaced), 0);
}

TEST(Gif, WhatIsTransparentOrOutsideOfTheFrameIsWhite) {
  const Image image = DecodeImage(Gif(
      2, 1, {3, 1},
      {.palette = kPalette, .left = 1, .top = 1, .canvas_width = 4, .canvas_height = 2, .transparent = 1}));
  ASSERT_EQ(image.width, 4);
  ASSERT_EQ(image.height, 2);
  Bytes expected(4 * 2 * 3, 255);
  expected[15] = 10;
  expected[16] = 20;
  expected[17] = 30;
  EXPECT_EQ(image.pixels, expected);
}

// As Pillow and browsers do.
TEST(Gif, AFrameThatLeavesTheCanvasMakesItLarger) {
  const Image image = DecodeImage(
      Gif(2, 2, {1, 1, 1, 1}, {.palette = kPalette, .left = 3, .canvas_width = 4, .canvas_height = 1}));
  EXPECT_EQ(image.width, 5);
  EXPECT_EQ(image.height, 2);
}

TEST(Gif, DamagedOnesAreRefused) {
  const Bytes whole = Gif(8, 8, Bytes(64, 1), {.palette = kPalette});
  EXPECT_THAT(DecodeError(Bytes(whole.begin(), whole.begin() + 40)),
              HasSubstr("before the picture is complete"));
  Bytes no_frame(whole.begin(), whole.begin() + 6 + 7 + 12);
  no_frame.push_back(';');
  EXPECT_EQ(DecodeError(no_frame), "x: damaged GIF: it has no frame");
  Bytes no_palette = Gif(2, 2, {0, 1, 2, 3}, {.palette = kPalette, .own_palette = true});
  std::size_t frame = 13;
  while (no_palette[frame] != ',') ++frame;
  no_palette[frame + 9] = 0;  // which said that it has one
  EXPECT_EQ(DecodeError(no_palette), "x: damaged GIF: its palette is missing");
}

TEST(Gif, HugeFramesAreRefusedBeforeMemoryIsTaken) {
  Bytes bytes = Gif(8, 8, Bytes(64, 1), {.palette = kPalette});
  std::size_t frame = 13;
  while (bytes[frame] != ',') ++frame;
  for (const std::size_t side : {frame + 5, frame + 7}) bytes[side] = bytes[side + 1] = 0xFF;
  EXPECT_THAT(DecodeError(bytes), HasSubstr("GIF of 65535 x 65535 pixels, expected at most"));
  EXPECT_THAT(DecodeError(bytes, {.max_pixels = std::size_t{1} << 33}),
              HasSubstr("before the picture is complete"));
}

}  // namespace
}  // namespace mobilenet
