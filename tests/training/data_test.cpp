// Which pictures are trained on, and how they are varied.
#include <algorithm>
#include <cmath>
#include <set>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/training.h"
#include "temporary_directory.h"
#include "training/augment.h"
#include "training/pictures.h"
#include "training/pictures_of_colours.h"
#include "training/trivial_augment.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class DataTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  const fs::path data_ = directory_.path() / "data";

  TrainingData Find(const fs::path& path, std::uint64_t seed = 1) {
    return TrainingData::Find(path, 0.25, seed);
  }
  std::string Wrong(const fs::path& path) {
    return Complaint([&] { Find(path); });
  }
  // A file that begins as a picture, and holds `text`.
  static void Write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << "BM" << text;
  }
};

TEST_F(DataTest, FoldersWithASplit) {
  for (const char* name : {"val", "valid", "Validation", "VAL", "dev"}) {
    fs::remove_all(data_);
    WriteColours(data_, 3, 2);
    if (std::string(name) != "val") fs::rename(data_ / "val", data_ / name);
    const TrainingData data = Find(data_);
    EXPECT_THAT(data.classes, testing::ElementsAre("blue", "green", "red"));
    EXPECT_EQ(data.training.size(), 9U);
    EXPECT_EQ(data.validation.size(), 6U);
    EXPECT_EQ(data.training.front().label, 0);
    EXPECT_EQ(data.training.back().label, 2);
    EXPECT_FALSE(data.drawn);
    EXPECT_THAT(data.roots, testing::ElementsAre(data_ / "train", data_ / name));
  }
}

TEST_F(DataTest, FoldersWithoutASplitAreSplitBySeed) {
  WriteColours(data_, 8, 0);
  const TrainingData data = Find(data_ / "train");
  EXPECT_EQ(data.training.size() + data.validation.size(), 24U);
  EXPECT_GT(data.validation.size(), 0U);
  EXPECT_TRUE(data.drawn);
  EXPECT_THAT(data.roots, testing::ElementsAre(data_ / "train"));
  std::set<fs::path> files;
  for (const auto* samples : {&data.training, &data.validation}) {
    for (const Sample& sample : *samples) files.insert(sample.file);
  }
  EXPECT_EQ(files.size(), 24U) << "each picture on one side";
  EXPECT_EQ(Find(data_ / "train").validation.front().file, data.validation.front().file);
  bool differs = false;
  for (std::uint64_t seed = 2; seed < 6; ++seed)
    differs = differs || Find(data_ / "train", seed).validation.front().file != data.validation.front().file;
  EXPECT_TRUE(differs);
}

TEST_F(DataTest, APictureStaysOnItsSideWhenOthersAreAdded) {
  WriteColours(data_, 40, 0);
  const auto held_out = [&] {
    std::set<fs::path> files;
    for (const Sample& sample : Find(data_ / "train").validation) files.insert(sample.file);
    return files;
  };
  const std::set<fs::path> before = held_out();
  EXPECT_EQ(before.size(), 32U) << "about a quarter of 120, the same on every machine";
  for (int i = 0; i < 9; ++i) {
    const fs::path name = std::to_string(i) + ".bmp";
    WriteColour(data_ / "train" / "red" / ("new" + name.string()), {150, 90, 90}, 1000 + i);
    fs::create_directories(data_ / "train" / "amber");  // sorts before the others
    fs::copy_file(data_ / "train" / "red" / name, data_ / "train" / "amber" / ("copy of " + name.string()));
  }
  const std::set<fs::path> after = held_out();
  EXPECT_TRUE(std::ranges::includes(after, before));
  for (const Sample& sample : Find(data_ / "train").training) EXPECT_FALSE(before.contains(sample.file));
  for (int i = 0; i < 9; ++i) {
    const std::string name = std::to_string(i) + ".bmp";
    EXPECT_EQ(after.contains(data_ / "train" / "amber" / ("copy of " + name)),
              before.contains(data_ / "train" / "red" / name))
        << "copies are on one side";
  }
}

