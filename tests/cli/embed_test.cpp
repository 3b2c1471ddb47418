// The program's embed and similar, run as a process.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program_fixture.h"
#include "npy.h"

namespace mobilenet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string Content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST_F(ProgramTest, EmbeddingsAreWrittenOverNothingElse) {
  for (const char* name : {"e.csv", "e.json", "e.npy", "names.txt"}) Write(name, "precious");
  const std::string embed = "embed --model " + model_ + " " + Path("grey.bmp") + " 2>&1 --out ";
  for (const char* out : {"e.csv", "e.json", "e.npy", "names.npy"}) {
    const Result result = Run(embed + Path(out));
    EXPECT_EQ(result.status, 1) << out;
    EXPECT_THAT(result.output, HasSubstr("is there already")) << out;
  }
  for (const char* name : {"e.csv", "e.json", "e.npy", "names.txt"})
    EXPECT_EQ(Content(Path(name)), "precious");
  for (const char* out : {"f.csv", "f.json", "f.npy"}) {
    EXPECT_EQ(Run(embed + Path(out)).status, 0) << out;
    EXPECT_EQ(Run(embed + Path(out)).status, 0) << out << ", over embeddings";
  }
}

TEST_F(ProgramTest, EmbeddingsAreTheSameInEveryFormat) {
  Write("a,b.bmp", Bmp());
  Write("bad.bmp", "no picture");
  const std::string photos = Path("grey.bmp") + " " + Path("bad.bmp") + " '" + Path("a,b.bmp") + "'";
  const auto embed = [&](const std::string& more) {
    return Run("embed --model " + model_ + " " + photos + " " + more + " 2>&1");
  };
  const Result npy = embed("--out " + Path("e.npy"));
  EXPECT_EQ(npy.status, 1);
  EXPECT_THAT(npy.output, HasSubstr("bad.bmp: "));
  EXPECT_THAT(npy.output, HasSubstr("1 of 3 photos could not be embedded"));
  const Matrix matrix = LoadNpy(Path("e.npy"));
  EXPECT_EQ(matrix.rows, 2U);
  EXPECT_EQ(Content(Path("e.txt")), Path("grey.bmp") + "\n" + Path("a,b.bmp") + "\n");
  EXPECT_EQ(embed("--out " + Path("e.csv")).status, 1);
  std::istringstream csv(Content(Path("e.csv")));
  std::string line;
  std::getline(csv, line);
  EXPECT_THAT(line, testing::StartsWith("file,0,1,2"));
  std::getline(csv, line);
  EXPECT_THAT(line, testing::StartsWith(Path("grey.bmp") + ","));
  std::getline(csv, line);
  EXPECT_THAT(line, testing::StartsWith("\"" + Path("a,b.bmp") + "\","));
  EXPECT_EQ(std::stof(line.substr(line.rfind(',') + 1)), matrix.values.back());
  EXPECT_EQ(embed("--out " + Path("e.json")).status, 1);
  std::istringstream lines(Content(Path("e.json")));
  for (std::size_t row = 0; row < 2; ++row) {
    std::getline(lines, line);
    const json photo = json::parse(line);
    ASSERT_EQ(photo["embedding"].size(), matrix.columns);
    for (std::size_t i = 0; i < matrix.columns; ++i)
      EXPECT_EQ(photo["embedding"][i].get<float>(), matrix.values[row * matrix.columns + i]);
  }
  EXPECT_EQ(json::parse(Run("embed --json --model " + model_ + " " + Path("grey.bmp")).output)["file"],
            Path("grey.bmp"));
  EXPECT_THAT(Run("embed --model " + model_ + " " + Path("grey.bmp")).output,
              testing::StartsWith("file,0,1"));
}

TEST_F(ProgramTest, EmbedRefusesWhatItCantWrite) {
  const auto complaint = [&](const std::string& arguments) {
    const Result result = Run("embed --model " + model_ + " " + Path("grey.bmp") + " " + arguments + " 2>&1");
    EXPECT_EQ(result.status, 1) << arguments;
    return result.output;
  };
  EXPECT_THAT(complaint("--out " + Path("e.bin")), HasSubstr("expected a name that ends in .npy, .csv"));
  EXPECT_THAT(complaint("--layer nowhere"), HasSubstr("has no layer nowhere"));
  EXPECT_THAT(complaint("--json --out " + Path("e.json")), HasSubstr("--json is for standard output"));
  std::filesystem::create_hard_link(Path("grey.bmp"), Path("grey.txt"));
  EXPECT_THAT(complaint(Path("grey.txt") + " --out " + Path("grey.npy")),
              HasSubstr("is to be both a photo and the embeddings"));
  EXPECT_FALSE(std::filesystem::exists(Path("grey.npy")));
  EXPECT_THAT(
      Run("embed --model " + model_ + " " + Write("bad.bmp", "x") + " --out " + Path("n.npy") + " 2>&1")
          .output,
      HasSubstr("no photo could be embedded"));
  EXPECT_FALSE(std::filesystem::exists(Path("n.npy")));
}

TEST_F(ProgramTest, SimilarNamesTheMostAlikeFirst) {
  std::filesystem::create_directory(Path("photos"));
  std::filesystem::copy_file(Path("grey.bmp"), Path("photos/same.bmp"));
  std::string other = Bmp();
  for (std::size_t i = 54; i < other.size(); i += 7) other[i] = static_cast<char>(i * 40);
  Write("photos/other.bmp", other);
  Write("photos/bad.bmp", "no picture");
  const std::string command = "similar --model " + model_ + " " + Path("grey.bmp") + " " + Path("photos");
  const Result found =
      Run(command + " " + Path("grey.bmp") + " --json --html " + Path("s.html") + " 2>/dev/null");
  EXPECT_EQ(found.status, 1);
  const json photos = json::parse(found.output)["photos"];
  ASSERT_EQ(photos.size(), 2U) << "the query itself is left out";
  EXPECT_EQ(photos[0]["file"], Path("photos/same.bmp"));
  EXPECT_NEAR(photos[0]["similarity"].get<double>(), 1, 1e-6);
  EXPECT_EQ(photos[1]["file"], Path("photos/other.bmp"));
  EXPECT_LT(photos[1]["similarity"].get<double>(), 1);
  EXPECT_THAT(Content(Path("s.html")), HasSubstr("same.bmp"));
  const Result one = Run(command + " --top 1 2>&1");
  EXPECT_THAT(one.output, HasSubstr("1.000  " + Path("photos/same.bmp")));
  EXPECT_THAT(one.output, testing::Not(HasSubstr("other.bmp")));
  EXPECT_THAT(one.output, HasSubstr("1 of 3 photos could not be read"));
}

}  // namespace
}  // namespace mobilenet
