// The program as its user meets it: run as a process, its output and exit status looked at.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/run_program.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "report/html.h"
#include "shared_data.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    Model model;
    model.network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
    model.weights = RandomWeights(model.network, 1);
    model.labels = {"red", "green", "睡蓮"};
    model.Save(model_);
    Write("picture.ppm", "P6 no format of ours");
    Write("grey.bmp", Bmp());
  }

  // An 8 x 8 BMP, all grey.
  static std::string Bmp() {
    std::string bytes("BM\xF6\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x08\0\0\0\x08\0\0\0\x01\0\x18\0", 30);
    bytes.resize(54, '\0');
    bytes.resize(54 + 3 * 64, '\x80');
    return bytes;
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    const auto path = directory_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

  std::string Path(const std::string& name) const { return (directory_.path() / name).string(); }

  static Result Run(const std::string& arguments) { return RunProgram(arguments); }

  TemporaryDirectory directory_;
  const std::string model_ = Path("model.safetensors");
};

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

// U+009B begins a terminal's commands, U+202E turns text around; a byte that is not UTF-8 may be the first.
TEST_F(ProgramTest, NothingOfOthersMovesTheTerminal) {
  Model model = Model::Load(model_);
  model.labels = {
      "a\xC2\x9B"
      "31mb",
      "c\xE2\x80\xAE"
      "d",
      "e\xE2\x81\xA6"
      "f"};
  model.provenance["from\xC2\x9B"] = "\xE2\x80\xAE";
  model.Save(Path("hostile.safetensors"));
  const std::string name = Write("odd\x9B.bmp", Bmp());
  for (const std::string& line :
       {"classify --model " + Path("hostile.safetensors") + " " + name,
        "classify --json --model " + Path("hostile.safetensors") + " " + name,
        "info " + Path("hostile.safetensors"), "info --json " + Path("hostile.safetensors"),
        "classify --model " + model_ + " " + name + "missing"}) {
    const std::string output = Run(line + " 2>&1").output;
    EXPECT_FALSE(output.empty());
    EXPECT_THAT(output, Not(HasSubstr("\x9B"))) << line;
    EXPECT_THAT(output, Not(HasSubstr("\xE2\x80\xAE"))) << line;
    EXPECT_THAT(output, Not(HasSubstr("\xE2\x81\xA6"))) << line;
  }
  const json info = json::parse(Run("info --json " + Path("hostile.safetensors")).output);
  EXPECT_EQ(info["labels"][1], model.labels[1]) << "escaped, not lost";
  EXPECT_EQ(Escaped("a\xE2\x80\xAE<b>\n"), "a?&lt;b&gt;\n") << "on pages, too";
}

TEST_F(ProgramTest, LargePicturesAreRefusedUnlessAllowed) {
  const std::string line = "classify --model " + model_ + " " + Path("grey.bmp") + " 2>&1 --max-pixels ";
  EXPECT_EQ(Run(line + "64").status, 0);
  EXPECT_EQ(Run(line + "1M").status, 0);
  const Result refused = Run(line + "63");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("8 x 8 pixels, expected at most 63"));
  for (const char* wrong : {"0", "-1", "x", "64x", "nan", "1e30"})
    EXPECT_EQ(Run(line + wrong).status, 2) << wrong;
  EXPECT_THAT(
      Run("eval --model " + model_ + " " + Write("one.tsv", "grey.bmp\tred\n") + " --max-pixels 63 2>&1")
          .output,
      HasSubstr("expected at most 63"));
}

