// Sets of pictures as people have them, broken in the usual ways.
#include <algorithm>
#include <fstream>
#include <map>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/training.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class SetsTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  const fs::path data_ = directory_.path() / "data";

  // Files that begin as pictures, each with something else in it: PATH/CLASS/0.jpg, ...
  void Classes(const fs::path& path, const std::vector<std::string>& classes, int pictures) {
    for (const std::string& name : classes) {
      for (int i = 0; i < pictures; ++i) Picture(path / name / (std::to_string(i) + ".jpg"));
    }
  }
  void Picture(const fs::path& path) { Text(path, "BM" + std::to_string(++written_)); }
  static void Text(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  fs::path List(const std::string& text, const std::string& name = "list.csv") {
    Text(directory_.path() / name, text);
    return directory_.path() / name;
  }

  [[nodiscard]] TrainingData Find(const FindOptions& options = {}) const { return Find(data_, options); }
  static TrainingData Find(const fs::path& path, const FindOptions& options = {}) {
    return TrainingData::Find(path, 0.25, 1, options);
  }
  [[nodiscard]] std::string Wrong(const FindOptions& options = {}) const { return Wrong(data_, options); }
  static std::string Wrong(const fs::path& path, const FindOptions& options = {}) {
    return Complaint([&] { Find(path, options); });
  }

 private:
  int written_ = 0;
};

TEST_F(SetsTest, ThreePartsByAnyUsualName) {
  const std::vector<std::array<const char*, 3>> layouts = {
      {"train", "valid", "test"}, {"Training", "Validation", "Testing"}, {"TRAIN", "dev", "Test"}};
  for (const auto& names : layouts) {
    fs::remove_all(data_);
    for (int part = 0; part < 3; ++part) Classes(data_ / names.at(part), {"a", "b"}, 5 - part);
    const TrainingData data = Find();
    EXPECT_EQ(data.training.size(), 10U);
    EXPECT_EQ(data.validation.size(), 8U);
    EXPECT_EQ(data.test.size(), 6U);
    EXPECT_FALSE(data.drawn);
    EXPECT_THAT(data.notes, IsEmpty());
    EXPECT_EQ(data.summary, data_.string() + ": 2 classes, 10 pictures to train on (" + names[0] +
                                "/), 8 to validate with (" + names[1] +
                                "/), 6 to test with once, in the end (" + names[2] + "/)");
    EXPECT_THAT(Wrong({.validate_with_test = true}),
                HasSubstr("is there to validate with, expected no such"));
  }
  Classes(data_ / "val", {"a", "b"}, 2);
  EXPECT_THAT(Wrong(), HasSubstr("val: is for the same as " + (data_ / "dev").string()));
}

TEST_F(SetsTest, WhatIsToTestWithIsNotValidatedWith) {
  Classes(data_ / "train", {"a", "b"}, 20);
  Classes(data_ / "test", {"a", "b"}, 5);
  const TrainingData data = Find();
  EXPECT_TRUE(data.drawn);
  EXPECT_EQ(data.training.size() + data.validation.size(), 40U);
  EXPECT_EQ(data.test.size(), 10U);
  EXPECT_THAT(data.summary, HasSubstr("to validate with (drawn from train/), 10 to test with once"));
  const TrainingData asked = Find({.validate_with_test = true});
  EXPECT_FALSE(asked.drawn);
  EXPECT_EQ(asked.training.size(), 40U);
  EXPECT_EQ(asked.validation.size(), 10U);
  EXPECT_THAT(asked.test, IsEmpty());
  Picture(data_ / "test" / "c" / "0.jpg");
  EXPECT_THAT(Wrong(), HasSubstr("train: has no pictures of the class \"c\", which "));
  fs::remove_all(data_ / "test");
  Picture(data_ / "test" / "0.jpg");
  EXPECT_THAT(Find().notes,
              ElementsAre(HasSubstr("test: has no folders of classes, and is not tested with")));
  EXPECT_THAT(Wrong({.validate_with_test = true}), HasSubstr("there are no pictures to test with"));
}