// Of small classes, too, none that was trained on is held out later, whatever is added.
TEST_F(DataTest, InSmallClassesNoPictureIsHeldOutLaterEither) {
  const fs::path folder = directory_.path() / "photos";
  fs::create_directories(folder);
  const auto list = [&](int classes, int pictures) {
    std::ofstream file(folder / "list.tsv");
    for (int c = 0; c < classes; ++c) {
      for (int i = 0; i < pictures; ++i) {
        const std::string name = std::to_string(c) + "-" + std::to_string(i) + ".jpg";
        Write(folder / name, name);
        file << name << "\tclass" << c << "\n";
      }
    }
    file.close();
    std::set<fs::path> held_out;
    for (const Sample& sample : TrainingData::Find(folder / "list.tsv", 0.2, 3).validation)
      held_out.insert(sample.file);
    return held_out;
  };
  constexpr int kClasses = 40;
  std::set<fs::path> before = list(kClasses, 4);
  EXPECT_THAT(before.size(), testing::AllOf(testing::Ge(40U), testing::Lt(65U)))
      << "a fifth of 160, and one of each";
  for (int pictures = 5; pictures <= 9; ++pictures) {
    const std::set<fs::path> after = list(kClasses, pictures);
    // One that was held out for want of another may be trained on once there is another.
    const auto class_of = [](const fs::path& file) {
      return file.stem().string().substr(0, file.stem().string().find('-'));
    };
    for (const fs::path& file : before) {
      const auto beside = [&](const fs::path& other) { return class_of(other) == class_of(file); };
      EXPECT_TRUE(after.contains(file) || std::ranges::count_if(before, beside) == 1) << file;
    }
    for (const fs::path& file : after) {
      const bool old = file.stem().string().back() - '0' < pictures - 1;
      EXPECT_TRUE(!old || before.contains(file)) << file;
    }
    before = after;
  }
}

TEST_F(DataTest, AClassOrASplitWithoutPicturesIsRefused) {
  const fs::path folder = directory_.path() / "photos";
  fs::create_directories(folder);
  std::ofstream(folder / "list.tsv") << "a.jpg\tx\nb.jpg\ty\n";
  for (const char* name : {"a.jpg", "b.jpg"}) Write(folder / name, name);
  const auto wrong = [&] { return Complaint([&] { TrainingData::Find(folder / "list.tsv", 0.2, 1); }); };
  EXPECT_THAT(wrong(), HasSubstr("the class \"x\" has one picture, expected two at least"));
  Write(folder / "c.jpg", "a.jpg");
  std::ofstream(folder / "list.tsv", std::ios::app) << "c.jpg\tx\n";
  EXPECT_THAT(wrong(), HasSubstr("the class \"x\" has 2 copies of one picture"));
}

TEST_F(DataTest, EachClassHasPicturesOnBothSides) {
  const fs::path folder = directory_.path() / "photos";
  fs::create_directories(folder);
  for (const int pictures : {2, 3, 5}) {
    std::ofstream list(folder / "list.tsv");
    for (int i = 0; i < 3 * pictures; ++i) {
      const std::string name = std::to_string(i) + ".jpg";
      Write(folder / name, name);
      list << name << "\tclass" << i % 3 << "\n";
    }
    list.close();
    for (const double share : {0.001, 0.2, 0.999}) {
      const TrainingData data = TrainingData::Find(folder / "list.tsv", share, 1);
      for (const std::vector<Sample>* side : {&data.training, &data.validation}) {
        std::set<std::uint32_t> classes;
        for (const Sample& sample : *side) classes.insert(sample.label);
        EXPECT_EQ(classes.size(), 3U) << pictures << " pictures, " << share;
      }
    }
  }
}

