// The program on photos: classify and eval, run as a process, output and exit status looked at.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program_fixture.h"
#include "report/html.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

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
  EXPECT_EQ(line["answers"], "softmax");
}

TEST_F(ProgramTest, EveryCommandSaysThatLabelsAreIndependent) {
  const std::string sigmoid = Path("sigmoid.safetensors");
  EXPECT_EQ(Run("convert --answers sigmoid " + model_ + " " + sigmoid).status, 0);
  const json line = json::parse(Run("classify --json --model " + sigmoid + " " + Path("grey.bmp")).output);
  EXPECT_EQ(line["answers"], "sigmoid");
  double sum = 0;
  for (const json& p : line["predictions"]) sum += p["probability"].get<double>();
  EXPECT_GT(std::abs(sum - 1), 1e-2);
  EXPECT_EQ(json::parse(Run("info --json " + sigmoid).output)["answers"], "sigmoid");
  EXPECT_THAT(Run("info " + sigmoid).output, HasSubstr("3 independent labels (sigmoid)"));
  EXPECT_THAT(Run("info " + sigmoid).output, HasSubstr("answers: set by convert --answers sigmoid"));
  Write("set/red/a.bmp", Bmp());
  EXPECT_EQ(json::parse(Run("eval --json --model " + sigmoid + " " + Path("set")).output)["answers"],
            "sigmoid");
  EXPECT_THAT(Run("eval --model " + sigmoid + " " + Path("set")).output, HasSubstr("labels are independent"));
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
  EXPECT_EQ(object["balanced_accuracy"], object["top1"]) << "one photo of each class";
  EXPECT_GT(object["calibration_error"], 0);
  int answered = 0;
  for (const json& item : object["classes"]) {
    answered += item["answered"].get<int>();
    EXPECT_EQ(item["precision"].is_null(), item["answered"] == 0);
  }
  EXPECT_LE(answered, 2);
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

// Of three grey photos all get one answer: its class has a recall of 1 and a precision of 1 in 3.
TEST_F(ProgramTest, CsvHasARowForEachPhotoAndLabel) {
  Write("set/red, or not/a.bmp", Bmp());
  const std::string bad = Path("picture.ppm");
  const Result result =
      Run("classify --csv --top 2 --model " + model_ + " '" + Path("set") + "' " + bad + " 2>/dev/null");
  EXPECT_EQ(result.status, 1);
  const json answers =
      json::parse(Run("classify --json --model " + model_ + " " + Path("grey.bmp")).output)["predictions"];
  std::string expected = "file,rank,index,label,probability,error\n";
  for (int i = 0; i < 2; ++i) {
    std::ostringstream probability;
    probability << std::setprecision(9) << answers[i]["probability"].get<float>();
    expected += "\"" + Path("set/red, or not/a.bmp") + "\"," + std::to_string(i + 1) + "," +
                answers[i]["index"].dump() + "," + answers[i]["label"].get<std::string>() + ",";
    EXPECT_THAT(result.output, HasSubstr(expected));
    expected = "";
  }
  EXPECT_THAT(result.output, HasSubstr("\n" + bad + ",,,,,"));
  EXPECT_EQ(std::ranges::count(result.output, '\n'), 4);
  EXPECT_EQ(Run("classify --csv --json --model " + model_ + " " + bad + " 2>&1").status, 2);
}

TEST_F(ProgramTest, EvalsCsvHasARowForEachPhoto) {
  const json answers =
      json::parse(Run("classify --json --model " + model_ + " " + Path("grey.bmp")).output)["predictions"];
  const std::string best = answers[0]["label"];
  const std::string second = answers[1]["label"];
  Write("list.tsv", "grey.bmp\t" + best + "\ngrey.bmp\t" + second + "\npicture.ppm\t" + second + "\n");
  const Result result = Run("eval --csv --model " + model_ + " " + Path("list.tsv") + " 2>/dev/null");
  EXPECT_EQ(result.status, 1);
  const auto row = [&](const char* file, const json& is) {
    return "\n" + Path(file) + "," + is["index"].dump() + "," + is["label"].get<std::string>() + ",";
  };
  const std::string answer = answers[0]["index"].dump() + "," + best + ",0.";
  EXPECT_THAT(result.output,
              testing::StartsWith("file,index,label,answer_index,answer_label,probability,rank,error\n"));
  EXPECT_THAT(result.output, testing::ContainsRegex(row("grey.bmp", answers[0]) + answer + "[0-9]+,1,\n"));
  EXPECT_THAT(result.output, testing::ContainsRegex(row("grey.bmp", answers[1]) + answer + "[0-9]+,2,\n"));
  EXPECT_THAT(result.output, HasSubstr(row("picture.ppm", answers[1]) + ",,,,"));
  EXPECT_EQ(std::ranges::count(result.output, '\n'), 4);
}

TEST_F(ProgramTest, EvalTellsPrecisionAndTheWorstClassesFirst) {
  const std::string answer = json::parse(
      Run("classify --json --model " + model_ + " " + Path("grey.bmp")).output)["predictions"][0]["label"];
  for (const char* name : {"red", "green", "睡蓮"}) Write(std::string("set/") + name + "/a.bmp", Bmp());
  const std::string text = Run("eval --per-class --model " + model_ + " " + Path("set")).output;
  EXPECT_THAT(text, HasSubstr("mean over classes 33.33 %; worst: "));
  EXPECT_THAT(text, HasSubstr("calibration error "));
  const std::string table = text.substr(text.find("class "));
  EXPECT_THAT(table, testing::EndsWith("100.0 %     33.3 %\n")) << "the best comes last";
  EXPECT_EQ(table.find(answer), table.rfind(answer));
  EXPECT_GT(table.find(answer), table.find("0.0 %"));
}

TEST_F(ProgramTest, ClassifyWritesAPageOfPhotos) {
  Write("folder/a.bmp", Bmp());
  Write("folder/b.bmp", Bmp());
  Write("folder/broken.jpg", "text");
  const std::string line =
      "classify --top 1 --model " + model_ + " " + Path("folder") + " --html " + Path("page.html");
  const Result result = Run(line + " 2>&1");
  EXPECT_EQ(result.status, 1) << "one is broken";
  EXPECT_THAT(result.output, HasSubstr("page written: " + Path("page.html")));
  std::ostringstream page;
  page << std::ifstream(Path("page.html")).rdbuf();
  for (const char* part : {"a.bmp</b>", "b.bmp</b>", "1 photo could not be read", "睡蓮</span>"})
    EXPECT_THAT(page.str(), HasSubstr(part));
  const auto rows = [](const std::string& text) { return std::ranges::count(text, '%'); };
  EXPECT_EQ(rows(Run(line + " --json 2> /dev/null").output), 0);
  EXPECT_EQ(rows(result.output), 2) << "one label of each, as --top says, on the terminal";
  EXPECT_THAT(
      Run("classify --model " + model_ + " - --html " + Path("page.html") + " 2>&1 < " + Path("grey.bmp"))
          .output,
      HasSubstr("can't with - (standard input)"));
  EXPECT_THAT(
      Run("classify --model " + model_ + " " + Path("grey.bmp") + " --html " + Path("grey.bmp") + " 2>&1")
          .output,
      HasSubstr("grey.bmp: is to be both a photo and the page"));
  EXPECT_THAT(
      Run("classify --model " + model_ + " " + Path("grey.bmp") + " --html " + model_ + " 2>&1").output,
      HasSubstr("is not a page that this program wrote"));
}

TEST_F(ProgramTest, ConvertCalibratesOnPhotos) {
  Write("set/red/a.bmp", Bmp());
  const std::string line = "convert " + model_ + " " + Path("c.safetensors");
  const Result none = Run(line + " --calibrate " + Path("set") + " 2>&1");
  EXPECT_EQ(none.status, 1) << "one photo, right or wrong, tells no temperature";
  EXPECT_THAT(none.output, HasSubstr(Path("set") + ": "));
  EXPECT_THAT(none.output, HasSubstr("no temperature"));
  EXPECT_FALSE(std::filesystem::exists(Path("c.safetensors")));
  EXPECT_EQ(Run(line + " --threads 1 2>&1").status, 2) << "threads of nothing";
  EXPECT_THAT(Run(line + " --calibrate " + Path("c.safetensors") + " 2>&1").output,
              HasSubstr("is to be both the photos and the model"));
}

// A network that knows colours, if its pixels are x / 127.5 - 1.
class PhotosOptionTest : public ProgramTest {
 protected:
  PhotosOptionTest() {
    Model model;
    model.network.input = {8, 8, 3};
    Layer convolution;
    convolution.name = "conv";
    convolution.kind = LayerKind::kConvolution;
    convolution.inputs = {kNetworkInput};
    convolution.input = convolution.output = {8, 8, 3};
    convolution.kernel = 1;
    Layer pool;
    pool.name = "pool";
    pool.kind = LayerKind::kGlobalAveragePool;
    pool.inputs = {0};
    pool.input = {8, 8, 3};
    pool.output = {1, 1, 3};
    Layer classifier;
    classifier.name = "classifier";
    classifier.kind = LayerKind::kFullyConnected;
    classifier.inputs = {1};
    classifier.input = {1, 1, 3};
    classifier.output = {1, 1, 2};
    for (Layer* layer : {&convolution, &classifier}) layer->bias = true;
    model.network.layers = {convolution, pool, classifier};
    // Class 1 is red above 100 of 255, as x / 127.5 - 1 has it: far from where other pixels lie.
    model.weights = {{"conv.weight", Tensor::Of({1, 1, 3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1})},
                     {"conv.bias", Tensor::Of({3}, {0, 0, 0})},
                     {"classifier.weight", Tensor::Of({3, 2}, {0, 20, 0, 0, 0, 0})},
                     {"classifier.bias", Tensor::Of({2}, {0, 4.3F})}};
    model.labels = {"dark", "bright"};
    model.preprocessing = PreprocessingPreset("raw");
    model.Save(Path("colours.safetensors"));
    for (int i = 0; i < 12; ++i) {
      const int red = i < 6 ? 40 + 8 * i : 102 + 2 * (i - 6);
      Write(std::string(i < 6 ? "set/dark/" : "set/bright/") + std::to_string(i) + ".bmp", Colour(red));
    }
  }

  static std::string Colour(int red) {
    std::string bytes = Bmp();
    for (std::size_t i = 54; i < bytes.size(); i += 3) bytes[i + 2] = static_cast<char>(red);
    return bytes;
  }

  std::string Convert(const std::string& options) {
    return "convert " + Path("colours.safetensors") + " " + Path("out.safetensors") + " --photos " +
           Path("set") + options;
  }
};

TEST_F(PhotosOptionTest, FindsThePreprocessingAndStoresIt) {
  const Result result = Run(Convert(""));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("pytorch, bgr"));
  EXPECT_THAT(result.output, HasSubstr("crop and filter, with tensorflow"));
  EXPECT_THAT(result.output, HasSubstr("measured on 12 photos: 100.0 % right"));
  EXPECT_THAT(result.output, HasSubstr("within chance"));
  Model model = Model::Load(Path("out.safetensors"));
  EXPECT_EQ(PresetName(model.preprocessing), "tensorflow");
  EXPECT_THAT(model.provenance["preprocessing"], HasSubstr("measured on 12 photos"));
}

