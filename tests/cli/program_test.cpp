// The program as its user meets it: command lines, help, outputs, info and convert, run as a process.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program_fixture.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(ProgramTest, HelpOfEveryCommandHasAnExample) {
  EXPECT_EQ(Run("--help").status, 0);
  EXPECT_EQ(Run("--version").status, 0);
  for (const char* command :
       {"classify", "eval", "info", "convert", "bench", "cost", "paper", "fit", "train"}) {
    const Result result = Run(std::string(command) + " --help");
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.output, HasSubstr(std::string("  mobilenet ") + command));
  }
}

TEST_F(ProgramTest, HelpIsACommandToo) {
  EXPECT_EQ(Run("help").output, Run("--help").output);
  EXPECT_EQ(Run("help cost").output, Run("cost --help").output);
  for (const char* wrong :
       {"help nothing", "help --bogus", "help cost extra", "--bogus", "classify -x photo.jpg"})
    EXPECT_EQ(Run(std::string(wrong) + " 2>/dev/null").status, 2) << wrong;
  EXPECT_THAT(Run("--bogus 2>&1").output, HasSubstr("has no option --bogus"));
  EXPECT_THAT(Run("classify -x 2>&1").output, HasSubstr("classify has no option -x"));
}

// Before what is missing, which is often its consequence.
TEST_F(ProgramTest, AnOptionThatDoesNotExistIsNamed) {
  for (const char* line : {"classify --bogus", "classify --bogus=3 photo.jpg", "train --bogus photos"}) {
    const Result result = Run(std::string(line) + " 2>&1");
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.output, HasSubstr("has no option --bogus"));
  }
  EXPECT_THAT(Run("classify 2>&1").output, HasSubstr("inputs"));
  EXPECT_THAT(Run("bogus 2>&1").output, HasSubstr("bogus is no command"));
}

// A photo, or somebody's page, is not written over because its name stands in the wrong place.
TEST_F(ProgramTest, OutputsTakeThePlaceOfTheirOwnKindAlone) {
  const std::string photo = Path("grey.bmp");
  const std::string page = Write("mine.html", "<!DOCTYPE html><title>mine</title>");
  const auto text = [](const std::string& path) {
    std::ostringstream all;
    all << std::ifstream(path, std::ios::binary).rdbuf();
    return all.str();
  };
  const std::string before = text(photo);
  for (const std::string& line :
       {"convert " + model_ + " " + photo, "cost --html " + photo, "fit --seconds 0.1 --html " + photo,
        "train " + directory_.path().string() + " --out " + photo, "paper --html " + photo}) {
    const Result result = Run(line + " 2>&1");
    EXPECT_EQ(result.status, 1) << line;
    EXPECT_THAT(result.output, HasSubstr("grey.bmp: is there already and is not ")) << line;
  }
  EXPECT_EQ(text(photo), before);
  EXPECT_THAT(Run("cost --html " + page + " 2>&1").output,
              HasSubstr("is not a page that this program wrote"));
  EXPECT_THAT(text(page), HasSubstr("mine"));
  // Weights of others are not their own kind, though they are safetensors.
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string foreign(8, '\0');
  foreign[0] = static_cast<char>(header.size());
  const std::string weights = Write("weights.safetensors", foreign + header + "1234");
  EXPECT_THAT(Run("convert " + model_ + " " + weights + " 2>&1").output,
              HasSubstr("is not a model of this program"));
  EXPECT_EQ(text(weights), foreign + header + "1234");
  // Their own kind, an empty file, and nothing.
  Write("empty.html", "");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Run("cost --html " + Path("empty.html")).status, 0);
    EXPECT_EQ(Run("cost --html " + Path("new.html")).status, 0);
    EXPECT_EQ(Run("convert " + model_ + " " + Path("new.safetensors")).status, 0);
  }
}

TEST_F(ProgramTest, WrongCommandLinesExitWith2AndSayWhy) {
  for (const char* arguments : {"",
                                "frobnicate",
                                "classify",
                                "classify --top x a.jpg",
                                "classify --top 0 a.jpg",
                                "classify --threads 0 a.jpg",
                                "bench --threads 1000",
                                "bench --alpha abc",
                                "info",
                                "bench --model m --alpha 1",
                                "fit --latency 5",
                                "fit --latency 5 parsecs",
                                "fit --size 2ms",
                                "fit --macs -3M",
                                "fit --energy mJ",
                                "fit --choices 0",
                                "fit --latency 0ms",
                                "fit --classes 0",
                                "fit --latency 1e308s",
                                "fit --size 1e300GB",
                                "fit --latency nan",
                                "fit --html ''",
                                "cost --standard --compare",
                                "convert a",
                                "convert a b --resolution 31"}) {
    const Result result = Run(std::string(arguments) + " 2>&1");
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_THAT(result.output, HasSubstr("mobilenet: ")) << arguments;
  }
}