TEST_F(DataTest, Lists) {
  WriteColours(data_, 4, 1);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    Write(directory_.path() / (std::string(name) + ".jpg"), name);
    Write(directory_.path() / "photos" / (std::string(name) + ".jpg"), name);
  }
  const auto list = [&](const std::string& text) {
    std::ofstream(directory_.path() / "list.tsv") << text;
    return directory_.path() / "list.tsv";
  };
  const TrainingData data =
      Find(list("file\tclass\tsplit\n"
                "data/train/red/0.bmp\tr\ttrain\n"
                "data/train/red/1.bmp\tr\tval\r\n"
                "data/train/blue/0.bmp\tb\ttrain\n"
                "data/val/blue/4.bmp\tb\tval\n"));
  EXPECT_THAT(data.classes, testing::ElementsAre("b", "r"));
  ASSERT_EQ(data.validation.size(), 2U);
  EXPECT_TRUE(fs::exists(data.validation[1].file));
  const auto drawn_list = [&](const std::string& before) {
    std::ofstream(directory_.path() / "photos" / "list.tsv")
        << before << "a.jpg\tx\nb.jpg\tx\nc.jpg\ty\nd.jpg\ty\ne.jpg\tx\nf.jpg\ty\n";
    return directory_.path() / "photos" / "list.tsv";
  };
  const TrainingData drawn = Find(drawn_list(""));
  EXPECT_EQ(drawn.training.size() + drawn.validation.size(), 6U);
  EXPECT_TRUE(drawn.drawn);
  EXPECT_THAT(Wrong(list("a.jpg\n")), HasSubstr("line 1 is \"a.jpg\", expected a file, a tab and a class"));
  EXPECT_THAT(Wrong(list("a.jpg\tx\tlater\n")),
              HasSubstr("line 1 is for \"later\", expected \"train\", \"val\" or \"test\""));
  EXPECT_THAT(Wrong(list("a.jpg\tx\tval\nb.jpg\tx\n")), HasSubstr("1 of its 2 lines say"));
  EXPECT_EQ(Find(drawn_list("\xEF\xBB\xBF"
                            "file\tclass\n"))
                .training.size(),
            drawn.training.size())
      << "a byte order mark";
  EXPECT_EQ(Find(list("a.jpg\tx\ttrain\na.jpg\tx\ttrain\nb.jpg\tx\tval\nc.jpg\ty\ttrain\nd.jpg\ty\tval\n"))
                .training.size(),
            2U)
      << "each once";
  EXPECT_THAT(Wrong(list("a.jpg\tx\ttrain\nb.jpg\ty\ttrain\na.jpg\tx\tval\n")),
              HasSubstr("line 3 lists \"a.jpg\" again"));
  fs::create_symlink("a.jpg", directory_.path() / "link.jpg");
  const std::string whole = (directory_.path() / "a.jpg").string();
  for (const std::string& name :
       {std::string("./a.jpg"), std::string("b/../a.jpg"), std::string("link.jpg"), whole})
    EXPECT_THAT(Wrong(list("a.jpg\tx\ttrain\nb.jpg\ty\ttrain\n" + name + "\tx\tval\n")),
                HasSubstr("line 3 lists \"" + name + "\" again, expected no picture to be on both sides"));
  EXPECT_THAT(Wrong(list("a.jpg\tx\ttrain\nb.jpg\ty\ttrain\na.jpg\ty\ttrain\n")),
              HasSubstr("line 3 lists \"a.jpg\" again, as \"y\", expected \"x\" as in line 1"));
  EXPECT_THAT(Wrong(list("a.jpg\tx\ttrain\nb.jpg\ty\ttrain\nc.jpg\tx\tval\n")),
              HasSubstr("list.tsv (the lines for val): has no pictures of the class \"y\", which "));
  EXPECT_THAT(Wrong(list("x/a.jpg\tx\nb/b.jpg\ty\n")),
              HasSubstr("list.tsv: none of its pictures is there, expected \"x/a.jpg\" at "));
  EXPECT_THAT(Wrong(data_ / "train" / "red" / "0.bmp"), HasSubstr("its line 1 has a zero byte"));
  EXPECT_THAT(Wrong(list("\n")), HasSubstr("has no pictures"));
  EXPECT_THAT(Wrong(list("a.jpg\tx\ttrain\nb.jpg\tx\tval\n")), HasSubstr("has 1 class, expected"));
}

