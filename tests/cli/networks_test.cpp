// The program on networks: bench, cost, fit and paper, run as a process.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "cli/program_fixture.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

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
    EXPECT_TRUE(RecipeNamed(choice["version"].get<std::string>()));
    EXPECT_THAT(choice["name"].get<std::string>(), HasSubstr(choice["version"].get<std::string>() + "-"));
    EXPECT_EQ(choice["padding"], "same");
    EXPECT_THAT(choice["top1_source"], testing::AnyOf("TF-Slim", "the V4 paper"));
    EXPECT_TRUE(choice["top1_published"].is_boolean());
    EXPECT_THAT(choice["precision"].get<std::string>(), testing::AnyOf("float32", "bfloat16", "float16"));
    EXPECT_LE(choice["size_bytes"], 3.5e6);
    for (const char* key : {"resolution", "latency_ms", "predicted_ms", "top1", "size_bytes", "memory_bytes",
                            "macs", "energy_mj", "low_ms", "high_ms", "runs"}) {
      EXPECT_GT(choice[key], 0) << key;
    }
  }
  EXPECT_EQ(object["versions"], json(RecipeNames()));
  EXPECT_EQ(object["recipe"], "original");
  EXPECT_EQ(object["grid"].size(), FitGrid().size());
  EXPECT_GT(object["checked"].size(), 8U);
  EXPECT_GT(object["largest_error"], 0);
}

TEST_F(ProgramTest, FitSaysWhatBindsWhereNothingFits) {
  const Result text = Run("fit --size 100kB --memory 8MB 2>&1");
  EXPECT_EQ(text.status, 1);
  EXPECT_EQ(text.output,
            "mobilenet: no network meets the limits: the nearest, v1-0.25-128, has a size of 942 kB, allowed "
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

TEST_F(ProgramTest, FitChoosesAmongTheVersionsAndTheRecipe) {
  const json object = json::parse(
      Run("fit --json --macs 1k --version v3,v4-conv-small --version v2 --recipe timm 2>/dev/null").output);
  EXPECT_EQ(object["versions"], json::array({"v3", "v4-conv-small", "v2"}));
  EXPECT_EQ(object["recipe"], "timm");
  EXPECT_EQ(object["nearest"]["version"], "v3-small");
  std::set<std::string> names;
  for (const json& network : object["grid"]) {
    names.insert(network["name"]);
    EXPECT_EQ(network["padding"], "symmetric");
    EXPECT_EQ(network["top1_source"], "timm");
    EXPECT_EQ(network["version"].get<std::string>().starts_with("v3"), network.contains("widths"));
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"v3-small-0.5-224", "v4-conv-small-1.0-256", "v2-1.4-224"}));
  EXPECT_THAT(names, Not(testing::Contains(HasSubstr("v1"))));
}

