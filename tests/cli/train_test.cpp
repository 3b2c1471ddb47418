// `mobilenet train` as its user meets it: killed, interrupted, out of disk, on bad data.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/run_program.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "report/events.h"
#include "temporary_directory.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class TrainProgramTest : public testing::Test {
 protected:
  TrainProgramTest() { WriteColours(data_, 20, 4); }

  [[nodiscard]] std::string Path(const std::string& name) const {
    return (directory_.path() / name).string();
  }

  // The command for a small network; `more` are further options.
  [[nodiscard]] std::string Train(const std::string& out, const std::string& more = "") const {
    return "train " + data_.string() + " --out " + Path(out) +
           " --alpha 0.25 --resolution 32 --output-stride 32 --epochs 6 --batch 15 --lr 0.05 --threads 2" +
           (more.empty() ? "" : " " + more);
  }

  // The same command with other epochs.
  static std::string Longer(std::string command, int epochs = 60) {
    return command.replace(command.find("--epochs 6"), 10, "--epochs " + std::to_string(epochs));
  }

  static std::string Text(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  [[nodiscard]] std::vector<std::string> FilesIn(const fs::path& path) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename().string());
    return names;
  }

  TemporaryDirectory directory_;
  const fs::path data_ = directory_.path() / "data";
};

TEST_F(TrainProgramTest, AModelThatCannotBeWrittenIsInTheCheckpoint) {
  const std::string folder = Path("there");
  fs::create_directory(folder);
  // The folder goes away while training; the run's is elsewhere.
  const Result result =
      RunShell("timeout 60 sh -c 'until [ -e " + Path("run/metrics.csv") + " ]; do sleep 0.01; done; rm -r " +
               folder + "' 2> /dev/null & " + MOBILENET_PROGRAM + " " +
               Longer(Train("there/m.safetensors", "--run " + Path("run") + " 2>&1")));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, HasSubstr("nothing is lost: the same command with --resume writes the model"));
  fs::create_directory(folder);
  EXPECT_EQ(
      RunProgram(Longer(Train("there/m.safetensors", "--resume --run " + Path("run") + " 2>&1"))).status, 0);
  EXPECT_NO_THROW(Model::Load(Path("there/m.safetensors")));
}

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
  EXPECT_THAT(RunProgram(Train("colours.safetensors", "--resume 2>&1")).output,
              HasSubstr("colours.safetensors: is finished: there is nothing to resume"));
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
  const std::string split = Text(Path("m.run/split.tsv"));
  EXPECT_THAT(split, HasSubstr("\tred\ttest\n"));
  EXPECT_EQ(std::ranges::count(split, '\n'), 73);
  const Result json = RunProgram(Train("other.safetensors", "--json --validation test 2> /dev/null"));
  for (const char* part : {"\"validation_pictures\":12,", "\"data\":\"", "\"notes\":[\"", "few to train on"})
    EXPECT_THAT(json.output, HasSubstr(part));
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

