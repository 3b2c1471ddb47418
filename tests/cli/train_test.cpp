// `mobilenet train` as its user meets it: what it tells and writes, and bad data.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/train_fixture.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "report/events.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

TEST_F(TrainProgramTest, TrainsAModelAndTellsHowItWent) {
  const Result result = RunProgram(Train("colours.safetensors", "2>&1"));
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("data: 3 classes, 60 pictures to train on (train/), 12 to validate with (val/)\n"));
  EXPECT_THAT(result.output, HasSubstr("6/6"));
  EXPECT_THAT(FilesIn(directory_.path() / "colours.run"),
              testing::UnorderedElementsAre("metrics.csv", "report.html", "split.tsv", "doubtful.tsv",
                                            testing::StartsWith("events.out.tfevents.")));
  const Model model = Model::Load(Path("colours.safetensors"));
  EXPECT_THAT(model.labels, testing::ElementsAre("blue", "green", "red"));
  EXPECT_EQ(model.provenance.at("command"), "mobilenet " + Train("colours.safetensors"));
  EXPECT_THAT(
      RunProgram("eval --json --model " + Path("colours.safetensors") + " " + (data_ / "val").string())
          .output,
      HasSubstr("\"images\":12"));
  const std::string csv = Text(directory_.path() / "colours.run" / "metrics.csv");
  EXPECT_THAT(csv, testing::StartsWith("epoch,learning_rate,training_loss,"));
  EXPECT_EQ(std::ranges::count(csv, '\n'), 7);
  const std::string page = Text(directory_.path() / "colours.run" / "report.html");
  for (const char* part : {"Loss", "Accuracy", "Confusion matrix", "Class by class", "mobilenet train "})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
  const Result again = RunProgram(Train("colours.safetensors", "--resume 2>&1"));
  EXPECT_EQ(again.status, 0) << "for schedulers that start a command until it succeeds";
  EXPECT_THAT(again.output, HasSubstr("colours.safetensors: is finished: there is nothing to resume"));
}

TEST_F(TrainProgramTest, WithAModelToStartFromPicturesAreChangedUnlessToldOtherwise) {
  ASSERT_EQ(RunProgram(Train("first.safetensors", "--json")).status, 0);
  const auto weights = [&](const std::string& more) {
    const std::string command = "train " + data_.string() + " --out " + Path("second.safetensors") +
                                " --from " + Path("first.safetensors") +
                                " --force --epochs 1 --threads 2 --json ";
    EXPECT_EQ(RunProgram(command + more).status, 0);
    return Text(Path("second.run/metrics.csv")).substr(0, 200);
  };
  const auto losses = [&](const std::string& more) {
    const std::string metrics = weights(more);
    const std::string row = metrics.substr(metrics.find('\n') + 1);
    return row.substr(0, row.find(',', row.find(',', row.find(',') + 1) + 1));  // epoch, rate, training loss
  };
  const std::string unless_told = losses("");
  EXPECT_EQ(unless_told, losses("--trivial-augment"));
  EXPECT_NE(unless_told, losses("--no-trivial-augment"));
  EXPECT_THAT(Text(Path("second.run/report.html")), HasSubstr("before tuning"));
}

