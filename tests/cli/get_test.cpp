// mobilenet get, and names of published weights in place of files, run as a process.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program_fixture.h"
#include "fetch/http_server.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// A mirror that has v1-0.25-128, in our own format, which the content tells, not the name.
class GetProgramTest : public ProgramTest {
 protected:
  GetProgramTest()
      : weights_(Weights()), server_([this](const ServedRequest& request) {
          return ServedAnswer{request.target == "/mobilenet_2_5_128_tf.h5" ? Answer("200 OK", weights_)
                                                                           : Answer("404 Not Found", "")};
        }) {}

  std::string Weights() {
    Model model;
    model.network = V1({.alpha = 0.25, .classes = 1000});
    model.weights = RandomWeights(model.network, 1);
    const std::string path = Path("weights.safetensors");
    model.Save(path);
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    std::filesystem::remove(path);
    return text.str();
  }

  // Runs a line of shell in the test's folder, where $M is the program, with the mirror and a cache of its
  // own.
  [[nodiscard]] Result Shell(const std::string& line) const {
    return RunShell("cd " + directory_.path().string() +
                    " && env -u MOBILENET_MODEL -u http_proxy -u all_proxy " +
                    "XDG_CACHE_HOME=" + Path("caches") + " MOBILENET_MIRROR=" + server_.url() +
                    " M=" + MOBILENET_PROGRAM + " sh -c '" + line + "'");
  }

  std::string weights_;
  HttpServer server_;
};

