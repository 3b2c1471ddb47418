// `mobilenet train` killed, interrupted, out of disk.
#include <filesystem>
#include <fstream>

#include "cli/train_fixture.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

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

TEST_F(TrainProgramTest, WhoeverStopsReadingEndsNoTraining) {
  RunShell(std::string(MOBILENET_PROGRAM) + " " +
           Longer(Train("pipe.safetensors", "2>&1 | head -n 1 > /dev/null"), 20));
  EXPECT_NO_THROW(Model::Load(Path("pipe.safetensors")));
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
    EXPECT_THAT(result.output, HasSubstr("20/20"));
    EXPECT_NO_THROW(Model::Load(Path("gone.safetensors"))) << result.output;
    fs::remove(Path("gone.safetensors"));
    return result;
  };
  train("rm -r " + run);
  EXPECT_EQ(std::ranges::count(Text(fs::path(run) / "metrics.csv"), '\n'), 21) << "the folder was made again";
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

}  // namespace
}  // namespace mobilenet