// The list of a run tells what was held out: to measure another model with it, or to train on the same again.
TEST_F(TrainProgramTest, TheSplitOfARunCanBeUsedAgain) {
  const std::string photos = (data_ / "train").string();
  const std::string options = " --alpha 0.25 --resolution 32 --epochs 1 --threads 2 --json";
  const Result first = RunProgram("train " + photos + " --out " + Path("first.safetensors") + options);
  ASSERT_EQ(first.status, 0);
  const std::string split = Path("first.run/split.tsv");
  const std::string text = Text(split);
  EXPECT_THAT(text, testing::StartsWith("file\tclass\tsplit\n" + photos + "/blue/"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 61);
  const auto held_out = first.output.substr(first.output.find("\"validation_pictures\":"), 24);
  const Result again = RunProgram("train " + split + " --out " + Path("second.safetensors") + options);
  EXPECT_THAT(again.output, HasSubstr(held_out));
  EXPECT_EQ(Text(Path("second.run/split.tsv")), text);
  const auto weights = [&](const char* name) {
    const Model model = Model::Load(Path(name));
    const auto values = model.weights.at("conv1.weight").values;
    return std::vector<float>(values.begin(), values.end());
  };
  EXPECT_EQ(weights("first.safetensors"), weights("second.safetensors"));
  const Result measured = RunProgram("eval --json --model " + Path("first.safetensors") + " " + split);
  EXPECT_THAT(measured.output, HasSubstr("\"images\":" + held_out.substr(22, 2)));
  const std::string further =
      "train " + photos + " --epochs 1 --resolution 32 --out " + Path("further.safetensors");
  EXPECT_EQ(RunProgram(further + " --from " + Path("first.safetensors") + " 2>&1").status, 0);
  const auto provenance = Model::Load(Path("further.safetensors")).provenance;
  EXPECT_EQ(provenance.at("started from"), "first.safetensors");
  EXPECT_THAT(provenance.at("started from, command"), HasSubstr("--alpha 0.25"));
  // Whose list or model it is, the run would write over it.
  EXPECT_THAT(RunProgram("train " + split + " --out " + Path("first.safetensors") + " 2>&1").output,
              HasSubstr("split.tsv: is to be both the pictures and part of the run"));
  EXPECT_THAT(RunProgram("train " + split + " --out " + split + " 2>&1").output,
              HasSubstr("split.tsv: is to be both the pictures and the model"));
  EXPECT_THAT(RunProgram("train " + photos + " --from " + Path("third.run/stopped.safetensors") + " --out " +
                         Path("third.safetensors") + " 2>&1")
                  .output,
              HasSubstr("stopped.safetensors: is to be both the model to start from and part of the run"));
  EXPECT_THAT(
      RunProgram("train " + split + " --validation 0.3 --out " + Path("x") + " 2>&1").output,
      HasSubstr("split.tsv: says itself what is validated with, and --validation would count for nothing"));
}

TEST_F(TrainProgramTest, NoModelIsLostAndNoClassWrittenTo) {
  const std::string one = " --epochs 1";
  const auto train = [&](const std::string& out, const std::string& more) {
    std::string command = Train(out, more + " 2>&1");
    return RunProgram(command.replace(command.find(" --epochs 6"), 11, one));
  };
  const Result first = train("m.safetensors", "--resume");
  EXPECT_EQ(first.status, 0) << "there is nothing to resume yet";
  EXPECT_THAT(first.output, HasSubstr("checkpoint.safetensors: is not there yet: training begins anew"));
  const std::string model = Text(Path("m.safetensors"));
  const Result second = train("m.safetensors", "");
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output,
              HasSubstr("m.safetensors: is there already: name another --out, or give --force"));
  EXPECT_EQ(Text(Path("m.safetensors")), model);
  EXPECT_EQ(train("m.safetensors", "--force").status, 0);
  EXPECT_THAT(Model::Load(Path("m.safetensors")).provenance.at("command"), Not(HasSubstr("--force")));
  const Result inside = train("data/train/red/m.safetensors", "");
  EXPECT_EQ(inside.status, 1);
  EXPECT_THAT(inside.output, HasSubstr("red/m.safetensors: would lie in the folder of a class of "));
  EXPECT_FALSE(fs::exists(data_ / "train" / "red" / "m.run"));
  EXPECT_EQ(train("data/train/red/m.safetensors", "--force").status, 0);
}

TEST_F(TrainProgramTest, PicturesToTestWithAreMeasuredOnceInTheEnd) {
  fs::rename(data_ / "val", data_ / "Testing");
  fs::rename(data_ / "train", data_ / "Training");
  std::ofstream(data_ / "Training" / "red" / "notes.txt") << "text";
  std::ofstream(data_ / "Training" / "red" / "empty.jpg") << "";
  const Result result = RunProgram(Train("m.safetensors", "2>&1"));
  EXPECT_EQ(result.status, 1) << "one picture could not be read";
  EXPECT_THAT(result.output, testing::ContainsRegex("data: 3 classes, [0-9]+ pictures to train on, [0-9]+ to "
                                                    "validate with \\(drawn from Training/\\), 12 to test "
                                                    "with once, in the end \\(Testing/\\)\n"));
  EXPECT_THAT(result.output,
              testing::ContainsRegex("tested once, in the end: top-1 [0-9.]+ % of 12 pictures"));
  EXPECT_THAT(result.output, HasSubstr("left out, being no pictures, of the system's, or there twice: "
                                       "Training/red/notes.txt"));
  EXPECT_THAT(result.output, HasSubstr("1 picture could not be read and was left out"));
  EXPECT_THAT(Model::Load(Path("m.safetensors")).provenance.at("test top-1"), HasSubstr(" of 12 pictures"));
  EXPECT_THAT(Text(Path("m.run/report.html")), HasSubstr("top-1 on 12 test pictures, once, in the end"));
  const std::string split = Text(Path("m.run/split.tsv"));
  EXPECT_THAT(split, HasSubstr("\tred\ttest\n"));
  EXPECT_EQ(std::ranges::count(split, '\n'), 73);
  const Result json = RunProgram(Train("other.safetensors", "--json --validation test 2> /dev/null"));
  for (const char* part : {"\"validation_pictures\":12,", "\"data\":\"", "\"notes\":[\"", "few to train on"})
    EXPECT_THAT(json.output, HasSubstr(part));
  EXPECT_THAT(json.output, Not(HasSubstr("test_top1")));
}