TEST_F(TrainProgramTest, WhoeverStopsReadingEndsNoTraining) {
  RunShell(std::string(MOBILENET_PROGRAM) + " " +
           Longer(Train("pipe.safetensors", "2>&1 | head -n 1 > /dev/null"), 20));
  EXPECT_NO_THROW(Model::Load(Path("pipe.safetensors")));
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

TEST_F(TrainProgramTest, KilledAtTenMomentsItEndsWithTheSameWeights) {
  ASSERT_EQ(RunProgram(Train("whole.safetensors", "--json")).status, 0);
  const std::string command = Train("killed.safetensors", "--json --checkpoint-seconds 0");
  const fs::path run = directory_.path() / "killed.run";
  const fs::path checkpoint = run / "checkpoint.safetensors";
  int resumed = 0;
  for (int i = 0; i < 10; ++i) {
    const bool resume = fs::exists(checkpoint);
    resumed += resume ? 1 : 0;
    // Killed a moment after it wrote a checkpoint of its own, which is then another file.
    const std::string file = "$(stat -c %i '" + checkpoint.string() + "' 2> /dev/null)";
    std::system(("old=" + file + "; " + MOBILENET_PROGRAM + " " + command + (resume ? " --resume" : "") +
                 " > /dev/null 2>&1 & program=$!; while kill -0 $program 2> /dev/null && [ \"" + file +
                 "\" = \"$old\" ]; do :; done; sleep " + std::to_string(0.003 * (i * 7 % 10)) +
                 "; kill -KILL $program 2> /dev/null; wait $program 2> /dev/null")
                    .c_str());
    if (!fs::exists(checkpoint) && fs::exists(Path("killed.safetensors")))
      break;  // a fast machine: it is done
  }
  std::ofstream(run / "metrics.csv.123-0.part") << "what a killed process leaves";
  std::ofstream(Path("killed.safetensors.123-0.part")) << "the same";
  if (fs::exists(checkpoint) || !fs::exists(Path("killed.safetensors"))) {
    const bool resume = fs::exists(checkpoint);
    resumed += resume ? 1 : 0;
    const Result last = RunProgram(command + (resume ? " --resume" : "") + " 2>&1");
    ASSERT_EQ(last.status, 0) << last.output;
    EXPECT_FALSE(fs::exists(run / "metrics.csv.123-0.part"));
    EXPECT_FALSE(fs::exists(Path("killed.safetensors.123-0.part")));
  }
  EXPECT_GT(resumed, 0) << "no kill left anything to go on from";
  const Model whole = Model::Load(Path("whole.safetensors"));
  const Model killed = Model::Load(Path("killed.safetensors"));
  for (const auto& [name, tensor] : whole.weights)
    EXPECT_TRUE(std::ranges::equal(tensor.values, killed.weights.at(name).values)) << name;
  EXPECT_THAT(killed.provenance.at("command"), Not(HasSubstr("--resume")));
}

TEST_F(TrainProgramTest, ARunThatIsResumedHasEachEpochOnce) {
  const fs::path run = directory_.path() / "run.run";
  const std::string metrics = (run / "metrics.csv").string();
  // Closes the terminal, so to speak, after as many rows.
  const auto train = [&](int rows, const std::string& more) {
    const std::string command =
        std::string(MOBILENET_PROGRAM) + " " + Longer(Train("run.safetensors", more), 5000);
    return RunShell(command + " 2>&1 & program=$!; timeout 60 sh -c 'until grep -q ^" + std::to_string(rows) +
                    ", " + metrics +
                    "; do sleep 0.02; done' 2> /dev/null; kill -HUP $program; kill -HUP $program; wait " +
                    "$program");
  };
  EXPECT_EQ(train(3, "").status, 130);
  const Result second = train(6, "--resume --clip 1");
  EXPECT_EQ(second.status, 130);
  EXPECT_THAT(second.output, HasSubstr("was made with clip 0, now it is 1"));
  EXPECT_THAT(second.output, HasSubstr("stopped: the same command with --resume goes on from"));
  std::vector<fs::path> events;
  for (const std::string& name : FilesIn(run)) {
    if (name.starts_with("events.")) events.push_back(run / name);
  }
  ASSERT_EQ(events.size(), 1U);
  const std::string bytes = Text(events.front());
  const std::string tag = "loss/training";
  std::int64_t told = 0;
  for (std::size_t at = bytes.find(tag); at != std::string::npos; at = bytes.find(tag, at + 1)) ++told;
  EXPECT_GE(told, 6);
  EXPECT_EQ(told, std::ranges::count(Text(metrics), '\n') - 1) << "one event for each row";
  // Somebody else's lock on the folder.
  const Result other = RunShell("flock " + run.string() + " " + MOBILENET_PROGRAM + " " +
                                Train("run.safetensors", "--resume") + " 2>&1");
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.output, HasSubstr("run.run: is in use by another process"));
}

TEST_F(TrainProgramTest, AFolderThatGoesAwayCostsNoTraining) {
  const std::string run = Path("gone.run");
  const auto train = [&](const std::string& meanwhile) {
    const std::string text = Longer(Train("gone.safetensors", "2>&1"));
    const Result result =
        RunShell("timeout 60 sh -c 'until [ -e " + run + "/metrics.csv ]; do sleep 0.01; done; until " +
                 meanwhile + "; do sleep 0.01; done' 2> /dev/null & " + MOBILENET_PROGRAM + " " + text);
    EXPECT_THAT(result.output, HasSubstr("60/60"));
    EXPECT_NO_THROW(Model::Load(Path("gone.safetensors"))) << result.output;
    fs::remove(Path("gone.safetensors"));
    return result;
  };
  train("rm -r " + run);
  EXPECT_EQ(std::ranges::count(Text(fs::path(run) / "metrics.csv"), '\n'), 61) << "the folder was made again";
  EXPECT_FALSE(fs::exists(fs::path(run) / "checkpoint.safetensors"));
  fs::remove_all(run);
  const Result result = train("rm -r " + run + " && ln -sT /nowhere/at/all " + run);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, HasSubstr("training goes on, but "));
  EXPECT_THAT(result.output, HasSubstr("gone.safetensors: is written, but "));
}