TEST_F(SetsTest, TrainAloneIsDrawnFromAndFoldersOfFoldersAreEntered) {
  Classes(data_ / "data" / "train" / "train", {"a", "b"}, 20);
  const TrainingData data = Find();
  EXPECT_TRUE(data.drawn);
  EXPECT_EQ(data.training.size() + data.validation.size(), 40U);
  EXPECT_THAT(data.roots, ElementsAre(data_ / "data" / "train" / "train"));
  EXPECT_EQ(data.notes.size(), 3U);
  EXPECT_THAT(data.notes, Contains(HasSubstr("data: holds one folder alone, " + (data_ / "data").string())));
  Classes(data_ / "data" / "val" / "val", {"a", "b"}, 2);
  const TrainingData parts = Find();
  EXPECT_EQ(parts.validation.size(), 4U);
  EXPECT_THAT(parts.summary,
              HasSubstr("40 pictures to train on (train/train/), 4 to validate with (val/val/)"));
}

TEST_F(SetsTest, FoldersNamedAsPartsThatAreNone) {
  Classes(data_, {"train", "car"}, 20);
  EXPECT_THAT(Find().classes, ElementsAre("car", "train"));
  EXPECT_THAT(Find().notes, ElementsAre(HasSubstr("train: is taken for a class of that name")));
  fs::rename(data_ / "car", data_ / "test");
  EXPECT_THAT(Wrong(),
              HasSubstr("data: has test, train, and no folder train with a folder of pictures for each"));
  fs::remove_all(data_);
  Classes(data_ / "train", {"steam", "diesel"}, 3);
  Classes(data_, {"car"}, 3);
  EXPECT_THAT(Wrong(),
              HasSubstr("data: has a folder train beside others (car), expected one to validate or test"));
  Classes(data_ / "val", {"steam", "diesel"}, 3);
  EXPECT_THAT(Find().notes, ElementsAre(HasSubstr("of its folders car is left out, beside train")));
}

TEST_F(SetsTest, WhatSystemsLeaveIsNamedAndLeftOut) {
  Classes(data_, {"a", "b"}, 10);
  for (const char* name : {"__MACOSX/a/._0.jpg", "@eaDir/x.jpg", "$RECYCLE.BIN/y.jpg",
                           ".ipynb_checkpoints/z.jpg", "a/._0.jpg", "b/._1.jpg", "a/@eaDir/0.jpg"})
    Picture(data_ / name);
  for (const char* name : {".DS_Store", "a/.DS_Store", "a/Thumbs.db", "b/notes.txt"}) Text(data_ / name, "x");
  Picture(data_ / "loose.jpg");
  const TrainingData data = Find();
  EXPECT_THAT(data.classes, ElementsAre("a", "b"));
  EXPECT_EQ(data.training.size() + data.validation.size(), 20U);
  ASSERT_EQ(data.notes.size(), 2U);
  EXPECT_THAT(data.notes[0],
              HasSubstr("data: one picture lies beside its folders, in none of them, and is left "
                        "out: loose.jpg"));
  EXPECT_THAT(data.notes[1], HasSubstr("data: 11 files or folders are left out"));
  EXPECT_THAT(data.notes[1],
              HasSubstr("$RECYCLE.BIN, .DS_Store (2), ._* (2), .ipynb_checkpoints, @eaDir (2), ..."));
}

TEST_F(SetsTest, LinkedFoldersAreReadOnce) {
  Classes(data_, {"a", "b"}, 10);
  Classes(directory_.path() / "elsewhere", {"more"}, 5);
  fs::create_directory_symlink(directory_.path() / "elsewhere" / "more", data_ / "a" / "linked");
  fs::create_directory_symlink(directory_.path() / "elsewhere" / "more", data_ / "a" / "twice");
  fs::create_directory_symlink("..", data_ / "b" / "back");
  const TrainingData data = Find();
  std::map<int, int> counts;
  for (const auto* samples : {&data.training, &data.validation}) {
    for (const Sample& sample : *samples) ++counts[sample.label];
  }
  EXPECT_THAT(counts, ElementsAre(testing::Pair(0, 15), testing::Pair(1, 10)));
  EXPECT_THAT(data.notes, ElementsAre(HasSubstr("there twice: a/twice, b/back")));
}