TEST_F(ProgramTest, TheLeastMemoryIsLessAndAskedForByALimit) {
  const auto maps = [](const std::string& more) {
    return json::parse(Run("cost --alpha 0.5 --json" + more).output)["peak_activation_bytes"].get<double>();
  };
  EXPECT_LT(maps(" --memory least"), 0.6 * maps(""));
  EXPECT_EQ(maps(" --memory fast"), maps(""));
  const json bench = json::parse(Run("bench --alpha 0.5 --seconds 0.1 --memory least --json").output);
  EXPECT_EQ(bench["activation_bytes"], maps(" --memory least"));
  EXPECT_EQ(Run("bench --memory some 2>/dev/null").status, 2);
  const auto grid = [](const std::string& limit) {
    return json::parse(Run("fit --json --seconds 0.1 --macs 1k" + limit + " 2>/dev/null").output)["grid"];
  };
  const json fast = grid("");
  const json least = grid(" --memory 1GB");
  ASSERT_EQ(fast.size(), least.size());
  for (std::size_t i = 0; i < fast.size(); ++i) {
    EXPECT_LE(least[i]["memory_bytes"], fast[i]["memory_bytes"]);
    EXPECT_EQ(least[i]["size_bytes"], fast[i]["size_bytes"]);
  }
  EXPECT_LT(least[0]["memory_bytes"], fast[0]["memory_bytes"]);
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

TEST_F(ProgramTest, ClassifyPrintsLabels) {
  const Result result = Run("classify --model " + model_ + " --top 2 " + Path("grey.bmp"));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("grey.bmp"));
  EXPECT_THAT(result.output, testing::ContainsRegex("[0-9]+\\.[0-9] %"));
}

TEST_F(ProgramTest, ClassifyJsonHasTheDocumentedKeys) {
  const Result result = Run("classify --json --model " + model_ + " " + Path("grey.bmp"));
  const json line = json::parse(result.output);
  EXPECT_EQ(line["file"], Path("grey.bmp"));
  EXPECT_GT(line["ms"], 0);
  ASSERT_EQ(line["predictions"].size(), 3U);
  double sum = 0;
  for (const json& p : line["predictions"]) {
    EXPECT_TRUE(p["index"].is_number_integer());
    EXPECT_TRUE(p["label"].is_string());
    sum += p["probability"].get<double>();
  }
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST_F(ProgramTest, ClassifyReadsFoldersAndStandardInput) {
  Write("folder/a.bmp", Bmp());
  Write("folder/deeper/b.bmp", Bmp());
  const Result folder = Run("classify --json --model " + model_ + " " + Path("folder"));
  EXPECT_EQ(folder.status, 0);
  EXPECT_EQ(std::ranges::count(folder.output, '\n'), 2);
  const Result piped = Run("classify --json --model " + model_ + " - < " + Path("grey.bmp"));
  EXPECT_EQ(piped.status, 0);
  EXPECT_EQ(json::parse(piped.output)["file"], "-");
}

TEST_F(ProgramTest, ABadPictureIsReportedAndTheOthersGoOn) {
  const std::string files =
      Path("grey.bmp") + " " + Path("picture.ppm") + " " + Path("missing.jpg") + " " + Path("grey.bmp");
  const Result result = Run("classify --json --model " + model_ + " " + files + " 2>/dev/null");
  EXPECT_EQ(result.status, 1);
  std::istringstream lines(result.output);
  std::vector<json> objects;
  for (std::string line; std::getline(lines, line);) objects.push_back(json::parse(line));
  ASSERT_EQ(objects.size(), 4U);
  EXPECT_TRUE(objects[0].contains("predictions"));
  EXPECT_THAT(objects[1]["error"], HasSubstr("picture.ppm"));
  EXPECT_THAT(objects[2]["error"], HasSubstr("missing.jpg"));
  EXPECT_FALSE(objects[2].contains("predictions"));
  EXPECT_TRUE(objects[3].contains("predictions"));
}

TEST_F(ProgramTest, OneBadPictureExitsWith1AndOneSentence) {
  const Result result = Run("classify --model " + model_ + " " + Path("picture.ppm") + " 2>&1");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, testing::StartsWith("mobilenet: "));
  EXPECT_EQ(std::ranges::count(result.output, '\n'), 1);
}

TEST_F(ProgramTest, NoModelSaysHowToNameOne) {
  const Result result = Run("classify " + Path("grey.bmp") + " 2>&1");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, HasSubstr("--model"));
  const std::string with =
      "MOBILENET_MODEL=" + model_ + " " + MOBILENET_PROGRAM + " classify " + Path("grey.bmp");
  EXPECT_EQ(std::system((with + " > /dev/null").c_str()), 0);
}

