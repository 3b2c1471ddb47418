// What is told of pictures before a network is trained on them.
#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>

#include "base/random.h"
#include "gmock/gmock.h"
#include "mobilenet/training.h"
#include "temporary_directory.h"
#include "training/likeness.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

// A smooth scene: a few waves, which `seed` draws.
Image Scene(std::uint64_t seed, int width, int height) {
  Image image{.width = width, .height = height, .channels = 3, .pixels = {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      Random random(seed);
      double value = 128;
      for (int wave = 0; wave < 6; ++wave) {
        const double across = random.Uniform(-12, 12) * x / width;
        const double down = random.Uniform(-12, 12) * y / height;
        value += 20 * std::sin(across + down + random.Uniform(0, 6.3));
      }
      for (int c = 0; c < 3; ++c)
        image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 0., 255.)));
    }
  }
  return image;
}

TEST(LikenessTest, TheSameSceneAtAnotherSizeAndBrightnessIsAlikeAndOthersAreNot) {
  std::vector<Likeness> scenes;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Image scene = Scene(seed, 60, 48);
    scenes.push_back(LikenessOf(scene));
    Image brighter = scene;
    Random random(seed, 1);
    for (std::uint8_t& value : brighter.pixels)
      value = static_cast<std::uint8_t>(std::clamp(value + 12 + 3 * random.Normal(), 0.F, 255.F));
    EXPECT_TRUE(Alike(scenes.back(), LikenessOf(brighter))) << seed;
    EXPECT_TRUE(Alike(scenes.back(), LikenessOf(Scene(seed, 90, 72)))) << seed;
    EXPECT_FALSE(Alike(scenes.back(), Likeness{}));
  }
  for (std::size_t i = 0; i < scenes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(Alike(scenes[i], scenes[j])) << i << " " << j;
  }
}

// By the luma of ITU-R BT.601: 0.299, 0.587 and 0.114 of the colours.
TEST(LikenessTest, GreyIsTheLuma) {
  Image image{.width = 32, .height = 32, .channels = 3, .pixels = {}};
  for (int i = 0; i < 32 * 32; ++i) image.pixels.insert(image.pixels.end(), {200, 100, 50});
  EXPECT_THAT(LikenessOf(image).grey, testing::Each(124));
}

// Against all pairs, of hashes that are drawn so that many are near.
TEST(LikenessTest, NoPairIsMissed) {
  std::vector<Likeness> pictures;
  Random random(3);
  const Likeness scene = LikenessOf(Scene(1, 32, 32));
  for (int i = 0; i < 600; ++i) {
    Likeness likeness = scene;
    if (i % 20 == 0) likeness.hash = random.Bits();
    if (i % 20 != 0) likeness.hash = pictures[static_cast<std::size_t>(i / 20 * 20)].hash;
    for (int flips = random.Below(5); flips > 0; --flips)
      likeness.hash ^= std::uint64_t{1} << random.Below(64);
    likeness.known = i % 7 != 0;
    pictures.push_back(likeness);
  }
  const auto counts = [](std::size_t i, std::size_t before) { return (i + before) % 3 != 0; };
  ThreadPool pool(2);
  const std::vector<std::size_t> first = FirstAlike(pictures, pool, counts);
  int alike = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    std::size_t expected = i;
    for (std::size_t j = i; j-- > 0;) {
      if (counts(i, j) && Alike(pictures[i], pictures[j])) expected = j;
    }
    EXPECT_EQ(first[i], expected);
    alike += expected != i ? 1 : 0;
  }
  EXPECT_GT(alike, 300);
  EXPECT_LT(alike, 580);
}

class ExamineTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  const fs::path data_ = directory_.path() / "data";

  [[nodiscard]] std::vector<std::string> Told(const TrainingOptions& options = {}) const {
    return Examine(TrainingData::Find(data_, 0.2, 1), options);
  }
};

TEST_F(ExamineTest, FewPicturesAndUnequalClassesAreToldOf) {
  WriteColours(data_, 12, 2, 8);
  EXPECT_THAT(
      Told(),
      ElementsAre(HasSubstr("36 pictures, about 12 of each class, are few to train on from nothing")));
  TrainingOptions options;
  options.from = Model();
  EXPECT_THAT(Told(options), IsEmpty());
  for (int i = 0; i < 120; ++i)
    WriteColour(data_ / "train" / "red" / ("more" + std::to_string(i) + ".bmp"), {90, 90, 90}, 500 + i, 8);
  for (int i = 0; i < 4; ++i) fs::remove(data_ / "train" / "blue" / (std::to_string(i) + ".bmp"));
  EXPECT_THAT(Told(options),
              ElementsAre(HasSubstr("one class has fewer than 10 pictures to train on, which is too "
                                    "few to learn from: blue (8)"),
                          HasSubstr("the largest has 132: green (12)")));
}

// They are looked at 64 at a time.
TEST_F(ExamineTest, ItsProgressEndsWhereThePicturesDo) {
  WriteColours(data_, 18, 3, 8);
  WriteColour(data_ / "train" / "red" / "more.bmp", {150, 90, 90}, 500, 8);
  std::vector<std::size_t> done;
  TrainingObserver observer;
  observer.preparing = [&](const std::string&, std::size_t pictures, std::size_t of) {
    done.push_back(pictures);
    EXPECT_EQ(of, 64U);
  };
  Examine(TrainingData::Find(data_, 0.2, 1), {}, observer);
  EXPECT_THAT(done, ElementsAre(64));
}

TEST_F(ExamineTest, PicturesThatAreThereTwiceAreToldOf) {
  WriteColours(data_, 12, 3);
  TrainingOptions options;
  options.from = Model();
  options.threads = 2;
  EXPECT_THAT(Told(options), IsEmpty());
  fs::copy_file(data_ / "train" / "red" / "3.bmp", data_ / "val" / "red" / "copy.bmp");
  std::ofstream(data_ / "val" / "red" / "broken.jpg") << "";
  EXPECT_THAT(Told(options),
              ElementsAre(testing::AllOf(
                  HasSubstr("1 of the 11 pictures to validate with is the same, or nearly, as one to "
                            "train on, so that the accuracy will look better than it is"),
                  HasSubstr("val/red/copy.bmp and "), HasSubstr("train/red/3.bmp"))));
  options.max_pixels = 3;
  EXPECT_THAT(Told(options), IsEmpty()) << "what is too large is not trained on";
  options.max_pixels = kMaxPixels;
  fs::rename(data_ / "val" / "red" / "copy.bmp", data_ / "train" / "blue" / "copy.bmp");
  EXPECT_THAT(Told(options), ElementsAre(testing::AllOf(
                                 HasSubstr("1 picture is the same, or nearly, as one of another class"),
                                 HasSubstr("train/red/3.bmp"), HasSubstr("train/blue/copy.bmp"))));
  fs::copy(data_ / "val", data_ / "test", fs::copy_options::recursive);
  fs::remove(data_ / "train" / "blue" / "copy.bmp");
  EXPECT_THAT(Told(options), IsEmpty()) << "what is validated with may be tested with";
  fs::copy_file(data_ / "train" / "red" / "3.bmp", data_ / "test" / "red" / "copy.bmp");
  EXPECT_THAT(Told(options), ElementsAre(HasSubstr("1 of the 11 pictures to test with is the same")));
  bool asked = false;
  TrainingObserver observer;
  observer.stop = [&] { return asked = true; };
  EXPECT_THAT(Examine(TrainingData::Find(data_, 0.2, 1), options, observer), IsEmpty());
  EXPECT_TRUE(asked);
}

}  // namespace
}  // namespace mobilenet