// What can't be read is known before the split is drawn: it may not be all that is held out of a class.
TEST_F(SetsTest, TheSplitIsDrawnFromWhatCanBeRead) {
  Classes(data_, {"a", "b"}, 12);
  const TrainingData whole = Find();
  for (int i = 0; i < 30; ++i) {
    fs::create_symlink("/nowhere/at/all", data_ / "a" / ("broken" + std::to_string(i) + ".jpg"));
    Text(data_ / "b" / ("text" + std::to_string(i) + ".jpg"), "these are words");
  }
  Text(data_ / "b" / "scan.jp2", "\xFF\x4F\xFF\x51");
  const TrainingData data = Find({.threads = 2});
  EXPECT_EQ(data.training.size(), whole.training.size());
  EXPECT_EQ(data.validation.size(), whole.validation.size());
  EXPECT_EQ(data.unreadable.size(), 61U);
  EXPECT_THAT(data.unreadable, Contains(HasSubstr("broken0.jpg: can't be opened")));
  EXPECT_THAT(data.unreadable, Contains(HasSubstr("scan.jp2: is a JPEG 2000 picture")));
  for (int i = 0; i < 12; ++i) fs::remove(data_ / "a" / (std::to_string(i) + ".jpg"));
  EXPECT_THAT(Wrong(), HasSubstr("none of the pictures of the class \"a\" can be read: "));
}

TEST_F(SetsTest, NumbersAreInTheirOrderAndGetNames) {
  std::vector<std::string> numbers;
  for (int i = 1; i <= 10; ++i) numbers.push_back(std::to_string(i));
  Classes(data_, numbers, 10);
  EXPECT_EQ(Find().classes, numbers);
  EXPECT_THAT(Find().notes, ElementsAre(HasSubstr("in their order: 1 is the first, 10 the last")));
  std::string names;
  for (int i = 1; i <= 10; ++i) names += "name" + std::to_string(i) + "\n";
  const fs::path labels = List(names, "labels.txt");
  const TrainingData named = Find({.labels = labels});
  EXPECT_EQ(named.classes.front(), "name1");
  EXPECT_EQ(named.classes.back(), "name10");
  EXPECT_THAT(named.notes,
              Contains(HasSubstr("its first line, \"name1\", is taken for the name of the class 1")));
  EXPECT_THAT(Wrong({.labels = List(names + "one more\n", "labels.txt")}),
              HasSubstr("labels.txt: has 11 lines, expected 10, one for each class from 1 to 10"));
  fs::rename(data_ / "10", data_ / "0");
  const TrainingData from_0 = Find({.labels = List(names, "labels.txt")});
  EXPECT_EQ(from_0.classes.front(), "name1");
  EXPECT_THAT(from_0.notes, Contains(HasSubstr("is taken for the name of the class 0")));
  EXPECT_THAT(Wrong({.labels = List(names.substr(0, 12), "labels.txt")}), HasSubstr("expected 10"));
  EXPECT_THAT(Wrong({.labels = List("x\ny\nz\nx\n1\n2\n3\n4\n5\n6\n", "labels.txt")}),
              HasSubstr("has the name \"x\" twice"));
  EXPECT_THAT(Wrong({.labels = List("x\n\nz\n0\n1\n2\n3\n4\n5\n6\n", "labels.txt")}),
              HasSubstr("has no name for the class 1"));
  fs::rename(data_ / "0", data_ / "zero");
  EXPECT_EQ(Find().classes.back(), "zero");
  EXPECT_THAT(Wrong({.labels = labels}),
              HasSubstr("names classes that are numbers, but one is called \"zero\""));
}