TEST_F(DataTest, EmptyAndMissingClassesAreRefused) {
  EXPECT_THAT(Wrong(data_), HasSubstr("there is no such folder or list"));
  WriteColours(data_, 3, 1);
  fs::create_directories(data_ / "train" / "yellow");
  EXPECT_THAT(Wrong(data_), HasSubstr("yellow: has no pictures"));
  WriteColour(data_ / "train" / "yellow" / "1.bmp", {200, 200, 0}, 1);
  EXPECT_THAT(Wrong(data_), HasSubstr("val: has no pictures of the class \"yellow\""));
  WriteColour(data_ / "val" / "yellow" / "1.bmp", {200, 200, 0}, 1);
  EXPECT_EQ(Find(data_).classes.size(), 4U);
  WriteColour(data_ / "val" / "pink" / "1.bmp", {200, 100, 100}, 1);
  EXPECT_THAT(Wrong(data_), HasSubstr("train: has no pictures of the class \"pink\""));
}

TEST_F(DataTest, PicturesBeyondTheBudgetAreReadAgain) {
  WriteColours(data_, 2, 1);
  const TrainingData data = Find(data_);
  ThreadPool pool(2);
  const KeptForm form = {.whole = true, .side = 16, .preprocessing = {}, .width = 32, .height = 32};
  std::ofstream(data.training[3].file) << "no picture";
  std::vector<std::string> warnings;
  const Pictures::Reading reading = {.progress = [](std::size_t) {},
                                     .warning = [&](const std::string& text) { warnings.push_back(text); }};
  const Pictures all(data.training, form, 1 << 20, pool, reading);
  const Pictures some(data.training, form, 3 * 16 * 16 * 3, pool, reading);
  EXPECT_THAT(warnings, testing::Each(HasSubstr(data.training[3].file.string())));
  ASSERT_EQ(all.samples().size(), 5U);
  EXPECT_EQ(all.bytes(), 5U * 16 * 16 * 3);
  EXPECT_EQ(some.bytes(), 3U * 16 * 16 * 3);
  for (std::size_t i = 0; i < 5; ++i) {
    Image a, b;
    EXPECT_EQ(all.Get(i, a).pixels, some.Get(i, b).pixels) << i;
  }
}

TEST_F(DataTest, PicturesForFiltersThatSeeSinglePixelsAreKeptAsTheyAre) {
  WriteColours(data_, 2, 1);
  ThreadPool pool(2);
  const Pictures::Reading reading = {.progress = [](std::size_t) {}, .warning = [](const std::string&) {}};
  KeptForm form = {.whole = true, .side = 16, .preprocessing = {}, .width = 32, .height = 32};
  form.preprocessing.filter = ResizeFilter::kNearest;
  const Pictures kept(Find(data_).training, form, 1 << 20, pool, reading);
  Image buffer;
  EXPECT_GT(kept.Get(0, buffer).width, 16);
}

// A picture whose pixels tell where they come from.
Image Map(int side) {
  Image image{.width = side, .height = side, .channels = 3, .pixels = {}};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      for (const int value : {x, y, 200}) image.pixels.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return image;
}

TEST(AugmentTest, PaddedCropsShiftByUpToAnEighth) {
  AugmentOptions options;
  options.crop = AugmentOptions::Crop::kPadded;
  options.flip = false;
  std::set<std::pair<int, int>> shifts;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    const Image moved = Augment(Map(16), options, 16, 16, random);
    const std::uint8_t* centre = moved.pixels.data() + (8 * 16 + 8) * 3;
    shifts.insert({centre[0] - 8, centre[1] - 8});
    for (std::size_t i = 0; i < moved.pixels.size(); i += 3) {
      const int x = static_cast<int>(i / 3 % 16) + centre[0] - 8;
      const int y = static_cast<int>(i / 48) + centre[1] - 8;
      const bool inside = x >= 0 && y >= 0 && x < 16 && y < 16;
      ASSERT_EQ(moved.pixels[i], inside ? x : 128);
      ASSERT_EQ(moved.pixels[i + 1], inside ? y : 128);
    }
  }
  EXPECT_EQ(shifts.size(), 25U);  // from -2 to 2, both ways
}

