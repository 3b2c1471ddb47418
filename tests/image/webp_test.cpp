#include <algorithm>

#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

Bytes WithAlpha(const Image& image, std::uint8_t alpha) {
  Bytes rgba;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    rgba.push_back(image.pixels[i]);
    if (i % 3 == 2) rgba.push_back(alpha);
  }
  return rgba;
}

TEST(Webp, LosslessIsExact) {
  const Image image = Noise(37, 21);
  EXPECT_EQ(MaxDifference(DecodeImage(LosslessWebp(37, 21, WithAlpha(image, 255))), image), 0);
}

TEST(Webp, LossyIsClose) {
  const Image image = Gradient(64, 48);
  EXPECT_LE(MaxDifference(DecodeImage(LossyWebp(64, 48, WithAlpha(image, 255))), image), 24);
}

TEST(Webp, AlphaIsLaidOverWhite) {
  const Bytes row = {10, 20, 30, 255, 10, 20, 30, 0, 100, 0, 200, 128};
  EXPECT_THAT(DecodeImage(LosslessWebp(3, 1, row)).pixels,
              ElementsAre(10, 20, 30, 255, 255, 255, 177, 127, 227));
  const Image lossy = DecodeImage(LossyWebp(16, 16, WithAlpha(Gradient(16, 16), 0)));
  EXPECT_THAT(lossy.pixels, Each(255));
}

// A frame of an animation: its place, 100 ms, no blending.
Bytes Frame(int x, int y, int width, int height, const Bytes& webp) {
  Bytes content;
  for (const int value : {x / 2, y / 2, width - 1, height - 1, 100}) {
    for (int shift = 0; shift < 24; shift += 8) content.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  content.push_back(0);
  Append(content, WebpChunks(webp));
  return WebpChunk("ANMF", content);
}

TEST(Webp, AnAnimationYieldsItsFirstFrameOnTheCanvas) {
  const Image first = Noise(4, 2);
  const Image second = Noise(8, 6);
  for (const auto& [x, y, alpha] :
       {std::tuple(2, 4, std::uint8_t{255}), std::tuple(2, 4, std::uint8_t{254}),
        std::tuple(0, 0, std::uint8_t{255}), std::tuple(4, 0, std::uint8_t{255})}) {
    Bytes chunks = WebpChunk("ANIM", {0, 0, 255, 255, 0, 0});
    Append(chunks, Frame(x, y, 4, 2, LosslessWebp(4, 2, WithAlpha(first, alpha))));
    Append(chunks, Frame(0, 0, 8, 6, LosslessWebp(8, 6, WithAlpha(second, 255))));
    const Image image = DecodeImage(ExtendedWebp(8, 6, kWebpAnimation | kWebpAlpha, chunks));
    Image expected{.width = 8, .height = 6, .channels = 3, .pixels = Bytes(8 * 6 * 3, 255)};
    for (int row = 0; row < 2; ++row)
      std::copy_n(first.pixels.data() + row * 12, 12, expected.pixels.data() + ((row + y) * 8 + x) * 3);
    EXPECT_LE(MaxDifference(image, expected), alpha == 255 ? 0 : 1);
  }
}

TEST(Webp, AFrameThatLeavesTheCanvasIsRefused) {
  Bytes chunks = WebpChunk("ANIM", {0, 0, 0, 0, 0, 0});
  Append(chunks, Frame(6, 0, 4, 2, LosslessWebp(4, 2, WithAlpha(Noise(4, 2), 255))));
  EXPECT_THAT(DecodeError(ExtendedWebp(8, 6, kWebpAnimation, chunks)), HasSubstr("x: damaged WebP: "));
}

TEST(Webp, AnAnimationWithoutAFrameIsRefused) {
  const Bytes chunks = WebpChunk("ANIM", {0, 0, 0, 0, 0, 0});
  EXPECT_THAT(DecodeError(ExtendedWebp(8, 6, kWebpAnimation, chunks)), HasSubstr("x: damaged WebP: "));
}

TEST(Webp, AHugeCanvasIsRefusedBeforeMemoryIsTaken) {
  Bytes chunks = WebpChunk("ANIM", {0, 0, 0, 0, 0, 0});
  Append(chunks, Frame(0, 0, 4, 2, LosslessWebp(4, 2, WithAlpha(Noise(4, 2), 255))));
  EXPECT_THAT(DecodeError(ExtendedWebp(60000, 60000, kWebpAnimation, chunks)),
              HasSubstr("60000 x 60000 pixels, expected at most"));
}

}  // namespace
}  // namespace mobilenet
