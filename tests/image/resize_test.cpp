#include <algorithm>
#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "image/resize_passes.h"
#include "image/samples.h"
#include "mobilenet/image.h"
#include "random.h"

namespace mobilenet {
namespace {

using samples::ErrorOf;
using samples::Noise;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kBilinear = ResizeFilter::kBilinear;
constexpr auto kBicubic = ResizeFilter::kBicubic;

std::uint64_t Fnv1a(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}

// FNV-1a of Pillow 11.3's Image.resize((out_width, out_height), filter, box) of samples::Noise(width, height,
// channels), whose seed is (width * 31 + height) * 31 + channels.
struct Case {
  int width, height, channels;
  int out_width, out_height;
  ResizeFilter filter;
  Box box;
  std::uint64_t hash;
};

constexpr Case kCases[] = {
    {7, 5, 3, 7, 5, kBilinear, {0, 0, 7, 5}, 0x52ad82d234b582b5},
    {7, 5, 3, 7, 5, kBicubic, {0, 0, 7, 5}, 0x52ad82d234b582b5},
    {7, 5, 3, 14, 15, kBilinear, {0, 0, 7, 5}, 0x74aa49749eb5527e},
    {7, 5, 3, 14, 15, kBicubic, {0, 0, 7, 5}, 0xbfc41007ea9928f2},
    {37, 23, 3, 11, 13, kBilinear, {0, 0, 37, 23}, 0x98adf53fd79eb0b5},
    {37, 23, 3, 11, 13, kBicubic, {0, 0, 37, 23}, 0xc5c4aad69ef3b611},
    {37, 23, 1, 11, 13, kBilinear, {0, 0, 37, 23}, 0x5753464939983303},
    {37, 23, 1, 11, 13, kBicubic, {0, 0, 37, 23}, 0xb20a9a3dd6b6cc48},
    {1, 1, 3, 5, 3, kBilinear, {0, 0, 1, 1}, 0x5233c70a746e14c7},
    {1, 1, 3, 5, 3, kBicubic, {0, 0, 1, 1}, 0x5233c70a746e14c7},
    {1, 9, 1, 4, 2, kBilinear, {0, 0, 1, 9}, 0x5c03f1e670ba28d9},
    {1, 9, 1, 4, 2, kBicubic, {0, 0, 1, 9}, 0x5c03f1e670ba28d9},
    {101, 67, 3, 1, 1, kBilinear, {0, 0, 101, 67}, 0x2d38371adf5c1884},
    {101, 67, 3, 1, 1, kBicubic, {0, 0, 101, 67}, 0x2d38371adf5c1884},
    {101, 67, 3, 101, 31, kBilinear, {0, 0, 101, 67}, 0xb25019ea1347512d},
    {101, 67, 3, 101, 31, kBicubic, {0, 0, 101, 67}, 0xcd5214d479a0d965},
    {101, 67, 3, 31, 67, kBilinear, {0, 0, 101, 67}, 0x9fa2ef8aa41f254a},
    {101, 67, 3, 31, 67, kBicubic, {0, 0, 101, 67}, 0x8737f2a6a0c57146},
    {100, 75, 3, 32, 32, kBilinear, {6.25, 4.6875, 93.75, 70.3125}, 0x583a5bb1234f115f},
    {100, 75, 3, 32, 32, kBicubic, {6.25, 4.6875, 93.75, 70.3125}, 0x59f0c1634e4e3622},
    {100, 75, 1, 32, 24, kBilinear, {6.25, 4.6875, 93.75, 70.3125}, 0x18605f98cbfc4d22},
    {100, 75, 1, 32, 24, kBicubic, {6.25, 4.6875, 93.75, 70.3125}, 0x3d26434c3999cc19},
    {53, 41, 3, 29, 31, kBilinear, {0.1, 0.2, 52.9, 40.7}, 0x902369bf7060f363},
    {53, 41, 3, 29, 31, kBicubic, {0.1, 0.2, 52.9, 40.7}, 0x5d0e2208e50f9573},
    {53, 41, 3, 96, 80, kBilinear, {10.3, 7.7, 20.1, 15.6}, 0x8684cebf1bf94bfa},
    {53, 41, 3, 96, 80, kBicubic, {10.3, 7.7, 20.1, 15.6}, 0x922a63f2153f4da6},
    {53, 41, 1, 64, 64, kBilinear, {3, 5, 50, 11.5}, 0xa2613689e30795da},
    {53, 41, 1, 64, 64, kBicubic, {3, 5, 50, 11.5}, 0x23a619bc5da1b11a},
    {500, 375, 3, 224, 224, kBilinear, {31.25, 23.4375, 468.75, 351.5625}, 0x6ea57cf2a58f8ccb},
    {500, 375, 3, 224, 224, kBicubic, {31.25, 23.4375, 468.75, 351.5625}, 0x40425b3f6c0d515b},
    {640, 3, 3, 3, 64, kBilinear, {0.5, 0.25, 639.5, 2.75}, 0x5d8526436f7b21e9},
    {640, 3, 3, 3, 64, kBicubic, {0.5, 0.25, 639.5, 2.75}, 0x5593b562e90f5906},
    {64, 64, 3, 8, 8, kBilinear, {0.015625, 0, 63.984375, 64}, 0x3e797a9b5514d12c},
    {64, 64, 3, 8, 8, kBicubic, {0.015625, 0, 63.984375, 64}, 0x21d1106d19a470c8},
    {33, 33, 3, 33, 33, kBilinear, {0.5, 0.5, 32.5, 32.5}, 0xe38e6143ce2587aa},
    {33, 33, 3, 33, 33, kBicubic, {0.5, 0.5, 32.5, 32.5}, 0x4059b0161e62584c},
    {67, 101, 3, 31, 29, kBilinear, {0, 0, 67, 101}, 0x30610f1c80be1a63},
    {67, 101, 3, 31, 29, kBicubic, {0, 0, 67, 101}, 0xc4f3bbd9b01ba8a2},
    {67, 200, 3, 64, 64, kBilinear, {4.1875, 12.5, 62.8125, 187.5}, 0xde17e98dadb1acb1},
    {67, 200, 3, 64, 64, kBicubic, {4.1875, 12.5, 62.8125, 187.5}, 0x05f806f3cc10e229},
    {50, 50, 1, 60, 40, kBilinear, {0.25, 0.5, 49.5, 49.75}, 0x7e4f4bb03fc6552f},
    {50, 50, 1, 60, 40, kBicubic, {0.25, 0.5, 49.5, 49.75}, 0xe83a6890fbed0317},
    {60, 110, 3, 40, 70, kBilinear, {0, 0, 60, 110}, 0x9167982a4d7d924f},
    {60, 110, 3, 40, 70, kBicubic, {0, 0, 60, 110}, 0x1b289127a3ddc2d4},
    {60, 111, 3, 40, 70, kBilinear, {0, 0, 60, 111}, 0x9690c7c23b6d9085},
    {60, 111, 3, 40, 70, kBicubic, {0, 0, 60, 111}, 0x22336c134ddd38a8},
};

TEST(Resize, EqualsPillowBitForBit) {
  for (const Case& c : kCases) {
    const Image resized =
        Resize(Noise(c.width, c.height, c.channels), c.out_width, c.out_height, c.filter, c.box);
    EXPECT_EQ(resized.width, c.out_width);
    EXPECT_EQ(resized.height, c.out_height);
    EXPECT_EQ(resized.channels, c.channels);
    EXPECT_EQ(Fnv1a(resized.pixels), c.hash)
        << c.width << " x " << c.height << " x " << c.channels << " from " << c.box.left << ", " << c.box.top
        << " to " << c.box.right << ", " << c.box.bottom << " to " << c.out_width << " x " << c.out_height
        << (c.filter == kBicubic ? " bicubic" : " bilinear");
  }
}

// Every instruction set beside plain sums. Buffers end where the contract says, so that AddressSanitizer sees
// any access beyond them.
TEST(ResizePasses, AllEqualPlainSums) {
  for (const int count : {1, 2, 3, 5, 9, 10, 13}) {
    for (const int channels : {1, 3}) {
      constexpr int kOutputs = 21;
      Taps taps;
      taps.count = count;
      const std::vector<float> random = RandomValues(kOutputs * static_cast<std::size_t>(count), count);
      for (int i = 0; i < kOutputs; ++i) taps.firsts.push_back(i * 2);
      taps.extent = taps.firsts.back() + count;
      for (const float value : random)  // negative ones too, and sums below 0 and above 255
        taps.weights.push_back(
            static_cast<std::int32_t>(value * (1 << kFractionBits) * 1.9F / static_cast<float>(count)));
      constexpr std::size_t kRows = 3;
      const Image image = Noise(taps.extent, std::max<int>(kRows, taps.extent), channels);
      const std::size_t stride = static_cast<std::size_t>(taps.extent) * channels;
      const auto sum = [&](int output, std::size_t first, std::size_t step) {
        std::int64_t total = 1 << (kFractionBits - 1);
        for (int k = 0; k < count; ++k)
          total += std::int64_t{image.pixels[first + (taps.firsts[output] + k) * step]} *
                   taps.weights[output * count + k];
        return static_cast<std::uint8_t>(std::clamp<std::int64_t>(total >> kFractionBits, 0, 255));
      };
      for (const ResizePasses* passes : AvailableResizePasses()) {
        SCOPED_TRACE(testing::Message()
                     << count << " taps, " << channels << " channels, target " << passes->target);
        const std::vector<std::uint8_t> rows(image.pixels.begin(), image.pixels.begin() + kRows * stride);
        std::vector<std::uint8_t> across(kRows * kOutputs * channels + kSpareBytes);
        passes->across({rows.data(), stride, 0}, kRows, channels, taps, across.data());
        for (std::size_t i = 0; i + kSpareBytes < across.size(); ++i) {
          const std::size_t row = i / (kOutputs * channels);
          const int pixel = static_cast<int>(i / channels % kOutputs);
          ASSERT_EQ(across[i], sum(pixel, row * stride + i % channels, channels)) << "across, at " << i;
        }
        const std::vector<std::uint8_t> tall(image.pixels.begin(),
                                             image.pixels.begin() + taps.extent * stride);
        std::vector<std::uint8_t> down(kOutputs * stride);
        passes->down(tall.data(), stride, taps, down.data());
        for (std::size_t i = 0; i < down.size(); ++i)
          ASSERT_EQ(down[i], sum(static_cast<int>(i / stride), i % stride, stride)) << "down, at " << i;
      }
    }
  }
}

TEST(Resize, AveragesWhenItShrinks) {
  const Image image{.width = 4, .height = 1, .channels = 1, .pixels = {0, 100, 100, 0}};
  EXPECT_THAT(Resize(image, 1, 1, kBilinear, {0, 0, 4, 1}).pixels, ElementsAre(58));  // weights 5, 7, 7, 5
  EXPECT_THAT(Resize(image, 2, 1, kBilinear, {1, 0, 3, 1}).pixels, ElementsAre(100, 100));
}

TEST(Resize, RefusesBoxesOutsideAndEmpty) {
  const Image image = Noise(8, 6);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Box bad[] = {{-0.1, 0, 8, 6}, {0, -1, 8, 6},  {0, 0, 8.01, 6}, {0, 0, 8, 7},
                     {4, 0, 4, 6},    {5, 0, 4, 6},   {0, 3, 8, 3},    {nan, 0, 8, 6},
                     {0, 0, 8, nan},  {0, nan, 8, 6}, {0, 0, nan, 6},  {3, 0, 3 + 1e-9, 6}};
  for (const Box& box : bad) {
    EXPECT_THAT(ErrorOf([&] { Resize(image, 3, 3, kBilinear, box); }),
                AllOf(HasSubstr("resize: the box from"), HasSubstr("8 x 6")));
  }
}

TEST(Resize, RefusesImpossibleSizesAndImages) {
  const Box all = {0, 0, 8, 6};
  EXPECT_THAT(ErrorOf([&] { Resize(Noise(8, 6), 0, 3, kBilinear, all); }), HasSubstr("0 x 3"));
  EXPECT_THAT(ErrorOf([&] { Resize(Noise(8, 6), 3, -1, kBilinear, all); }), HasSubstr("3 x -1"));
  EXPECT_THAT(ErrorOf([&] { Resize(Noise(8, 6), 16385, 16384, kBilinear, all); }),
              HasSubstr("16385 x 16384 pixels, expected at least one and at most 268435456"));
  Image image = Noise(8, 6);
  image.pixels.pop_back();
  EXPECT_THAT(ErrorOf([&] { Resize(image, 3, 3, kBilinear, all); }), HasSubstr("needs 144 bytes, found 143"));
  image = Noise(8, 6, 4);
  EXPECT_THAT(ErrorOf([&] { Resize(image, 3, 3, kBilinear, all); }), HasSubstr("4 channels"));
  EXPECT_THAT(ErrorOf([&] { Resize(Image{}, 3, 3, kBilinear, all); }), HasSubstr("0 x 0"));
}

}  // namespace
}  // namespace mobilenet