TEST(AugmentTest, FlipsEverySecondTimeAndOnlyAcross) {
  AugmentOptions options;
  options.crop = AugmentOptions::Crop::kNone;
  int flipped = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Random random(seed);
    const Image image = Augment(Map(8), options, 8, 8, random);
    EXPECT_EQ(image.pixels[1], 0);
    flipped += image.pixels[0] == 7 ? 1 : 0;
  }
  EXPECT_NEAR(flipped, 500, 60);
}

TEST(AugmentTest, ResizedCropsHaveTheNetworksSizeAndStayInside) {
  AugmentOptions options;
  options.crop = AugmentOptions::Crop::kResized;
  options.flip = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const Image image = Augment(Map(60), options, 24, 20, random);
    ASSERT_EQ(image.width, 24);
    ASSERT_EQ(image.height, 20);
    const auto at = [&](int x, int y, int c) {
      return image.pixels[(static_cast<std::size_t>(y) * 24 + x) * 3 + c];
    };
    EXPECT_GT(at(23, 0, 0), at(0, 0, 0) + 20) << "a third of the width at least";
    EXPECT_GT(at(0, 19, 1), at(0, 0, 1) + 20);
    EXPECT_EQ(at(12, 10, 2), 200);
  }
}

// What is trained on is seen as what is classified later: no filter but the model's, on no smaller picture.
TEST(AugmentTest, CropsAreResizedByTheFilter) {
  AugmentOptions options;
  options.crop = AugmentOptions::Crop::kResized;
  options.flip = false;
  Image stripes = Map(64);
  for (std::size_t i = 0; i < stripes.pixels.size(); ++i) stripes.pixels[i] = i / 3 % 2 == 0 ? 0 : 255;
  Random random(1);
  const Image single = Augment(stripes, options, 16, 16, random, ResizeFilter::kNearest);
  EXPECT_THAT(single.pixels, testing::Each(testing::AnyOf(0, 255)));
  const Image mixed = Augment(stripes, options, 16, 16, random);
  EXPECT_THAT(mixed.pixels, testing::Contains(testing::AllOf(testing::Gt(60), testing::Lt(200))));
}

// No part of a picture of one row, or of one column, fits: each try draws a share, and a ratio of the sides.
TEST(AugmentTest, AfterTenTriesTheLargestPartInTheMiddleIsTaken) {
  AugmentOptions options;
  options.crop = AugmentOptions::Crop::kResized;
  options.smallest = 1;
  Image row = {61, 1, 1, {}};
  for (int x = 0; x < 61; ++x) row.pixels.push_back(static_cast<std::uint8_t>(4 * x));
  Image column = row;
  std::swap(column.width, column.height);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    Random same(seed);
    for (int i = 0; i < 20; ++i) same.Uniform();
    const bool flipped = same.Below(2) == 1;
    const Image image = Augment(row, options, 4, 4, random);
    EXPECT_EQ(image.pixels[0] > image.pixels[3], flipped);
    EXPECT_NEAR(image.pixels[0], 120, 4);
    EXPECT_NEAR(image.pixels[3], 120, 4);
    EXPECT_THAT(Augment(column, options, 4, 4, random).pixels,
                testing::Each(testing::AllOf(testing::Ge(116), testing::Le(124))));
  }
}

TEST(AugmentTest, ErasesASquareAndJittersColours) {
  AugmentOptions options;
  options.crop = AugmentOptions::Crop::kNone;
  options.flip = false;
  options.erase = 0.25;
  std::size_t most = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const Image image = Augment(Map(32), options, 32, 32, random);
    std::size_t erased = 0;
    for (std::size_t i = 2; i < image.pixels.size(); i += 3) erased += image.pixels[i] == 128 ? 1 : 0;
    most = std::max(most, erased);
    EXPECT_LE(erased, 64U);
  }
  EXPECT_EQ(most, 64U);
  options.erase = 0;
  options.jitter = 0.5;
  Random first(3), second(3), other(4);
  const Image image = Augment(Map(8), options, 8, 8, first);
  EXPECT_EQ(image.pixels, Augment(Map(8), options, 8, 8, second).pixels) << "the same seed, the same picture";
  EXPECT_NE(image.pixels, Augment(Map(8), options, 8, 8, other).pixels);
}

