#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using samples::ErrorOf;
using samples::Noise;
using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

// One pixel, nothing cropped.
std::vector<float> One(const Image& image, Preprocessing preprocessing, int channels = 3) {
  preprocessing.crop = 1;
  std::vector<float> output(static_cast<std::size_t>(channels));
  Preprocess(image, preprocessing, 1, 1, channels, output);
  return output;
}

const Image kOrange{.width = 1, .height = 1, .channels = 3, .pixels = {255, 102, 0}};
const Image kGrey{.width = 1, .height = 1, .channels = 1, .pixels = {51}};

TEST(Preprocess, NormalisesByEachPreset) {
  EXPECT_THAT(One(kOrange, PreprocessingPreset("tensorflow")),
              ElementsAre(FloatEq(1), FloatEq(-0.2F), FloatEq(-1)));
  EXPECT_THAT(One(kOrange, PreprocessingPreset("unit")), ElementsAre(FloatEq(1), FloatEq(0.4F), FloatEq(0)));
  EXPECT_THAT(One(kOrange, PreprocessingPreset("pytorch")),
              ElementsAre(FloatNear((1 - 0.485F) / 0.229F, 1e-5F), FloatNear((0.4F - 0.456F) / 0.224F, 1e-5F),
                          FloatNear((0 - 0.406F) / 0.225F, 1e-5F)));
  EXPECT_THAT(One(kOrange, PreprocessingPreset("caffe")),
              ElementsAre(FloatEq(0 - 103.939F), FloatEq(102 - 116.779F), FloatEq(255 - 123.68F)));
}

TEST(Preprocess, GreyInEitherDirection) {
  const Preprocessing unit = PreprocessingPreset("unit");
  EXPECT_THAT(One(kGrey, unit), ElementsAre(FloatEq(0.2F), FloatEq(0.2F), FloatEq(0.2F)));
  EXPECT_THAT(One(kGrey, unit, 1), ElementsAre(FloatEq(0.2F)));
  // 0.299 * 255 + 0.587 * 102 = 136.1
  EXPECT_THAT(One(kOrange, unit, 1), ElementsAre(FloatEq(136 / 255.0F)));
  EXPECT_THAT(One(kOrange, {.mean = {100, 1, 1}, .scale = {0.5F, 9, 9}}, 1), ElementsAre(FloatEq(18)));
}

TEST(Preprocess, CropsThenResizes) {
  const Image image = Noise(20, 12);
  const Preprocessing preprocessing = {
      .mean = {}, .scale = {1, 1, 1}, .crop = 0.75F, .shape = CropShape::kSquare};
  const Image resized = Resize(image, 5, 5, ResizeFilter::kBilinear, {5.5, 1.5, 14.5, 10.5});
  std::vector<float> output(75);
  Preprocess(image, preprocessing, 5, 5, 3, output);
  EXPECT_THAT(output, Pointwise(FloatEq(), resized.pixels));
}

TEST(Preprocess, UsesTheFilterAsked) {
  const Image image = Noise(20, 12);
  Preprocessing preprocessing = {.mean = {}, .scale = {1, 1, 1}, .crop = 1, .filter = ResizeFilter::kBicubic};
  const Image resized = Resize(image, 7, 5, ResizeFilter::kBicubic, {0, 0, 20, 12});
  std::vector<float> output(105);
  Preprocess(image, preprocessing, 7, 5, 3, output);
  EXPECT_THAT(output, Pointwise(FloatEq(), resized.pixels));
}

TEST(Preprocess, RefusesWrongLengthsAndChannels) {
  std::vector<float> output(27);
  const auto run = [&](int width, int height, int channels, std::size_t length) {
    return ErrorOf(
        [&] { Preprocess(kOrange, {}, width, height, channels, std::span(output).first(length)); });
  };
  EXPECT_EQ(run(3, 3, 3, 27), "");
  EXPECT_THAT(run(3, 3, 3, 26), HasSubstr("26 floats, expected 3 x 3 x 3 = 27"));
  EXPECT_THAT(run(3, 3, 1, 27), HasSubstr("expected 3 x 3 x 1 = 9"));
  EXPECT_THAT(run(3, 3, 2, 18), HasSubstr("2 channels, expected 1 or 3"));
  EXPECT_THAT(run(0, 3, 3, 0), HasSubstr("0 x 3 pixels"));
}

void ExpectBox(const Box& box, double left, double top, double right, double bottom) {
  EXPECT_DOUBLE_EQ(box.left, left);
  EXPECT_DOUBLE_EQ(box.top, top);
  EXPECT_DOUBLE_EQ(box.right, right);
  EXPECT_DOUBLE_EQ(box.bottom, bottom);
}