TEST_F(ProgramTest, FitRefusesVersionsAndRecipesThatAreNone) {
  const Result version = Run("fit --version v1,v9 2>&1");
  EXPECT_EQ(version.status, 2);
  EXPECT_THAT(version.output, testing::AllOf(HasSubstr("--version"), HasSubstr("v9"), HasSubstr("v3-large")));
  const Result recipe = Run("fit --recipe foo 2>&1");
  EXPECT_EQ(recipe.status, 2);
  EXPECT_THAT(recipe.output, testing::AllOf(HasSubstr("--recipe"), HasSubstr("foo"), HasSubstr("original")));
  const Result nothing = Run("fit --version v3-large-minimalistic --recipe timm 2>&1");
  EXPECT_EQ(nothing.status, 1);
  EXPECT_THAT(nothing.output,
              HasSubstr("no accuracy of v3-large-minimalistic is published with the recipe timm"));
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

TEST_F(ProgramTest, V2AndRectanglesAreDescribed) {
  const json cost = json::parse(Run("cost --version v2 --alpha 0.5 --resolution 96x128 --json").output);
  EXPECT_EQ(cost["version"], "v2");
  EXPECT_EQ(cost["resolution"], json({96, 128}));
  EXPECT_EQ(cost["params"], CostOf(V2({.alpha = 0.5})).params);
  const json bench = json::parse(
      Run("bench --version v2 --alpha 0.1 --resolution 32 --seconds 0.05 --layers --json").output);
  EXPECT_EQ(bench["version"], "v2");
  EXPECT_EQ(bench["macs"], CostOf(V2({.alpha = 0.1, .resolution = 32})).macs);
  EXPECT_EQ(bench["layers"].back()["kind"], "fully connected");
  EXPECT_THAT(Run("paper --paper v2").output, HasSubstr("Table 4. "));
  EXPECT_THAT(Run("paper --paper v4").output, HasSubstr("Parameters are weights, biases, and"));
  const json v4 = json::parse(Run("cost --version v4-conv-medium --alpha 0.5 --json").output);
  EXPECT_EQ(v4["version"], "v4-conv-medium");
  EXPECT_EQ(v4["activation"], "relu");
  EXPECT_EQ(v4["params"], CostOf(V4({.variant = V4Variant::kConvMedium, .alpha = 0.5})).params);
  for (const char* resolution : {"128x", "x128", "128x160x3", "128X160", "0x96", "wide"}) {
    const Result result = Run(std::string("cost --resolution ") + resolution + " 2>&1");
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.output, HasSubstr(std::string("--resolution is ") + resolution + ", expected"));
    EXPECT_THAT(result.output, HasSubstr("height x width such as 128x160"));
  }
  for (const char* wrong : {"--standard", "--shallow", "--alpha 1.5", "--alpha nan"})
    EXPECT_EQ(Run(std::string("cost --version v2 ") + wrong + " 2>/dev/null").status, 2) << wrong;
  EXPECT_EQ(Run("cost --version v3 2>/dev/null").status, 2);
}

TEST_F(ProgramTest, V3HasTheWidthsThatAreAskedFor) {
  for (const auto widths : {V3Widths::kSlim, V3Widths::kKeras, V3Widths::kTimm, V3Widths::kTorchvision}) {
    const std::string flags = " --version v3-small --alpha 0.5 --widths " + std::string(NameOf(widths));
    const json cost = json::parse(Run("cost --json" + flags).output);
    EXPECT_EQ(cost["widths"], NameOf(widths));
    EXPECT_EQ(cost["params"],
              CostOf(V3({.variant = V3Variant::kSmall, .alpha = 0.5, .widths = widths})).params);
    const json bench = json::parse(Run("bench --json --seconds 0.05 --resolution 32" + flags).output);
    EXPECT_EQ(bench["widths"], NameOf(widths));
  }
  EXPECT_EQ(json::parse(Run("cost --version v3-small --alpha 0.5 --json").output)["widths"], "slim");
  for (const char* command : {"cost", "bench", "train photos --out x.safetensors"}) {
    EXPECT_THAT(Run(std::string(command) + " --version v2 --widths timm 2>&1").output,
                HasSubstr("--widths is of V3 alone, and --version is v2"));
    EXPECT_THAT(Run(std::string(command) + " --version v3-small --widths pytorch 2>&1").output,
                HasSubstr("--widths: pytorch not in {slim,keras,timm,torchvision}"));
  }
}

// Names of layers come from files, too: they neither move the terminal nor break its tables.
TEST_F(ProgramTest, NamesOfLayersArePrintable) {
  Model model = Model::Load(model_);
  const std::string name = "st\x1b[31mem\nx\xE2\x80\xAE";
  model.network.recipe.reset();
  for (const char* ending : {".weight", ".norm.gamma", ".norm.beta", ".norm.mean", ".norm.variance"}) {
    const auto node = model.weights.extract("conv1" + std::string(ending));
    model.weights[name + ending] = node.mapped();
  }
  model.network.layers.front().name = name;
  model.Save(Path("names.safetensors"));
  for (const char* command : {"cost --layers --model ", "bench --layers --seconds 0.05 --model "}) {
    const std::string output = Run(command + Path("names.safetensors")).output;
    EXPECT_THAT(output, HasSubstr("em"));
    EXPECT_THAT(output, Not(HasSubstr("\x1b")));
    EXPECT_THAT(output, Not(HasSubstr("em\nx")));
    EXPECT_THAT(output, Not(HasSubstr("\xE2\x80\xAE")));
  }
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

}  // namespace
}  // namespace mobilenet