// Two greys tell by their mean and their distance what became of brightness and contrast; a colour of that
// mean's luma, what became of the saturation.
TEST(AugmentTest, JitterScalesBrightnessContrastAndSaturationIndependently) {
  AugmentOptions options;
  options.crop = AugmentOptions::Crop::kNone;
  options.flip = false;
  options.jitter = 0.3;
  const Image picture = {3, 1, 3, {70, 70, 70, 110, 110, 110, 120, 77, 78}};
  std::array<double, 3> least = {9, 9, 9};
  std::array<double, 3> most = {};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const std::vector<std::uint8_t> pixels = Augment(picture, options, 3, 1, random).pixels;
    const double brightness = (pixels[0] + pixels[3]) / 180.0;
    const double contrast = (pixels[3] - pixels[0]) / (40 * brightness);
    const double saturation = (pixels[6] - pixels[7]) / (43 * brightness * contrast);
    const std::array<double, 3> factors = {brightness, contrast, saturation};
    for (std::size_t i = 0; i < 3; ++i) {
      least[i] = std::min(least[i], factors[i]);
      most[i] = std::max(most[i], factors[i]);
    }
  }
  EXPECT_THAT(least, testing::Each(testing::DoubleNear(0.7, 0.07)));
  EXPECT_THAT(most, testing::Each(testing::DoubleNear(1.3, 0.07)));
}

TEST(TrivialAugmentTest, ChangesWhereThingsAre) {
  const Image image = Map(12);
  for (int change = 0; change <= static_cast<int>(Change::kSharpness); ++change) {
    Image same = image;
    Apply(static_cast<Change>(change), 0, same);
    EXPECT_EQ(same.pixels, image.pixels) << change << ": of no strength";
  }
  const auto at = [](const Image& of, int x, int y) {
    return of.pixels[static_cast<std::size_t>(y * 12 + x) * 3];
  };
  Image shifted = image;
  Apply(Change::kShiftX, -0.5, shifted);  // by a sixth
  for (int y = 0; y < 12; ++y) {
    EXPECT_EQ(at(shifted, 0, y), 128);
    EXPECT_EQ(at(shifted, 1, y), 128);
    for (int x = 2; x < 12; ++x) EXPECT_EQ(at(shifted, x, y), at(image, x - 2, y));
  }
  Image there_and_back = image;
  for (const double strength : {1.0, -1.0}) Apply(Change::kRotate, strength, there_and_back);
  EXPECT_NEAR(at(there_and_back, 7, 6), at(image, 7, 6), 1) << "a turn and its opposite";
  Image sheared = image;
  Apply(Change::kShearY, 1, sheared);
  EXPECT_NE(sheared.pixels, image.pixels);
}

// Bilinear interpolation leaves a plane a plane.
TEST(TrivialAugmentTest, TurnsAPlaneIntoAPlane) {
  constexpr int kSide = 24;
  Image image{.width = kSide, .height = kSide, .channels = 1, .pixels = {}};
  for (int i = 0; i < kSide * kSide; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>(6 * (i % kSide) + 4 * (i / kSide)));
  Apply(Change::kRotate, 1, image);  // by 30 degrees
  const double centre = (kSide - 1) / 2.0;
  int inside = 0;
  for (int i = 0; i < kSide * kSide; ++i) {
    const double x = i % kSide - centre;
    const double y = i / kSide - centre;
    const double from_x = centre + std::sqrt(0.75) * x - 0.5 * y;
    const double from_y = centre + 0.5 * x + std::sqrt(0.75) * y;
    if (std::min(from_x, from_y) < 0 || std::max(from_x, from_y) > kSide - 1) continue;
    ++inside;
    EXPECT_NEAR(image.pixels[static_cast<std::size_t>(i)], 6 * from_x + 4 * from_y, 0.6);
  }
  EXPECT_GT(inside, 400);
}