TEST(CropBox, KeepsAFractionOfEachSideOrASquare) {
  ExpectBox(CropBox(500, 375, {.crop = 0.875F}), 31.25, 23.4375, 468.75, 351.5625);
  ExpectBox(CropBox(500, 375, {.crop = 1}), 0, 0, 500, 375);
  ExpectBox(CropBox(500, 300, {.crop = 1, .shape = CropShape::kSquare}), 100, 0, 400, 300);
  ExpectBox(CropBox(300, 500, {.crop = 0.5F, .shape = CropShape::kSquare}), 75, 175, 225, 325);
}

TEST(CropBox, HasTheShapeOfTheInput) {
  const Preprocessing whole = {.crop = 1, .shape = CropShape::kSquare};
  ExpectBox(CropBox(640, 480, whole, 128, 96), 0, 0, 640, 480);
  ExpectBox(CropBox(640, 480, whole, 64, 32), 0, 80, 640, 400);
  ExpectBox(CropBox(640, 480, whole, 32, 64), 200, 0, 440, 480);
  ExpectBox(CropBox(640, 480, {.crop = 0.5F, .shape = CropShape::kSquare}, 32, 64), 260, 120, 380, 360);
  ExpectBox(CropBox(640, 480, {.crop = 1}, 32, 64), 0, 0, 640, 480);
  EXPECT_THAT(ErrorOf([&] { CropBox(10, 10, whole, 0, 3); }), HasSubstr("to 0 x 3 pixels"));
}

TEST(CropBox, RefusesCropsThatAreNoFraction) {
  for (const float crop : {0.0F, -0.5F, 1.5F, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(ErrorOf([&] { CropBox(10, 10, {.crop = crop}); }), HasSubstr("expected a fraction"));
    EXPECT_THAT(ErrorOf([&] { DecodeOptionsFor({.crop = crop}, 10, 10); }), HasSubstr("expected a fraction"));
  }
}

TEST(DecodeOptionsFor, EveryPixelForFiltersThatSeeSingleOnes) {
  for (const ResizeFilter filter :
       {ResizeFilter::kNearest, ResizeFilter::kBilinearUnaliased, ResizeFilter::kBox}) {
    EXPECT_EQ(DecodeOptionsFor({.filter = filter}, 224, 224).target_width, 0);
    EXPECT_EQ(DecodeOptionsFor({.filter = filter}, 224, 224).target_height, 0);
  }
  EXPECT_EQ(DecodeOptionsFor({.filter = ResizeFilter::kArea}, 224, 224).target_width, 512);
  EXPECT_EQ(DecodeOptionsFor({.filter = ResizeFilter::kBicubic}, 224, 224).target_width, 256);
}

TEST(DecodeOptionsFor, TheKeptPartAloneCoversTheInput) {
  DecodeOptions options = DecodeOptionsFor({.crop = 0.875F}, 224, 112);
  EXPECT_EQ(options.target_width, 256);
  EXPECT_EQ(options.target_height, 128);
  options = DecodeOptionsFor({.crop = 0.875F, .shape = CropShape::kSquare}, 112, 224);
  EXPECT_EQ(options.target_width, 256);
  EXPECT_EQ(options.target_height, 256);
  EXPECT_EQ(DecodeOptionsFor({.crop = 1e-30F}, 224, 224).target_width, 1 << 20);
}

TEST(Presets, HaveNames) {
  for (const char* name : {"tensorflow", "pytorch", "caffe", "unit", "raw"}) {
    EXPECT_EQ(PresetName(PreprocessingPreset(name)), name);
  }
  EXPECT_EQ(PresetName(Preprocessing{}), "tensorflow");
}

TEST(Presets, AreFoundByNormalisationAndOrderAlone) {
  Preprocessing preprocessing = PreprocessingPreset("pytorch");
  preprocessing.crop = 0.5F;
  preprocessing.filter = ResizeFilter::kBicubic;
  preprocessing.scale[0] *= 1 + 1e-6F;
  EXPECT_EQ(PresetName(preprocessing), "pytorch");
  preprocessing.order = ChannelOrder::kBgr;
  EXPECT_EQ(PresetName(preprocessing), "custom");
  preprocessing = PreprocessingPreset("unit");
  preprocessing.mean[2] = 1;
  EXPECT_EQ(PresetName(preprocessing), "custom");
}

TEST(Presets, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_EQ(ErrorOf([] { PreprocessingPreset("keras"); }),
            "unknown preprocessing \"keras\", expected one of tensorflow, pytorch, caffe, unit, raw");
}

}  // namespace
}  // namespace mobilenet
