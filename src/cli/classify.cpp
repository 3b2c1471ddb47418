// mobilenet classify: photos in, labels out.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "cli/number.h"
#include "cli/pictures.h"
#include "report/contact_sheet.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct ClassifyArguments {
  std::string model;
  bool offline = false;
  std::vector<std::string> inputs;
  int top = 5;
  PictureArguments pictures;
  bool json = false;
  bool csv = false;
  std::string html;
};

nlohmann::ordered_json JsonOf(const std::string& file, const FileResult& result, Answers answers) {
  auto predictions = nlohmann::ordered_json::array();
  for (const Prediction& p : result.predictions) {
    predictions.push_back({{"index", p.index}, {"label", p.label}, {"probability", p.probability}});
  }
  return {{"file", file}, {"answers", NameOf(answers)}, {"predictions", predictions}, {"ms", result.ms}};
}

void PrintRows(const std::string& file, const FileResult& result) {
  int rank = 0;
  for (const Prediction& p : result.predictions) {
    PrintCsv({file, std::to_string(++rank), std::to_string(p.index), p.label,
              fmt::format("{}", p.probability), ""});
  }
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

void PrintFailure(const ClassifyArguments& options, const std::string& file, const std::string& error,
                  int& status) {
  if (options.json) {
    PrintJson({{"file", file}, {"error", error}});
  } else {
    if (options.csv) PrintCsv({file, "", "", "", "", error});
    PrintError(error);
  }
  status = kFailure;
}

// The pictures to classify. A folder without any is reported.
std::vector<std::filesystem::path> FilesOf(const ClassifyArguments& options, int& status) {
  return PicturesOf(options.inputs, [&](const std::string& input, const std::string& complaint) {
    PrintFailure(options, input, complaint, status);
  });
}

// The photos of a page are read twice.
void CheckHtml(const ClassifyArguments& options, const std::vector<std::filesystem::path>& files) {
  if (options.html.empty()) return;
  if (std::ranges::find(files, kStdinFile) != files.end())
    throw Error("--html reads photos twice, and can't with - (standard input): name a file");
  for (const std::filesystem::path& file : files) {
    if (SamePlace(file, options.html)) throw Error(options.html + ": is to be both a photo and the page");
  }
  CheckPage(options.html);
}

void Show(const ClassifyArguments& options, Answers answers, const std::string& path, FileResult result,
          ContactSheet& sheet, int& status) {
  const std::string file = path == kStdinFile ? kStdin : path;
  if (!result.error.empty()) {
    sheet.AddUnreadable();
  } else if (!options.html.empty()) {
    sheet.Add(path, result.predictions);
    result.predictions.resize(std::min(result.predictions.size(), static_cast<std::size_t>(options.top)));
  }
  if (result.error.starts_with(kStdinFile))
    result.error.replace(0, std::string_view(kStdinFile).size(), "standard input");
  if (!result.error.empty()) return PrintFailure(options, file, result.error, status);
  if (options.json) return PrintJson(JsonOf(file, result, answers));
  if (options.csv) return PrintRows(file, result);
  PrintText(file, result);
}

void Run(const ClassifyArguments& options, const std::string& command, int& status) {
  const Model model = ModelFrom(options.model, options.offline);
  if (options.csv) PrintCsv({"file", "rank", "index", "label", "probability", "error"});
  const auto files = FilesOf(options, status);
  CheckHtml(options, files);
  Progress progress(files.size(), "photos");
  ContactSheet sheet;
  int failed = 0;
  ClassifyFiles(model, files,
                options.pictures.ForFiles(options.html.empty() ? options.top
                                                               : std::max(options.top, ContactSheet::kTop)),
                [&](const FileResult& result) {
                  progress.Clear();
                  failed += result.error.empty() ? 0 : 1;
                  Show(options, model.answers, files[result.index].string(), result, sheet, status);
                  progress.Advance();
                });
  progress.Clear();
  if (failed > 0 && files.size() > 1)
    PrintError(fmt::format("{} of {} photos could not be classified", failed, files.size()));
  if (options.html.empty()) return;
  WritePage(sheet.Make(model, options.pictures.ForOne(), command), options.html, options.json || options.csv);
}

}  // namespace

void AddClassify(CLI::App& program, int& status) {
  auto options = std::make_shared<ClassifyArguments>();
  CLI::App* command = program.add_subcommand("classify", "Say what is in photos");
  command
      ->add_option(
          "inputs", options->inputs,
          fmt::format("Photos ({}), folders of them, or - for one on standard input", PictureFormats()))
      ->required()
      ->type_name("IMAGE|DIR|-");
  AddModel(*command, options->model, options->offline);
  AddNumber(*command, "--top", options->top, "Labels a photo", {1, 1'000'000});
  AddPictureArguments(*command, options->pictures);
  CLI::Option* json = command->add_flag("--json", options->json, "One JSON object a photo and line");
  command->add_flag("--csv", options->csv, "A table for other programs: a row for each photo and label")
      ->excludes(json);
  AddHtml(*command, options->html)
      ->description(
          "Also write a page of the photos, with their three best labels and where the network looked");
  command->footer(
      "Example: what is in two photos, the three best labels each\n"
      "  mobilenet classify --model flowers.safetensors --top 3 rose.jpg tulip.png\n"
      "A page to look at, of a whole folder\n"
      "  mobilenet classify --model flowers.safetensors holiday --html holiday.html");
  command->callback([options, command, &status] { Run(*options, CommandLine(*command), status); });
}

}  // namespace mobilenet::cli