TEST_F(SetsTest, ListsWithNamedColumns) {
  for (const char* name : {"a.jpg", "b, c.jpg", "d\"e\".jpg", "f.jpg"})
    Picture(directory_.path() / "list" / name);
  const auto files = [&](const std::string& text) {
    const TrainingData data = Find(List(text));
    std::vector<std::string> names;
    for (const auto* samples : {&data.training, &data.validation, &data.test}) {
      for (const Sample& sample : *samples)
        names.push_back(sample.file.filename().string() + "=" + data.classes.at(sample.label));
      names.emplace_back("|");
    }
    return names;
  };
  const auto expected = ElementsAre("a.jpg=x", "b, c.jpg=y", "|", "f.jpg=x", "d\"e\".jpg=y", "|", "|");
  EXPECT_THAT(files("file,class,split\na.jpg,x,train\n\"b, c.jpg\",y,training\n\"d\"\"e\"\".jpg\",y,VALID\n"
                    "f.jpg,x,val\n"),
              expected);
  EXPECT_THAT(files("\xEF\xBB\xBFsplit;Label;image_path;width\r\ntrain;x;a.jpg;1\r\nTrain;y;b, c.jpg;\r\n"
                    "dev;\"y\";\"d\"\"e\"\".jpg\";3\r\nval;x;f.jpg;4\r\n"),
              expected);
  EXPECT_THAT(files("a.jpg,x,train\n\"b, c.jpg\",y,train\n\"d\"\"e\"\".jpg\",y,val\nf.jpg,x,val\n"),
              expected);
  EXPECT_THAT(
      files("file,class,split\na.jpg,x,train\n\"b, c.jpg\",y,train\n\"d\"\"e\"\".jpg\",y,val\nf.jpg,x,val\n"
            "a.jpg,x,train\n"),
      expected);
  EXPECT_THAT(
      Find(List("class id,filepaths,labels,data set\n0,a.jpg,x,train\n1,f.jpg,y,train\n"
                "1,\"b, c.jpg\",y,valid\n0,\"d\"\"e\"\".jpg\",x,valid\n1,f.jpg,y,train\n"))
          .notes,
      ElementsAre(
          HasSubstr("the column \"filepaths\" is read as the picture, \"labels\" as its class, \"data "
                    "set\" as what it is for; ignored: \"class id\""),
          HasSubstr("1 line names a picture again, with the same class: it counts once")));
}

TEST_F(SetsTest, ListsThatAreWrong) {
  for (const char* name : {"a.jpg", "b.jpg"}) Picture(directory_.path() / name);
  EXPECT_THAT(Wrong(List("filename,daisy,rose\na.jpg,1,0\n")),
              HasSubstr("names a column for pictures, \"filename\", and none for classes"));
  EXPECT_THAT(Wrong(List("id,breed,age\na.jpg\n")),
              HasSubstr("line 2 is \"a.jpg\", expected 2 to 3 fields as in the first line"));
  EXPECT_THAT(Wrong(List("a.jpg,\"x\nb.jpg,y\n")), HasSubstr("line 1 has a quote that is not closed"));
  EXPECT_THAT(Wrong(List("a.jpg,x\nb.jpg,y\na.jpg,y\n")),
              HasSubstr("line 3 lists \"a.jpg\" again, as \"y\", expected \"x\" as in line 1"));
  EXPECT_THAT(Wrong(List("a.jpg,x,train\nb.jpg,y,train\na.jpg,x,test\n")),
              HasSubstr("line 3 lists \"a.jpg\" again, expected no picture to be on both sides"));
}

TEST_F(SetsTest, NamesInListsMayLackTheirEndings) {
  for (const char* name : {"1.jpg", "2.png", "3.jpeg", "4.jpg", "4.png", "5"})
    Picture(directory_.path() / "train" / name);
  const TrainingData data =
      Find(List("id,species,split\n1,x,train\n2,y,train\n3,x,val\n5,y,val\n", "train.csv"));
  EXPECT_EQ(data.training[0].file.filename(), "1.jpg");
  EXPECT_EQ(data.training[1].file.filename(), "2.png");
  EXPECT_EQ(data.validation[1].file.filename(), "5");
  EXPECT_THAT(data.notes, Contains(HasSubstr("3 of its names have no ending")));
  EXPECT_EQ(Find(List("1,x,train\n2,y,train\n3,x,val\n4,y,val\n", "train.csv")).validation[1].file,
            directory_.path() / "4")
      << "which of two is not guessed";
}

}  // namespace
}  // namespace mobilenet