TEST_F(TrainProgramTest, OutputThatCannotBeWrittenEndsNoTraining) {
  RunShell(std::string(MOBILENET_PROGRAM) + " " + Train("silent.safetensors", "2> /dev/full > /dev/full"));
  EXPECT_NO_THROW(Model::Load(Path("silent.safetensors")));
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

TEST_F(TrainProgramTest, CtrlCSavesAndSaysHowToGoOn) {
  const std::string text = "timeout --preserve-status -s INT 1.5 " + std::string(MOBILENET_PROGRAM) + " " +
                           Longer(Train("endless.safetensors", "2>&1"), 100'000);
  const Result result = RunShell(text);
  EXPECT_EQ(result.status, 130);
  EXPECT_THAT(result.output, HasSubstr("stopped: the same command with --resume goes on from"));
  EXPECT_FALSE(fs::exists(Path("endless.safetensors")));
  EXPECT_TRUE(fs::exists(directory_.path() / "endless.run" / "checkpoint.safetensors"));
  EXPECT_THAT(result.output,
              HasSubstr("what it learned so far can be tried: " + Path("endless.run/stopped")));
  const Model so_far = Model::Load(Path("endless.run/stopped.safetensors"));
  EXPECT_THAT(so_far.provenance.at("training"), HasSubstr("of 100000 epochs"));
  EXPECT_THAT(so_far.labels, testing::ElementsAre("blue", "green", "red"));
  EXPECT_THAT(RunProgram("info " + Path("endless.run/checkpoint.safetensors") + " 2>&1").output,
              HasSubstr("is the checkpoint of a training that is not finished, expected a model"));
  const Result again = RunProgram(Train("endless.safetensors", "2>&1"));
  EXPECT_EQ(again.status, 1) << "beginning anew would cost what was saved";
  EXPECT_THAT(again.output, HasSubstr("holds a training that was not finished: resume it"));
}

TEST_F(TrainProgramTest, AFullDiskCostsACheckpointNotTheTraining) {
  // Files may not grow beyond 64 KiB: tables fit, checkpoints and models don't.
  const Result result = RunShell("trap '' XFSZ; ulimit -f 64; " + std::string(MOBILENET_PROGRAM) + " " +
                                 Train("full.safetensors", "2>&1"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, HasSubstr("this checkpoint could not be written, training goes on"));
  EXPECT_THAT(result.output, HasSubstr("6/6"));
  EXPECT_THAT(result.output, HasSubstr("full.safetensors: can't be written"));
  EXPECT_THAT(result.output, HasSubstr("could not be written either: what was trained is lost"));
  EXPECT_FALSE(fs::exists(Path("full.safetensors")));
  for (const std::string& name : FilesIn(directory_.path() / "full.run"))
    EXPECT_THAT(name, testing::AnyOf("metrics.csv", testing::StartsWith("events.out.tfevents.")))
        << "a partial file";
}

TEST_F(TrainProgramTest, AStopOnAFullDiskStillLeavesTheModel) {
  // Checkpoints, which are three times as large as the model, don't fit.
  const Result result =
      RunShell("trap '' XFSZ; ulimit -f 3000; timeout --preserve-status -s INT 1.5 " +
               std::string(MOBILENET_PROGRAM) + " " + Longer(Train("full.safetensors", "2>&1"), 100'000));
  EXPECT_EQ(result.status, 130);
  EXPECT_THAT(result.output, HasSubstr("this checkpoint could not be written: "));
  EXPECT_THAT(result.output, HasSubstr("stopped: there is no checkpoint to go on from"));
  EXPECT_NO_THROW(Model::Load(Path("full.run/stopped.safetensors"))) << result.output;
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
