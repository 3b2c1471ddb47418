// The program where the system fails it: each write, sync, rename, mapping, new file and allocation in turn.
// Whatever fails, there is one sentence about it, no half-written file, and nothing is lost.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/run_program.h"
#if MOBILENET_GETS
#include "fetch/http_server.h"
#endif
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "mobilenet/training.h"
#include "temporary_directory.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// One kind of call that fails.
class FaultTest : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] std::string Path(const std::string& name) const {
    return (directory_.path() / name).string();
  }

  static std::string Text(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  // Runs the command with a fault; whether there was one.
  bool RunWithFault(const std::string& command, const std::string& kind, int after, bool stays,
                    Result& result) {
    const std::string mark = Path("mark");
    fs::remove(mark);
    result = RunShell("env -u MOBILENET_MODEL LD_PRELOAD=" MOBILENET_FAULTS " FAULT_KIND=" + kind +
                      " FAULT_AFTER=" + std::to_string(after) + (stays ? " FAULT_STAYS=1" : "") +
                      " FAULT_MARK=" + mark + " timeout 60 " + MOBILENET_PROGRAM + " " + command + " 2>&1");
    return fs::remove(mark);
  }

  // Calls check(result) after each run in which something failed, every `step`-th of these; `clean` goes
  // before each.
  template <typename Clean, typename Check>
  void ForEachFault(const std::string& command, int step, const Clean& clean, const Check& check) {
    const std::string kind = GetParam();
    int faults = 0;
    for (const bool stays : {false, true}) {
      for (int after = 0;; after += step, ++faults) {
        clean();
        Result result;
        if (!RunWithFault(command, kind, after, stays, result)) break;
        SCOPED_TRACE(testing::Message() << after << (stays ? " and all after it: " : ": ") << result.output);
        EXPECT_THAT(result.status, testing::AnyOf(0, 1));
        EXPECT_TRUE(result.status == 0 || result.output.find("mobilenet: ") != std::string::npos);
        for (const auto& entry : fs::recursive_directory_iterator(directory_.path()))
          EXPECT_THAT(entry.path().filename().string(), testing::Not(HasSubstr(".part")));
        check(result);
        if (HasFailure()) return;
      }
    }
    EXPECT_GT(faults, 0) << "none failed";
  }

  TemporaryDirectory directory_;
};

TEST_P(FaultTest, ConvertWritesTheWholeModelOrLeavesTheOldOne) {
  const Network network = V1({.alpha = 0.25, .resolution = 32, .classes = 2});
  const Model model = {network, RandomWeights(network, 1), {}, {"new", "model"}, {}};
  model.Save(Path("in.safetensors"));
  Model old = model;
  old.labels = {"old", "model"};
  old.Save(Path("old.safetensors"));
  const std::string before = Text(Path("old.safetensors"));
  ForEachFault(
      "convert " + Path("in.safetensors") + " " + Path("out.safetensors"), 1,
      [&] {
        fs::copy_file(Path("old.safetensors"), Path("out.safetensors"), fs::copy_options::overwrite_existing);
      },
      [&](const Result& result) {
        if (result.status == 0) {
          EXPECT_EQ(Model::Load(Path("out.safetensors")).labels, model.labels);
        } else {
          EXPECT_EQ(std::ranges::count(result.output, '\n'), 1) << "one sentence";
          EXPECT_EQ(Text(Path("out.safetensors")), before);
        }
      });
}

// After the fault the same command with --resume, or anew where there is nothing to resume, ends with the
// weights of a training that nothing happened to.
TEST_P(FaultTest, TrainingLosesNothing) {
  WriteColours(directory_.path() / "data", 4, 2, 16);
  const std::string out = Path("m.safetensors");
  const std::string command =
      "train " + Path("data") + " --out " + out +
      " --alpha 0.25 --resolution 32 --epochs 1 --batch 6 --threads 2 --checkpoint-seconds 0";
  ASSERT_EQ(RunProgram(command + " 2>&1").status, 0);
  const Weights expected = Model::LoadSafetensors(out, {.mapped = false}).weights;
  const fs::path checkpoint = Path("m.run/checkpoint.safetensors");
  const auto same = [&] {
    const Weights weights = Model::LoadSafetensors(out, {.mapped = false}).weights;
    return std::ranges::all_of(expected, [&](const auto& item) {
      return std::ranges::equal(item.second.values, weights.at(item.first).values);
    });
  };
  if (GetParam() == "map") {
    Result result;
    EXPECT_FALSE(RunWithFault(command, "map", 0, false, result)) << "training maps no files";
    return;
  }
  ForEachFault(
      command,
      GetParam() == "memory"  ? 37
      : GetParam() == "write" ? 11
                              : 1,
      [&] {
        fs::remove(out);
        fs::remove_all(Path("m.run"));
      },
      [&](const Result& result) {
        if (result.status == 0) {
          EXPECT_TRUE(same());
          return;
        }
        EXPECT_TRUE(!fs::exists(out) || same()) << "what is there is whole";
        const Result again = RunProgram(command + (fs::exists(checkpoint) ? " --resume" : "") + " 2>&1");
        EXPECT_EQ(again.status, 0) << again.output;
        EXPECT_TRUE(same());
      });
}

#if MOBILENET_GETS
// What has come stays beside as FILE.part, and the next run goes on from there.
TEST_P(FaultTest, WeightsAreFetchedWholeOrNotAtAll) {
  const std::string content(1'950'000, 'w');  // of no model, which `get` doesn't read
  const HttpServer server([&](const ServedRequest& /*request*/) {
    return ServedAnswer{Answer("200 OK", content, "ETag: \"1\"\r\n")};
  });
  setenv("MOBILENET_MIRROR", server.url().c_str(), 1);
  setenv("XDG_CACHE_HOME", Path("caches").c_str(), 1);
  setenv("no_proxy", "127.0.0.1", 1);
  const fs::path file = Path("caches/mobilenet/mobilenet_2_5_128_tf.h5");
  int faults = 0;
  for (const bool stays : {false, true}) {
    for (int after = 0;; after += GetParam() == "write" || GetParam() == "memory" ? 23 : 1, ++faults) {
      fs::remove_all(Path("caches"));
      Result result;
      if (!RunWithFault("get v1-0.25-128", GetParam(), after, stays, result)) break;
      SCOPED_TRACE(testing::Message() << after << (stays ? " and all after it: " : ": ") << result.output);
      EXPECT_THAT(result.status, testing::AnyOf(0, 1));
      EXPECT_EQ(result.output.find("mobilenet: "), 0U);
      EXPECT_TRUE(result.status == 1 || fs::exists(file));
      EXPECT_TRUE(!fs::exists(file) || Text(file) == content);
      if (HasFailure()) break;
      EXPECT_EQ(RunProgram("get v1-0.25-128 2>&1").status, 0);
      EXPECT_TRUE(Text(file) == content);
    }
  }
  unsetenv("MOBILENET_MIRROR");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_GT(faults, 0) << "none failed";
}
#endif

INSTANTIATE_TEST_SUITE_P(Calls, FaultTest,
                         testing::Values("write", "fsync", "rename", "map", "create", "memory"),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace mobilenet