TEST_F(GetProgramTest, FetchesByNameAndSaysWhatWasVerified) {
  const Result first = Shell("$M get v1-0.25-128 2>errors");
  EXPECT_EQ(first.status, 0);
  const std::string place = Path("caches/mobilenet/mobilenet_2_5_128_tf.h5");
  EXPECT_THAT(first.output,
              AllOf(testing::StartsWith("v1-0.25-128: fetched, "), HasSubstr("\n  " + place + "\n"),
                    testing::EndsWith("\n  not verified: Keras publishes no checksum\n")));
  EXPECT_EQ(
      Shell("cat errors").output,
      "mobilenet: v1-0.25-128: fetching 1.90 MB from the mirror, as published by Keras, which publishes no "
      "checksum to compare with\n");
  EXPECT_EQ(std::filesystem::file_size(place), weights_.size());
  EXPECT_EQ(Shell("cd caches/mobilenet && sha256sum --status -c *.sha256").status, 0);
  const json again = json::parse(Shell("$M get --json v1-0.25-128").output);
  EXPECT_EQ(again["name"], "v1-0.25-128");
  EXPECT_EQ(again["path"], place);
  EXPECT_EQ(again["bytes"], weights_.size());
  EXPECT_EQ(again["fetched"], false);
  EXPECT_EQ(again["verified"], "recorded");
  EXPECT_EQ(again["published_sha256"], nullptr);
  EXPECT_EQ(again["sha256"].get<std::string>().size(), 64U);
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(GetProgramTest, ListsWhatHasAName) {
  const std::string before = Shell("$M get").output;
  EXPECT_THAT(before, AllOf(HasSubstr("v1-1.0-224 "), HasSubstr("v2-1.4-224 "), HasSubstr("BSD-3-Clause"),
                            HasSubstr(Path("caches/mobilenet")), testing::Not(HasSubstr(" yes\n"))));
  EXPECT_EQ(Shell("$M get --list").output, before);
  EXPECT_EQ(Shell("$M get v1-0.25-128 2>&1 >/dev/null").status, 0);
  EXPECT_THAT(Shell("$M get").output, HasSubstr(" yes\n"));
  for (const json& one : json::parse(Shell("$M get --json").output)) {
    EXPECT_EQ(one["here"], one["name"] == "v1-0.25-128");
    EXPECT_THAT(one["url"], testing::StartsWith("https://"));
    if (one["publisher"] == "torchvision") {
      EXPECT_EQ(one["published_sha256"].get<std::string>().size(), 8U);
    }
  }
  EXPECT_THAT(Shell("$M get --list v1-0.25-128 2>&1").output, HasSubstr("--list lists all"));
}

TEST_F(GetProgramTest, NamesThatNothingHas) {
  const auto complaint = [this](const std::string& arguments) {
    const Result result = Shell("$M " + arguments + " 2>&1");
    EXPECT_EQ(result.status, 1) << arguments;
    return result.output;
  };
  EXPECT_EQ(complaint("get v1-0.25-128 v1-9"),
            "mobilenet: v1-9: no published weights have that name; `mobilenet get` lists them\n");
  EXPECT_THAT(complaint("get v3-small-0.75-224"),
              HasSubstr("no published weights have just that name, but v3-small-0.75-224-timm are such a"));
  EXPECT_THAT(complaint("get V1-0.25-128"), HasSubstr("are called v1-0.25-128"));
  EXPECT_THAT(complaint("info v1-9"),
              HasSubstr("v1-9: there is no such file, and no published weights have that name"));
  for (const char* file : {"none.safetensors", "folder/v1-9"})
    EXPECT_EQ(complaint(std::string("info ") + file),
              std::string("mobilenet: ") + file + ": can't be opened: No such file or directory\n");
  EXPECT_THAT(server_.requests(), IsEmpty());
  EXPECT_THAT(complaint("get v2-1.0-224"), HasSubstr("there is no such file (HTTP 404)"));
  EXPECT_THAT(complaint("get v3-large"), HasSubstr("v3-large-1.0-224-timm: fetching "));
}

TEST_F(GetProgramTest, AModelIsFetchedWhereItIsUsedFirst) {
  const Result first = Shell("$M classify --json --model v1-0.25-128 grey.bmp 2>errors");
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(json::parse(first.output)["predictions"].size(), 5U);
  EXPECT_THAT(Shell("cat errors").output, testing::MatchesRegex("mobilenet: v1-0.25-128: fetching [^\n]*\n"));
  EXPECT_EQ(Shell("$M classify --json --model v1-0.25-128 grey.bmp 2>&1 >/dev/null").output, "");
  const json info = json::parse(Shell("MOBILENET_MODEL=v1-0.25-128 $M info --json v1-0.25-128").output);
  EXPECT_EQ(info["resolution"], 128);
  EXPECT_EQ(info["preprocessing"]["preset"], "tensorflow");
  EXPECT_EQ(info["preprocessing"]["guessed"], nullptr);
  EXPECT_EQ(info["labels_assumed"], false);
  EXPECT_EQ(info["file_bytes"], weights_.size());
  EXPECT_EQ(Shell("$M convert v1-0.25-128 out.safetensors && $M info out.safetensors --json >info").status,
            0);
  EXPECT_EQ(json::parse(Shell("cat info").output)["resolution"], 128);
  EXPECT_EQ(server_.requests().size(), 1U);
}

// A file of that name is what is meant.
TEST_F(GetProgramTest, AFileOfTheNameWins) {
  std::filesystem::copy_file(model_, Path("v1-0.25-128"));
  EXPECT_EQ(json::parse(Shell("$M info --json v1-0.25-128").output)["resolution"], 32);
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(GetProgramTest, OfflineNoCommandFetches) {
  for (const int i : {0, 1, 2, 3}) {
    Write("data/train/a/" + std::to_string(i) + ".bmp", Bmp());
    Write("data/train/b/" + std::to_string(i) + ".bmp", Bmp());
  }
  for (const char* command :
       {"get v1-0.25-128", "classify --model v1-0.25-128 grey.bmp", "eval --model v1-0.25-128 data/train",
        "embed --model v1-0.25-128 grey.bmp", "similar --model v1-0.25-128 grey.bmp data", "info v1-0.25-128",
        "convert v1-0.25-128 out.safetensors", "bench --model v1-0.25-128", "cost --model v1-0.25-128",
        "train data --from v1-0.25-128 --out out.safetensors"}) {
    const Result result = Shell(std::string("$M ") + command + " --offline 2>&1");
    EXPECT_EQ(result.status, 1) << command;
    EXPECT_THAT(result.output, HasSubstr("is not fetched, because of --offline")) << command;
  }
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(GetProgramTest, TrainingStartsFromAName) {
  WriteColours(Path("data"), 12, 2, 16);
  const Result result =
      Shell("$M train data --from v1-0.25-128 --freeze backbone --threads 1 --out out.safetensors 2>&1");
  EXPECT_EQ(result.status, 0) << result.output;
  const json info = json::parse(Shell("$M info --json out.safetensors").output);
  EXPECT_EQ(info["provenance"]["started from"], "v1-0.25-128");
  EXPECT_EQ(info["resolution"], 128);
  EXPECT_EQ(server_.requests().size(), 1U);
}

}  // namespace
}  // namespace mobilenet