TEST_F(ProgramTest, InfoTellsWhatIsInside) {
  const json object = json::parse(Run("info --json " + model_).output);
  EXPECT_EQ(object["version"], "v1");
  EXPECT_EQ(object["alpha"], 0.25);
  EXPECT_EQ(object["resolution"], 32);
  EXPECT_EQ(object["classes"], 3);
  EXPECT_EQ(object["params"], CostOf(V1({.alpha = 0.25, .resolution = 32, .classes = 3})).params);
  EXPECT_EQ(object["macs"], CostOf(V1({.alpha = 0.25, .resolution = 32, .classes = 3})).macs);
  EXPECT_EQ(object["labels"][2], "睡蓮");
  EXPECT_EQ(object["preprocessing"]["preset"], "tensorflow");
  EXPECT_EQ(object["answers"], "softmax");
  EXPECT_THAT(Run("info " + model_).output, HasSubstr("alpha 0.25, 32 x 32"));
  EXPECT_THAT(Run("info " + model_).output, HasSubstr("one of 3 classes (softmax)"));
}

TEST_F(ProgramTest, ModelsOfImagenetHaveNamesAndSayThatTheyAreAssumed) {
  Model model;
  model.network = V1({.alpha = 0.25, .resolution = 32, .classes = 1000});
  model.weights = RandomWeights(model.network, 1);
  const std::string plain = Path("plain.safetensors");
  const std::string converted = Path("converted.safetensors");
  model.Save(plain);
  EXPECT_EQ(Run("convert " + plain + " " + converted).status, 0);
  for (const std::string& path : {plain, converted}) {
    EXPECT_THAT(
        Run("info " + path).output,
        HasSubstr("none in the file; 1000 classes: taken for ImageNet's (tench; goldfish; great white"));
    const json info = json::parse(Run("info --json " + path).output);
    EXPECT_EQ(info["labels"][282], "tiger cat");
    EXPECT_EQ(info["labels_assumed"], true);
    const json line = json::parse(Run("classify --json --model " + path + " " + Path("grey.bmp")).output);
    EXPECT_EQ(info["labels"][line["predictions"][0]["index"].get<int>()], line["predictions"][0]["label"]);
    Write("set/n02123159/a.bmp", Bmp());
    EXPECT_EQ(
        json::parse(Run("eval --json --model " + path + " " + Path("set")).output)["classes"][0]["index"],
        282);
  }
  std::string mine;
  for (int i = 0; i < 1000; ++i) mine += "mine " + std::to_string(i) + "\n";
  EXPECT_EQ(Run("convert " + plain + " " + converted + " --labels " + Write("mine.txt", mine)).status, 0);
  const json info = json::parse(Run("info --json " + converted).output);
  EXPECT_EQ(info["labels"][282], "mine 282");
  EXPECT_EQ(info["labels_assumed"], false);
  EXPECT_EQ(info["provenance"]["labels"], "set by convert --labels");
}

TEST_F(ProgramTest, ConvertAddsLabelsPreprocessingAndResolution) {
  const std::string labels = Write("labels.txt", "a\nb\nc\n");
  const std::string out = Path("out.safetensors");
  EXPECT_EQ(
      Run("convert " + model_ + " " + out + " --labels " + labels + " --preprocess pytorch --resolution 64")
          .status,
      0);
  const Model model = Model::Load(out);
  EXPECT_EQ(model.labels[1], "b");
  EXPECT_EQ(model.preprocessing, PreprocessingPreset("pytorch"));
  EXPECT_EQ(model.network.input.height, 64);
}

TEST_F(ProgramTest, ConvertWritesTheFormatsOfOthers) {
  const std::string lite = Path("out.tflite");
  EXPECT_THAT(Run("convert " + model_ + " " + lite + " --preprocess pytorch 2>&1").output,
              HasSubstr("which MediaPipe's tools refuse; --with-preprocessing lets the file do it itself"));
  EXPECT_EQ(Model::Load(lite).provenance.at("imported from"), "TensorFlow Lite");
  EXPECT_EQ(Run("convert " + lite + " " + lite + " --with-preprocessing 2>&1").output.find("MediaPipe"),
            std::string::npos);
  EXPECT_EQ(Model::Load(lite).preprocessing, PreprocessingPreset("pytorch"));
  const auto complaint = [&](const std::string& arguments) {
    const Result result = Run("convert " + model_ + " " + arguments + " 2>&1");
    EXPECT_EQ(result.status, 1) << arguments;
    return result.output;
  };
  EXPECT_THAT(complaint(lite + " --precision float16"),
              HasSubstr("written in float32 alone, not in float16"));
  EXPECT_THAT(complaint(lite + " --names timm"), HasSubstr("timm's names are for safetensors"));
  EXPECT_THAT(complaint(Path("out.safetensors") + " --names timm"),
              HasSubstr("can't be written with timm's names"));
  EXPECT_THAT(complaint(Path("out.safetensors") + " --with-preprocessing"),
              HasSubstr("--with-preprocessing is for ONNX and TFLite"));
  const std::string text = Write("mine.tflite", "not a model, but mine");
  EXPECT_THAT(complaint(text), HasSubstr("is there already and is not a TFLite model"));
}