TEST_F(TrainProgramTest, TestPicturesThatCantBeReadAreCountedThoughNoneIsLeft) {
  fs::create_directories(data_ / "test" / "red");
  for (const char* name : {"empty.jpg", "none.png"}) std::ofstream(data_ / "test" / "red" / name) << "";
  const Result result = RunProgram(Train("m.safetensors", "2>&1"));
  EXPECT_EQ(result.status, 1);
  for (const char* part : {"empty.jpg: is empty", "none.png: is empty", "none of the pictures to test with",
                           "2 pictures could not be read and were left out"})
    EXPECT_THAT(result.output, HasSubstr(part));
  EXPECT_FALSE(Model::Load(Path("m.safetensors")).provenance.contains("test top-1"));
  const Result json = RunProgram(Train("other.safetensors", "--json 2> /dev/null"));
  EXPECT_EQ(json.status, 1);
  EXPECT_THAT(json.output, HasSubstr("\"unreadable\":2,"));
  EXPECT_THAT(json.output, Not(HasSubstr("test_top1")));
}

TEST_F(TrainProgramTest, ANameThatNoListCanHoldIsNoFailure) {
  fs::rename(data_ / "train" / "red" / "0.bmp", data_ / "train" / "red" / "a\tb.bmp");
  const Result result = RunProgram(Train("tab.safetensors", "2>&1"));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output,
              HasSubstr("split.tsv: lacks 1 picture, in whose name is a tab or the end of a line"));
  EXPECT_EQ(std::ranges::count(Text(Path("tab.run/split.tsv")), '\n'), 72);
  EXPECT_FALSE(fs::exists(Path("tab.run/checkpoint.safetensors")));
}

// A picture with the wrong label comes first, and the list is trained from once that is put right.
TEST_F(TrainProgramTest, DoubtfulLabelsCanBeCorrectedAndTrainedFrom) {
  fs::rename(data_ / "val" / "red" / "20.bmp", data_ / "val" / "green" / "really-red.bmp");
  ASSERT_EQ(RunProgram(Longer(Train("first.safetensors", "--json"), 20)).status, 0);
  const std::string list = Path("first.run/doubtful.tsv");
  std::string text = Text(list);
  EXPECT_EQ(std::ranges::count(text, '\n'), 73) << "all pictures, and a heading";
  const std::string picture = (data_ / "val" / "green" / "really-red.bmp").string() + "\t";
  EXPECT_THAT(text, testing::StartsWith("file\tclass\tsplit\tanswer\tprobability\n" + picture +
                                        "green\tval\tred\t0."));
  const std::string wrong = picture + "green";
  text.replace(text.find(wrong), wrong.size(), picture + "red");
  std::ofstream(list) << text;
  const std::string options = " --alpha 0.25 --resolution 32 --epochs 1 --threads 2 --json --out ";
  const Result second = RunProgram("train " + list + options + Path("second.safetensors"));
  EXPECT_EQ(second.status, 0);
  EXPECT_THAT(second.output, HasSubstr("\"training_pictures\":60,\"validation_pictures\":12,"));
  EXPECT_THAT(Text(Path("second.run/split.tsv")), HasSubstr(picture + "red\tval\n"));
  EXPECT_THAT(RunProgram("train " + list + options + Path("first.safetensors") + " 2>&1").output,
              HasSubstr("is to be both the pictures and part of the run"))
      << "it would be lost";
}