TEST(TrivialAugmentTest, ChangesHowThingsLook) {
  const auto looks = [](Change change, double strength, std::vector<std::uint8_t> pixels) {
    Image image;
    image.width = static_cast<int>(pixels.size() / 3);
    image.height = 1;
    image.channels = 3;
    image.pixels = std::move(pixels);
    Apply(change, strength, image);
    return std::vector<int>(image.pixels.begin(), image.pixels.end());
  };
  using testing::ElementsAre;
  EXPECT_THAT(looks(Change::kBrightness, 0.5, {10, 100, 200}), ElementsAre(15, 145, 255));
  EXPECT_THAT(looks(Change::kBrightness, -0.5, {10, 100, 200}), ElementsAre(6, 55, 110));
  EXPECT_THAT(looks(Change::kContrast, -0.5, {100, 100, 100, 200, 200, 200}),
              ElementsAre(123, 123, 123, 178, 178, 178));
  EXPECT_THAT(looks(Change::kColour, -0.5, {100, 100, 100, 255, 0, 0}),
              ElementsAre(100, 100, 100, 175, 34, 34));
  EXPECT_THAT(looks(Change::kPosterize, 1, {15, 16, 255}), ElementsAre(0, 16, 240));
  EXPECT_THAT(looks(Change::kPosterize, -0.25, {15, 16, 255}), ElementsAre(14, 16, 254));
  EXPECT_THAT(looks(Change::kSolarize, 0.5, {127, 128, 255}), ElementsAre(127, 127, 0));
  EXPECT_THAT(looks(Change::kAutoContrast, 0, {50, 7, 0, 100, 7, 255}), ElementsAre(0, 7, 0, 255, 7, 255));
  EXPECT_THAT(looks(Change::kEqualize, 0, {10, 5, 0, 11, 5, 1, 12, 5, 1, 13, 5, 2}),
              ElementsAre(0, 5, 0, 85, 5, 85, 170, 5, 85, 255, 5, 255));
  Image spot;
  spot.width = spot.height = 3;
  spot.channels = 1;
  spot.pixels = {0, 0, 0, 0, 130, 0, 0, 0, 0};
  Apply(Change::kSharpness, -1, spot);  // 50 where it is smooth, and a tenth of the rest
  EXPECT_EQ(spot.pixels[4], 58);
  EXPECT_EQ(spot.pixels[1], 0) << "the edge stays";
}

TEST(TrivialAugmentTest, EveryChangeComesUp) {
  std::set<std::string> seen;
  AugmentOptions options;
  options.crop = AugmentOptions::Crop::kNone;
  options.flip = false;
  options.trivial = true;
  int same = 0;
  for (std::uint64_t seed = 0; seed < 700; ++seed) {
    Random random(seed, 1);
    Image varied = Augment(Map(16), options, 16, 16, random);
    same += varied.pixels == Map(16).pixels ? 1 : 0;
    seen.emplace(varied.pixels.begin(), varied.pixels.end());
  }
  EXPECT_GT(same, 25) << "one in fourteen, and more where a change does nothing to this picture";
  EXPECT_LT(same, 200);
  EXPECT_GT(seen.size(), 350U);
}

TEST(AugmentTest, BetaHasItsMeanAndVariance) {
  for (const double a : {0.2, 1.0}) {
    Random random(1);
    double sum = 0, squares = 0;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      const double x = Beta(a, random);
      sum += x;
      squares += x * x;
    }
    EXPECT_NEAR(sum / kDraws, 0.5, 0.01);
    EXPECT_NEAR(squares / kDraws - 0.25, 1 / (4 * (2 * a + 1)), 0.01);
  }
  Random random(1);
  for (int i = 0; i < 100; ++i) {  // powers that come to 0 are drawn again
    const double x = Beta(1e-3, random);
    EXPECT_TRUE(x >= 0 && x <= 1);
  }
}

}  // namespace
}  // namespace mobilenet