TEST_F(ProgramTest, ConvertSetsTheResizeAndNumbersOfOnesOwn) {
  const std::string out = Path("out.safetensors");
  EXPECT_THAT(
      Run("convert " + model_ + " " + out + " --preprocess raw --crop 0.9 --shape square --filter nearest")
          .output,
      HasSubstr("preprocessing raw, crop 0.9 of the short side, square, nearest"));
  Preprocessing expected = {.mean = {}, .scale = {1, 1, 1}, .crop = 0.9F};
  expected.shape = CropShape::kSquare;
  expected.filter = ResizeFilter::kNearest;
  Model model = Model::Load(out);
  EXPECT_EQ(model.preprocessing, expected);
  EXPECT_EQ(model.provenance["preprocessing"], "set by convert --preprocess raw");
  EXPECT_EQ(model.provenance["crop and filter"], "set by convert --crop 0.9 --shape square --filter nearest");
  EXPECT_EQ(Run("convert " + out + " " + out + " --mean 1,2,3.5 --scale 1/50 --order bgr").status, 0);
  model = Model::Load(out);
  expected.mean = {1, 2, 3.5F};
  expected.scale = {0.02F, 0.02F, 0.02F};
  expected.order = ChannelOrder::kBgr;
  EXPECT_EQ(model.preprocessing, expected);
  EXPECT_EQ(model.provenance["preprocessing"], "set by convert --mean 1,2,3.5 --scale 1/50 --order bgr");
}

TEST_F(ProgramTest, ConvertRefusesPreprocessingThatIsNone) {
  const auto refused = [&](const std::string& options) {
    const Result result = Run("convert " + model_ + " " + Path("out.safetensors") + " " + options + " 2>&1");
    EXPECT_EQ(result.status, 2) << options;
    return result.output;
  };
  EXPECT_THAT(refused("--filter cubic"), HasSubstr("bilinear-unaliased"));
  EXPECT_THAT(refused("--crop 0"), HasSubstr("expected more than 0 and at most 1"));
  EXPECT_THAT(refused("--crop 87.5"), HasSubstr("expected more than 0 and at most 1"));
  EXPECT_THAT(refused("--mean 1,2"), HasSubstr("expected one number, or three parted by commas"));
  EXPECT_THAT(refused("--mean 1,2,"), HasSubstr("expected a number"));
  EXPECT_THAT(refused("--scale 1/0"), HasSubstr("divides by 0"));
  const Result zero = Run("convert " + model_ + " " + Path("out.safetensors") + " --scale 0 2>&1");
  EXPECT_EQ(zero.status, 1);
  EXPECT_THAT(zero.output, HasSubstr("the scale of channel 0 is 0"));
  EXPECT_FALSE(std::filesystem::exists(Path("out.safetensors")));
}

TEST_F(ProgramTest, ConvertLeavesNothingBehindWhenItFails) {
  const std::string out = Path("out.safetensors");
  const Result bad = Run("convert " + Path("picture.ppm") + " " + out + " 2>&1");
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.output, HasSubstr("picture.ppm: is no model that is read"));
  const Result preset = Run("convert " + model_ + " " + out + " --preprocess mxnet 2>&1");
  EXPECT_EQ(preset.status, 2);
  EXPECT_THAT(preset.output, HasSubstr("mxnet"));
  EXPECT_EQ(Run("convert " + model_ + " /nonexistent/x 2>/dev/null").status, 1);
  EXPECT_FALSE(std::filesystem::exists(out));
}

// What is read is not written over, by whatever name.
TEST_F(ProgramTest, OutputsAreNotInputs) {
  EXPECT_THAT(Run("cost --model " + model_ + " --html " + Path("./model.safetensors") + " 2>&1").output,
              HasSubstr("is to be both the model and the page"));
  Write("labels.txt", "a\nb\nc\n");
  EXPECT_THAT(
      Run("convert " + model_ + " " + Path("labels.txt") + " --labels " + Path("labels.txt") + " 2>&1")
          .output,
      HasSubstr("is to be both the labels and the model"));
  EXPECT_NO_THROW(Model::Load(model_));
}

TEST_F(ProgramTest, OutputThatCannotBeWrittenIsAFailure) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  EXPECT_EQ(Run("info " + model_ + " > /dev/full 2>/dev/null").status, 1);
  EXPECT_EQ(Run("info --json " + model_ + " > /dev/full 2>/dev/null").status, 1);
  for (const char* asked : {"--help", "--version", "--help-all", "classify --help", "help cost"})
    EXPECT_EQ(Run(std::string(asked) + " > /dev/full 2>/dev/null").status, 1) << asked;
}

}  // namespace
}  // namespace mobilenet