TEST_F(TrainProgramTest, TellsWhichClassesAreWorst) {
  fs::rename(data_ / "val" / "red" / "20.bmp", data_ / "val" / "green" / "really-red.bmp");
  const Result result = RunProgram(Longer(Train("worst.safetensors", "2>&1"), 20));
  EXPECT_THAT(result.output, HasSubstr("top-1 91.67 % on 12 validation pictures"));
  EXPECT_THAT(result.output, HasSubstr("\nmean over classes 93.33 %; worst: green 80.0 % of 5\n"));
}

TEST_F(TrainProgramTest, CalibratesOnWhatItValidatesWith) {
  fs::rename(data_ / "val" / "red" / "20.bmp", data_ / "val" / "green" / "really-red.bmp");
  const Result result = RunProgram(Longer(Train("calibrated.safetensors", "--calibrate 2>&1"), 20));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, testing::ContainsRegex(
                                 "\ncalibrated: temperature [0-9.]+ on 12 pictures, whose loss goes from "));
  EXPECT_THAT(Model::Load(Path("calibrated.safetensors")).provenance.at("calibrated"),
              testing::ContainsRegex("^temperature [0-9.]+ on 12 pictures$"));
  EXPECT_THAT(Text(Path("calibrated.run/report.html")), HasSubstr("Calibrated: temperature "));
  // The same again, in two steps.
  ASSERT_EQ(RunProgram(Longer(Train("plain.safetensors", "--json"), 20)).status, 0);
  ASSERT_EQ(RunProgram("convert " + Path("plain.safetensors") + " " + Path("later.safetensors") +
                       " --calibrate " + Path("plain.run/split.tsv"))
                .status,
            0);
  const Model at_once = Model::Load(Path("calibrated.safetensors"));
  const Model later = Model::Load(Path("later.safetensors"));
  EXPECT_THAT(at_once.weights.at("classifier.weight").values,
              testing::Pointwise(testing::FloatNear(1e-4F), later.weights.at("classifier.weight").values));
  EXPECT_EQ(at_once.provenance.at("calibrated"), later.provenance.at("calibrated"));
}

TEST_F(TrainProgramTest, WhatTellsNoTemperatureIsLeftAsItIs) {
  const Result result = RunProgram(Longer(Train("sure.safetensors", "--calibrate 2>&1"), 20));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output,
              HasSubstr("the model is not calibrated: all of the 12 pictures are answered rightly"));
  EXPECT_FALSE(Model::Load(Path("sure.safetensors")).provenance.contains("calibrated"));
}

TEST_F(TrainProgramTest, JsonIsOneObject) {
  const Result result = RunProgram(Train("colours.safetensors", "--json"));
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(std::ranges::count(result.output, '\n'), 1);
  EXPECT_THAT(result.output, testing::StartsWith("{\"model\":"));
  for (const char* part :
       {"\"epochs\":6,", "\"training_pictures\":60,", "\"validation_pictures\":12,", "\"unreadable\":0,",
        "\"validation_top1\":", "\"balanced_accuracy\":", "\"calibration_error\":"})
    EXPECT_THAT(result.output, HasSubstr(part));
}

TEST_F(TrainProgramTest, AFolderOfTheUsersIsLeftToThem) {
  fs::create_directory(Path("elsewhere"));
  fs::create_directory_symlink(Path("elsewhere"), Path("link"));
  for (const auto& entry : fs::directory_iterator(data_ / "val" / "red")) std::ofstream(entry.path()) << "";
  EXPECT_EQ(RunProgram(Train("m.safetensors", "--run " + Path("link") + " 2>&1")).status, 1);
  EXPECT_TRUE(fs::exists(Path("link")));
  WriteColours(data_, 20, 4);
  EXPECT_EQ(RunProgram(Train("m.safetensors", "--run " + Path("link") + " 2>&1")).status, 0);
  EXPECT_TRUE(fs::exists(Path("link/report.html")));
}

TEST_F(TrainProgramTest, BadPicturesAreLeftOutAndCounted) {
  std::ofstream(data_ / "train" / "red" / "empty.jpg") << "";
  std::ofstream(data_ / "train" / "red" / "words.jpg") << "not a picture";
  std::ofstream(data_ / "train" / "blue" / "cut.bmp")
      << Text(data_ / "train" / "blue" / "0.bmp").substr(0, 200);
  const Result result = RunProgram(Train("colours.safetensors", "2>&1"));
  EXPECT_EQ(result.status, 1);
  for (const char* name :
       {"empty.jpg", "words.jpg", "cut.bmp", "3 pictures could not be read and were left out"})
    EXPECT_THAT(result.output, HasSubstr(name));
  EXPECT_NO_THROW(Model::Load(Path("colours.safetensors")));
}