TEST_F(PhotosOptionTest, TellsProgramsWhatWasTried) {
  Write("set/dark/broken.bmp", "BM");
  const Result result = Run(Convert(" --json"));
  EXPECT_EQ(result.status, 1) << "one could not be read";
  const json object = json::parse(result.output);
  const json& photos = object["photos"];
  EXPECT_EQ(photos["images"], 12);
  EXPECT_EQ(photos["failed"], 1);
  EXPECT_EQ(photos["tried"].size(), 34U);
  EXPECT_EQ(photos["tried"][photos["resize"]["best"].get<std::size_t>()]["preset"], "tensorflow");
  EXPECT_EQ(photos["tried"][0]["top1"], 1);
  EXPECT_EQ(object["preprocessing"]["preset"], "tensorflow");
}

TEST_F(PhotosOptionTest, LeavesNothingElseToSay) {
  EXPECT_EQ(Run(Convert(" --preprocess unit 2>&1")).status, 2);
  EXPECT_EQ(Run(Convert(" --filter nearest 2>&1")).status, 2);
}

// A file that doesn't tell is warned of, where the guess is doubtful, and nowhere else.
TEST_F(ProgramTest, ADoubtfulGuessIsWarnedOf) {
  Model model = Model::Load(model_);
  const std::string line = " --model " + Path("guessed.safetensors") + " " + Path("grey.bmp") + " 2>&1";
  for (const auto& [note, doubtful] :
       {std::pair("guessed, 63 %: x", true), std::pair("guessed, 90 %: x", false),
        std::pair("set by convert --preprocess tensorflow", false)}) {
    model.provenance["preprocessing"] = note;
    model.Save(Path("guessed.safetensors"));
    const std::string output = Run("classify" + line).output;
    EXPECT_EQ(output.find("is a guess that is right with 63 %") != std::string::npos, doubtful) << note;
    EXPECT_EQ(output.find("--photos DIR") != std::string::npos, doubtful) << note;
  }
  model.provenance["preprocessing"] = "guessed, 63 %: x";
  model.Save(Path("guessed.safetensors"));
  Write("set/red/1.bmp", Bmp());
  EXPECT_THAT(Run("eval --model " + Path("guessed.safetensors") + " " + Path("set") + " 2>&1").output,
              HasSubstr("is a guess that is right with 63 %"));
  EXPECT_THAT(Run("info " + Path("guessed.safetensors")).output,
              HasSubstr("tensorflow (guessed, 63 %): mean"));
  const json info = json::parse(Run("info --json " + Path("guessed.safetensors")).output);
  EXPECT_EQ(info["preprocessing"]["guessed"], 0.63);
  EXPECT_TRUE(json::parse(Run("info --json " + model_).output)["preprocessing"]["guessed"].is_null());
  // Who sets the pixels is believed; who sets the filter has said nothing of the pixels.
  const std::string convert = "convert " + Path("guessed.safetensors") + " " + Path("told.safetensors");
  Run(convert + " --filter nearest");
  EXPECT_EQ(Model::Load(Path("told.safetensors")).PreprocessingProbability(), 0.63);
  Run(convert + " --preprocess tensorflow");
  EXPECT_EQ(Model::Load(Path("told.safetensors")).PreprocessingProbability(), std::nullopt);
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

}  // namespace
}  // namespace mobilenet
