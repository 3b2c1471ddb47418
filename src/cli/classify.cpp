// mobilenet classify: photos in, labels out.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "base/file.h"
#include "base/stopwatch.h"
#include "cli/command.h"
#include "cli/number.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

constexpr const char* kStdin = "-";

struct ClassifyArguments {
  std::string model;
  std::vector<std::string> inputs;
  int top = 5;
  int threads = 1;
  std::string precision = "float32";
  bool json = false;
};

nlohmann::ordered_json JsonOf(const std::string& file, const FileResult& result) {
  if (!result.error.empty()) return {{"file", file}, {"error", result.error}};
  auto predictions = nlohmann::ordered_json::array();
  for (const Prediction& p : result.predictions) {
    predictions.push_back({{"index", p.index}, {"label", p.label}, {"probability", p.probability}});
  }
  return {{"file", file}, {"predictions", predictions}, {"ms", result.ms}};
}

void PrintText(const std::string& file, const FileResult& result) {
  constexpr int kBarWidth = 20;
  fmt::print("{}  ({:.1f} ms)\n", Printable(file), result.ms);
  for (const Prediction& p : result.predictions) {
    const std::string bar = Bar(p.probability, kBarWidth);
    fmt::print("  {:5.1f} %  {}{:{}}  {}\n", 100 * p.probability, bar, "", kBarWidth - DisplayWidth(bar),
               Printable(p.label));
  }
}

void Print(const ClassifyArguments& options, const std::string& file, const FileResult& result, int& status) {
  if (options.json) {
    PrintJson(JsonOf(file, result));
  } else if (result.error.empty()) {
    PrintText(file, result);
  } else {
    PrintError(result.error);
  }
  if (!result.error.empty()) status = kFailure;
}

// One picture, with the time it took or what was wrong with it.
template <typename Work>
FileResult Timed(const std::string& file, Work work) {
  FileResult result;
  const Stopwatch stopwatch;
  try {
    result.predictions = work();
  } catch (const Error& error) {
    result.error = error.what();
  } catch (const std::bad_alloc&) {
    result.error = file + ": can't be classified: out of memory";
  }
  result.ms = 1e3 * stopwatch.Seconds();
  return result;
}

// A folder without pictures is reported, and the others go on.
std::vector<std::filesystem::path> FilesOf(const ClassifyArguments& options, int& status) {
  std::vector<std::filesystem::path> files;
  for (const std::string& input : options.inputs) {
    if (input == kStdin) continue;
    if (!std::filesystem::is_directory(input)) {
      files.emplace_back(input);
      continue;
    }
    const auto found = FindImages(input);
    if (found.empty()) {
      FileResult nothing;
      nothing.error = input + ": has no pictures in it";
      Print(options, input, nothing, status);
    }
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

void Run(const ClassifyArguments& options, int& status) {
  const Model model = ModelFrom(options.model);
  const auto files = FilesOf(options, status);
  const auto piped = std::ranges::count(options.inputs, kStdin);
  if (piped > 1) throw Error("- (standard input) is given more than once");
  if (piped > 0 || files.size() == 1) {  // all threads on one picture
    Classifier classify(model, {.threads = options.threads, .precision = PrecisionOf(options.precision)});
    const TopOptions top = {.top = options.top};
    if (piped > 0) {
      Print(options, kStdin,
            Timed(kStdin, [&] { return classify.Bytes(ReadFile("/dev/stdin"), top, "standard input"); }),
            status);
    }
    if (files.size() == 1) {
      Print(options, files.front().string(),
            Timed(files.front().string(), [&] { return classify.File(files.front(), top); }), status);
    }
    if (files.size() <= 1) return;
  }
  Progress progress(files.size(), "photos");
  int failed = 0;
  ClassifyFiles(model, files,
                {.threads = options.threads, .top = options.top, .precision = PrecisionOf(options.precision)},
                [&](const FileResult& result) {
                  progress.Clear();
                  Print(options, files[result.index].string(), result, status);
                  failed += result.error.empty() ? 0 : 1;
                  progress.Advance();
                });
  progress.Clear();
  if (failed > 0) PrintError(fmt::format("{} of {} photos could not be classified", failed, files.size()));
}

}  // namespace

void AddClassify(CLI::App& program, int& status) {
  auto options = std::make_shared<ClassifyArguments>();
  CLI::App* command = program.add_subcommand("classify", "Say what is in photos");
  command
      ->add_option("inputs", options->inputs,
                   "Photos (JPEG, PNG, WebP, BMP), folders of them, or - for one on "
                   "standard input")
      ->required()
      ->type_name("IMAGE|DIR|-");
  AddModel(*command, options->model);
  AddNumber(*command, "--top", options->top, "Labels a photo", {1, 1'000'000});
  AddThreads(*command, options->threads);
  AddPrecision(*command, options->precision);
  command->add_flag("--json", options->json, "One JSON object a photo and line");
  command->footer(
      "Example: what is in two photos, the three best labels each\n"
      "  mobilenet classify --model flowers.safetensors --top 3 rose.jpg tulip.png");
  command->callback([options, &status] { Run(*options, status); });
}

}  // namespace mobilenet::cli