TEST_F(TrainProgramTest, LargePicturesAreLeftOutUnlessAllowed) {
  const std::string large =
      std::string("BM") +
      std::string("\xE6\x1D\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x32\0\0\0\x32\0\0\0\1\0\x18\0", 28) +
      std::string(24, '\0') + std::string(152 * 50, 'x');
  const fs::path trained = data_ / "train" / "red" / "large.bmp";
  std::ofstream(trained, std::ios::binary) << large;
  const Result refused = RunProgram(Train("large.safetensors", "--max-pixels 2000 2>&1"));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output,
              HasSubstr("BMP of 50 x 50 pixels, expected at most 2000 in all: a larger max_pixels"));
  const Result read = RunProgram(Train("large2.safetensors", "--max-pixels 2500 2>&1"));
  EXPECT_EQ(read.status, 0) << read.output;
  // The same holds of those to test with.
  fs::create_directories(data_ / "test" / "red");
  fs::rename(trained, data_ / "test" / "red" / "large.bmp");
  fs::copy(data_ / "train" / "red" / "0.bmp", data_ / "test" / "red");
  const Result tested = RunProgram(Train("large3.safetensors", "--max-pixels 2000 2>&1"));
  EXPECT_EQ(tested.status, 1);
  EXPECT_THAT(tested.output, HasSubstr("BMP of 50 x 50 pixels, expected at most 2000 in all"));
}

TEST_F(TrainProgramTest, BadOptionsAndDataAreRefusedBeforeTraining) {
  const auto refused = [&](const std::string& more, int status) {
    const Result result = RunProgram(Train("refused.safetensors", more + " 2>&1"));
    EXPECT_EQ(result.status, status) << result.output;
    EXPECT_FALSE(fs::exists(Path("refused.safetensors")));
    return result.output;
  };
  EXPECT_THAT(refused("--optimizer adam", 2), HasSubstr("adam"));
  EXPECT_THAT(refused("--cache 2", 2), HasSubstr("2GB"));
  EXPECT_THAT(refused("--mixup 3", 2), HasSubstr("mixup is 3, expected 0 to 1"));
  EXPECT_THAT(refused("--mixup much", 2), HasSubstr("--mixup is much, expected a number"));
  EXPECT_THAT(refused("--clip nan", 2), HasSubstr("--clip is nan, expected a number"));
  EXPECT_THAT(refused("--checkpoint-seconds 0x10", 2),
              HasSubstr("--checkpoint-seconds is 0x10, expected a number"));
  EXPECT_THAT(refused("--minutes -1", 2), HasSubstr("minutes is -1, expected 0 to 1e+06"));
  EXPECT_THAT(refused("--folds 2", 1), HasSubstr("in 2 folds, expected 3 to 100"));
  EXPECT_THAT(refused("--seed 18446744073709551616", 2),
              HasSubstr("expected a whole number from 0 to 18446744073709551615"));
  EXPECT_THAT(refused("--warmup 0.1", 2), HasSubstr("--warmup counts for nothing with --schedule onecycle"));
  EXPECT_THAT(refused("--validation 7", 2), HasSubstr("the validation share is 7, expected 0 to 1"));
  EXPECT_THAT(
      RunProgram("train " + (data_ / "train").string() + " --validation 1 --out " + Path("x") + " 2>&1")
          .output,
      HasSubstr("a validation share of 1, expected more than 0 and less than 1"));
  EXPECT_THAT(refused("--validation 0.3", 1), HasSubstr("says itself what is validated with"));
  EXPECT_THAT(
      RunProgram("train " + data_.string() + " --out " + Path("m.tflite") + " 2>&1").output,
      HasSubstr("m.tflite: models are written as safetensors, expected a name that ends in .safetensors"));
  EXPECT_THAT(RunProgram("train '' --out " + Path("m.safetensors") + " 2>&1").output,
              HasSubstr("expected a name"));
  EXPECT_THAT(refused("--seed -1", 2), HasSubstr("--seed"));
  EXPECT_THAT(refused("--freeze backbone", 2), HasSubstr("--freeze requires --from"));
  EXPECT_THAT(refused("--from x", 2), HasSubstr("--alpha excludes --from"));
  EXPECT_THAT(refused("--run ''", 2), HasSubstr("--run"));
  EXPECT_THAT(refused("--run " + Path("refused.safetensors/"), 1),
              HasSubstr("both the model and part of the run"));
  EXPECT_THAT(refused("--labels " + Path("none.txt"), 1),
              HasSubstr("none.txt: names classes that are numbers"));
  EXPECT_THAT(refused("--validation test", 1), HasSubstr("val: is there to validate with, expected no such"));
  EXPECT_FALSE(fs::exists(Path("refused.run"))) << "an empty folder was left";
  EXPECT_THAT(RunShell("cd " + data_.string() + "/train && " + MOBILENET_PROGRAM +
                       " train . --out x.safetensors 2>&1")
                  .output,
              HasSubstr("x.run: would lie among the classes of ."));
  EXPECT_FALSE(fs::exists(data_ / "train" / "x.run"));
  EXPECT_THAT(refused("--run " + (data_ / "val" / "run").string(), 1),
              HasSubstr("would lie among the classes"));
  const auto from = [&](const std::string& more) {
    return RunProgram("train " + data_.string() + " --out " + Path("refused.safetensors") + " --from " +
                      more + " 2>&1")
        .output;
  };
  EXPECT_THAT(from(data_.string()), HasSubstr(data_.string() + ": is a folder; expected safetensors"));
  EXPECT_THAT(from(data_.string() + " --freeze backbone --lr 0.1"), HasSubstr("--freeze excludes --lr"));
  EXPECT_THAT(from(data_.string() + " --freeze backbone --precision auto"),
              HasSubstr("--freeze excludes --precision"));
  EXPECT_THAT(from(Path("refused.safetensors")),
              HasSubstr("both the model to start from and the one to write"));
  fs::remove_all(data_ / "train" / "red");
  fs::remove_all(data_ / "val" / "red");
  fs::remove_all(data_ / "train" / "blue");
  fs::remove_all(data_ / "val" / "blue");
  EXPECT_THAT(refused("", 1), HasSubstr("has 1 class, expected"));
  EXPECT_THAT(RunProgram("train " + Path("nothing") + " --out " + Path("x") + " 2>&1").output,
              HasSubstr("there is no such folder or list"));
}

