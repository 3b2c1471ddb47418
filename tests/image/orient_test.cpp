#include "image/orient.h"

#include <png.h>

#include "gmock/gmock.h"
#include "image/exif.h"
#include "image/samples.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::ElementsAreArray;

// The letters a to f in two rows, as each orientation shows them.
//   abc
//   def
constexpr std::pair<int, std::string_view> kUpright[] = {
    {1, "abc/def"},  {2, "cba/fed"},  {3, "fed/cba"},  {4, "def/abc"},
    {5, "ad/be/cf"}, {6, "da/eb/fc"}, {7, "fc/eb/da"}, {8, "cf/be/ad"},
};

std::string Show(const Image& image) {
  std::string text;
  for (int i = 0; i < image.width * image.height; ++i) {
    if (i > 0 && i % image.width == 0) text += '/';
    text += static_cast<char>(image.pixels[static_cast<std::size_t>(i) * image.channels]);
  }
  return text;
}

TEST(Orient, AllEightOnGreyAndRgb) {
  const Image grey{.width = 3, .height = 2, .channels = 1, .pixels = {'a', 'b', 'c', 'd', 'e', 'f'}};
  Image rgb{.width = 3, .height = 2, .channels = 3, .pixels = {}};
  for (const std::uint8_t letter : grey.pixels) Append(rgb.pixels, Bytes{letter, 0, letter});
  for (const auto& [orientation, expected] : kUpright) {
    EXPECT_EQ(Show(Orient(grey, orientation)), expected) << orientation;
    const Image upright = Orient(rgb, orientation);
    EXPECT_EQ(Show(upright), expected) << orientation;
    EXPECT_EQ(upright.pixels[1], 0);
    EXPECT_EQ(upright.pixels[2], upright.pixels[0]);
  }
  for (const int unknown : {0, -1, 9, 1000}) EXPECT_EQ(Show(Orient(grey, unknown)), "abc/def");
}

TEST(Orient, LargerThanATile) {
  const Image image = Noise(101, 67);
  const Image turned = Orient(image, 6);
  EXPECT_EQ(turned.width, 67);
  EXPECT_EQ(turned.height, 101);
  EXPECT_NE(turned.pixels, image.pixels);
  EXPECT_EQ(Orient(turned, 8).pixels, image.pixels);
  EXPECT_EQ(Orient(Orient(turned, 6), 3).pixels, image.pixels);
  EXPECT_EQ(Orient(Orient(image, 7), 7).pixels, image.pixels);
}

// Blocks of one colour, each 8 x 8 pixels, so that JPEG keeps them apart.
TEST(Orient, EveryFormatAppliesExif) {
  Image blocks{.width = 24, .height = 16, .channels = 3, .pixels = {}};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x) {
      for (int c = 0; c < 3; ++c)
        blocks.pixels.push_back(static_cast<std::uint8_t>(40 * (y / 8 * 3 + x / 8) + 20));
    }
  }
  Bytes rgba;
  for (std::size_t i = 0; i < blocks.pixels.size(); i += 3)
    Append(rgba, Bytes{blocks.pixels[i], blocks.pixels[i], blocks.pixels[i], 255});
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image upright = Orient(blocks, orientation);
    for (const bool big_endian : {false, true}) {
      const Bytes exif = Exif(orientation, big_endian);
      EXPECT_LE(MaxDifference(DecodeImage(Jpeg(blocks, {.exif = exif})), upright), 2);
      EXPECT_EQ(MaxDifference(DecodeImage(Png(24, 16, blocks.pixels,
                                              {.colour_type = PNG_COLOR_TYPE_RGB, .exif = exif})),
                              upright),
                0);
      Bytes chunks = WebpChunks(LosslessWebp(24, 16, rgba));
      Append(chunks, WebpChunk("EXIF", exif));
      EXPECT_EQ(MaxDifference(DecodeImage(ExtendedWebp(24, 16, kWebpExif, chunks)), upright), 0);
    }
  }
}

TEST(Exif, WithAndWithoutThePrefixOfJpeg) {
  Bytes prefixed = {'E', 'x', 'i', 'f', 0, 0};
  Append(prefixed, Exif(7));
  EXPECT_EQ(ExifOrientation(prefixed), 7);
  EXPECT_EQ(ExifOrientation(Exif(7)), 7);
  EXPECT_EQ(ExifOrientation(Exif(7, true)), 7);
}

TEST(Exif, IsUprightWhereItIsDamaged) {
  for (const int value : {0, 9, 255}) EXPECT_EQ(ExifOrientation(Exif(value)), 1);
  EXPECT_EQ(ExifOrientation({}), 1);
  Bytes wrong = Exif(6);
  wrong[2] = 43;  // not TIFF's number
  EXPECT_EQ(ExifOrientation(wrong), 1);
  wrong = Exif(6);
  wrong[1] = 'M';
  EXPECT_EQ(ExifOrientation(wrong), 1);
  wrong = Exif(6);
  wrong[12] = 2;  // text
  EXPECT_EQ(ExifOrientation(wrong), 1);
  for (std::size_t size = 0; size < 20; ++size) {
    Bytes cut = Exif(6);
    cut.resize(size);
    EXPECT_EQ(ExifOrientation(cut), 1) << size;
  }
}

TEST(Exif, FollowsNoOffsetOutsideAndNoLoop) {
  Bytes exif = Exif(6);
  std::copy_n("\xFF\xFF\xFF\xFF", 4, exif.begin() + 4);  // the directory lies 4 GB on
  EXPECT_EQ(ExifOrientation(exif), 1);
  exif = Exif(6);
  exif[4] = 0;  // the directory is the header: "II" as a count of 18761 entries
  EXPECT_EQ(ExifOrientation(exif), 1);
  exif = Exif(6);
  exif[10] = 0;              // another tag
  exif[22] = 8;              // the next directory is this one
  exif[8] = exif[9] = 0xFF;  // and it has 65535 entries
  EXPECT_EQ(ExifOrientation(exif), 1);
}

}  // namespace
}  // namespace mobilenet