TEST_F(ProgramTest, EvalCountsAndReports) {
  Write("set/red/a.bmp", Bmp());
  Write("set/green/b.bmp", Bmp());
  const Result result = Run("eval --json --model " + model_ + " " + Path("set"));
  EXPECT_EQ(result.status, 0);
  const json object = json::parse(result.output);
  EXPECT_EQ(object["images"], 2);
  EXPECT_EQ(object["top5"], 1.0);
  EXPECT_TRUE(object["top1"].is_number());
  EXPECT_GT(object["images_per_second"], 0);
  EXPECT_EQ(object["classes"].size(), 2U);
  EXPECT_THAT(Run("eval --per-class --model " + model_ + " " + Path("set")).output, HasSubstr("green"));

  const std::string list =
      Write("list.tsv",
            "file\tclass\tsplit\nred/a.bmp\tred\ttrain\nred/a.bmp\tred\ttrain\ngreen/b.bmp\tgreen\tval\n");
  std::filesystem::create_directory_symlink(Path("set"), Path("list"));
  EXPECT_EQ(json::parse(Run("eval --json --model " + model_ + " " + list).output)["images"], 1)
      << "of three lines, the one to validate with";
  Write("list.tsv", "red/a.bmp\tred\ttrain\n");
  EXPECT_THAT(Run("eval --model " + model_ + " " + list + " 2>&1").output,
              HasSubstr("all of its lines say \"train\", expected some with \"val\""));

  Write("set/green/broken.jpg", "text");
  const Result broken = Run("eval --json --model " + model_ + " " + Path("set") + " 2>/dev/null");
  EXPECT_EQ(broken.status, 1);
  EXPECT_EQ(json::parse(broken.output)["failed"], 1);
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
  EXPECT_THAT(Run("info " + model_).output, HasSubstr("alpha 0.25, 32 x 32"));
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

TEST_F(ProgramTest, BenchJsonHasTheDocumentedKeys) {
  const Result result = Run("bench --alpha 0.25 --resolution 32 --seconds 0.1 --threads 2 --layers --json");
  EXPECT_EQ(result.status, 0);
  const json object = json::parse(result.output);
  for (const char* key :
       {"median_ms", "p95_ms", "gflops", "peak_share", "peak_memory_bytes", "peak_gflops", "energy_mj"}) {
    EXPECT_GT(object[key], 0) << key;
  }
  EXPECT_EQ(object["threads"], 2);
  EXPECT_EQ(object["layers"].size(), 16U);
  EXPECT_THAT(Run("bench --model " + model_ + " --seconds 0.1 --layers").output, HasSubstr("of the peak"));
}

TEST_F(ProgramTest, BenchOfBatches) {
  const json object = json::parse(
      Run("bench --alpha 0.25 --resolution 32 --seconds 0.1 --threads 2 --batch 8 --json").output);
  EXPECT_EQ(object["batch"], 8);
  EXPECT_GT(object["images_per_second"], 0);
  EXPECT_THAT(Run("bench --model " + model_ + " --seconds 0.1 --batch 3 --precision auto").output,
              HasSubstr("images a second"));
  EXPECT_EQ(Run("bench --batch 0 2>/dev/null").status, 2);
  EXPECT_EQ(Run("bench --batch 2 --layers 2>/dev/null").status, 2);
  EXPECT_EQ(Run("bench --batch 2 --train --target avx2 2>/dev/null").status, 2);
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

TEST_F(ProgramTest, AFolderWithoutPicturesIsReportedAndTheOthersGoOn) {
  std::filesystem::create_directories(Path("empty"));
  const Result result =
      Run("classify --json --model " + model_ + " " + Path("empty") + " " + Path("grey.bmp"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, HasSubstr("empty: has no pictures in it"));
  EXPECT_THAT(result.output, HasSubstr("\"predictions\""));
}

// Everywhere: without arithmetic of half precision it is float32. It can be stored, but not trained in.
TEST_F(ProgramTest, HalfPrecisionRuns) {
  const json object =
      json::parse(Run("bench --alpha 0.25 --resolution 32 --seconds 0.1 --precision float16 --json").output);
  EXPECT_EQ(object["precision"], object["target"] == "avx512fp16" ? "float16" : "float32");
  EXPECT_EQ(Run("bench --alpha 0.25 --resolution 32 --batch 2 --train --precision float16 2>&1").status, 1);
}

TEST_F(ProgramTest, BenchRefusesWhatIsOutOfRange) {
  EXPECT_THAT(Run("bench --alpha 1.5 2>&1").output,
              HasSubstr("alpha is 1.5, expected more than 0 and at most 1"));
  EXPECT_THAT(Run("bench --resolution 31 2>&1").output, HasSubstr("resolution is 31"));
  EXPECT_THAT(Run("bench --target mmx 2>&1").output, HasSubstr("expected one of: "));
  EXPECT_EQ(Run("bench --alpha 0 2>/dev/null").status, 2);
  EXPECT_EQ(Run("bench --resolution 7000000 2>/dev/null").status, 2);
  EXPECT_EQ(Run("bench --seconds 0 2>/dev/null").status, 1);
  EXPECT_THAT(Run("brench 2>&1").output, HasSubstr("brench is no command"));
  EXPECT_THAT(Run("bench --batch 99999999999 2>&1").output,
              HasSubstr("--batch is 99999999999, expected a whole number from 1 to 4096"));
  EXPECT_THAT(Run("bench --threads two 2>&1").output,
              HasSubstr("--threads is two, expected a whole number from 1 to 256"));
  EXPECT_EQ(json::parse(Run("cost --classes 010 --json").output)["classes"], 10) << "no octal numbers";
}

TEST_F(ProgramTest, CostJsonHasTheDocumentedKeys) {
  const json object = json::parse(Run("cost --json --compare").output);
  EXPECT_EQ(object["params"], 4'231'976);
  EXPECT_EQ(object["macs"], 568'740'352);
  EXPECT_GT(object["weight_bytes"], 4 * 4'200'000);
  EXPECT_EQ(object["peak_activation_bytes"], CostOf(V1()).peak_activation_bytes);
  ASSERT_EQ(object["layers"].size(), 29U);
  EXPECT_EQ(object["layers"][1]["name"], "block1.depthwise");
  EXPECT_EQ(object["layers"][1]["macs"], 9 * 32 * 112 * 112);
  EXPECT_EQ(object["kinds"][0]["kind"], "pointwise");
  ASSERT_EQ(object["blocks"].size(), 13U);
  EXPECT_NEAR(object["blocks"][12]["ratio"].get<double>(), object["blocks"][12]["formula"].get<double>(),
              1e-12);
}

TEST_F(ProgramTest, FitJsonHasTheDocumentedKeys) {
  const Result result =
      Run("fit --json --latency 1s --size 3.5MB --macs 0.1G --seconds 0.5 --threads 2 --check");
  EXPECT_EQ(result.status, 0);
  const json object = json::parse(result.output);
  EXPECT_EQ(object["limits"]["latency_ms"], 1000);
  EXPECT_EQ(object["limits"]["size_bytes"], 3.5e6);
  EXPECT_EQ(object["limits"]["macs"], 1e8);
  ASSERT_FALSE(object["choices"].empty());
  for (const json& choice : object["choices"]) {
    EXPECT_EQ(choice["version"], "v1");
    EXPECT_THAT(choice["precision"].get<std::string>(), testing::AnyOf("float32", "bfloat16", "float16"));
    EXPECT_LE(choice["size_bytes"], 3.5e6);
    for (const char* key : {"resolution", "latency_ms", "predicted_ms", "top1", "size_bytes", "memory_bytes",
                            "macs", "energy_mj", "low_ms", "high_ms", "runs"}) {
      EXPECT_GT(choice[key], 0) << key;
    }
  }
  EXPECT_EQ(object["grid"].size(), 98U);
  EXPECT_EQ(object["checked"].size(), 8U);
  EXPECT_GT(object["largest_error"], 0);
}

TEST_F(ProgramTest, FitSaysWhatBindsWhereNothingFits) {
  const Result text = Run("fit --size 100kB --memory 8MB 2>&1");
  EXPECT_EQ(text.status, 1);
  EXPECT_EQ(text.output,
            "mobilenet: no network meets the limits: the nearest, V1 0.25-128, has a size of 942 kB, allowed "
            "100 kB\n");
  const Result result = Run("fit --size 100kB --json 2>/dev/null");
  EXPECT_EQ(result.status, 1);
  const json object = json::parse(result.output);
  EXPECT_TRUE(object["choices"].empty());
  EXPECT_EQ(object["binding"], json::array({"size"}));
  EXPECT_EQ(object["nearest"]["alpha"], 0.25);
  EXPECT_THAT(
      Run("fit --latency 5 2>&1").output,
      HasSubstr("--latency: expected a number above 0 with a unit (us, ms or s) such as 5ms, found 5"));
}

TEST_F(ProgramTest, PagesAreWrittenWholeOrNotAtAll) {
  const std::string page = Path("page's.html");
  EXPECT_THAT(Run("cost --alpha 0.5 --html \"" + page + "\"").output, HasSubstr("page written: " + page));
  std::ifstream file(page);
  const std::string html{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(html, HasSubstr("mobilenet cost --alpha 0.5 --html '"));
  const Result json_result = Run("paper --table 2 --json --html " + Path("paper.html"));
  EXPECT_TRUE(json::accept(json_result.output));
  EXPECT_TRUE(std::filesystem::exists(Path("paper.html")));
  const Result failed = Run("paper --html " + Path("no/such/folder.html") + " 2>&1 >/dev/null");
  EXPECT_EQ(failed.status, 1);
  EXPECT_THAT(failed.output, HasSubstr("mobilenet: "));
}

TEST_F(ProgramTest, CostOfAModelAndOfOptions) {
  const Result result = Run("cost --layers --model " + model_);
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("block13.pointwise"));
  EXPECT_THAT(Run("cost --alpha 0.5 --resolution 160 --compare").output, HasSubstr("1/N + 1/K²"));
  const json small =
      json::parse(Run("cost --json --precision int8 --alpha 0.25 --resolution 128 --classes 10").output);
  EXPECT_EQ(small["precision"], "int8");
  EXPECT_LT(small["weight_bytes"], 260'000);
}

TEST_F(ProgramTest, CostRefusesWhatMakesNoSense) {
  for (const char* arguments :
       {"--alpha 0", "--alpha 1.5", "--alpha abc", "--resolution 31", "--resolution 7000000", "--classes 0",
        "--precision fp4", "--model m --alpha 1"}) {
    const Result result = Run(std::string("cost ") + arguments + " 2>&1");
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_THAT(result.output, testing::StartsWith("mobilenet: ")) << arguments;
  }
  EXPECT_EQ(Run("cost --standard --compare 2>/dev/null").status, 2);
}

TEST_F(ProgramTest, PaperPrintsTheTables) {
  const Result all = Run("paper");
  EXPECT_EQ(all.status, 0);
  for (const int table : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14})
    EXPECT_THAT(all.output, HasSubstr("Table " + std::to_string(table) + ". "));
  const json object = json::parse(Run("paper --table 2 --json").output);
  ASSERT_EQ(object["tables"].size(), 1U);
  EXPECT_EQ(object["tables"][0]["rows"][2]["cells"][0]["ours"], "1.91");
  EXPECT_EQ(Run("paper --table 15 2>/dev/null").status, 2);
  const Result uncountable = Run("paper --table 13 2>&1");  // detection
  EXPECT_EQ(uncountable.status, 2);
  EXPECT_THAT(uncountable.output, HasSubstr("expected one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14"));
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