// A folder of somebody's own is not taken for one of a run.
TEST_F(TrainProgramTest, ARunTouchesNoFileThatIsNotItsOwn) {
  for (const char* name : {"report.html", "metrics.csv", "split.tsv", "doubtful.tsv", "stopped.safetensors",
                           "checkpoint.safetensors"}) {
    const fs::path folder = directory_.path() / ("own-" + std::string(name));
    fs::create_directories(folder);
    std::ofstream(folder / name) << "what somebody wrote";
    const Result result = RunProgram(Train("m.safetensors", "--run " + folder.string() + " 2>&1"));
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.output, HasSubstr(std::string(name) + ": is there already and is not "));
    EXPECT_EQ(Text(folder / name), "what somebody wrote");
    EXPECT_EQ(FilesIn(folder).size(), 1U);
  }
  EXPECT_FALSE(fs::exists(Path("m.safetensors")));
}

TEST_F(TrainProgramTest, AThousandClasses) {
  const fs::path many = directory_.path() / "many";
  for (int c = 0; c < 1000; ++c) {
    const auto name = std::to_string(1000 + c);
    const fs::path training = many / "train" / name;
    WriteColour(training / "a.bmp", {c % 10 * 18 + 60, c / 10 % 10 * 18 + 60, c / 100 * 12 + 60}, c, 8);
    fs::create_directories(many / "val" / name);
    fs::copy_file(training / "a.bmp", many / "val" / name / "b.bmp");
  }
  const Result result = RunProgram("train " + many.string() + " --out " + Path("many.safetensors") +
                                   " --alpha 0.25 --resolution 32 --epochs 1 2>&1");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("1000 classes, 1000 pictures to train on (train/), 1000 to validate with (val/)"));
  EXPECT_THAT(Text(directory_.path() / "many.run" / "report.html"), HasSubstr("Most frequent confusions"));
}

TEST(EventFileTest, ChecksumsAreThoseOfTheStandard) {
  // CRC-32C of "123456789" is 0xE3069283 (RFC 3720's check value); TFRecord rotates it and adds a constant.
  const std::uint32_t crc = 0xE3069283U;
  EXPECT_EQ(MaskedCrc32c("123456789"), ((crc >> 15) | (crc << 17)) + 0xA282EAD8U);
}

}  // namespace
}  // namespace mobilenet
