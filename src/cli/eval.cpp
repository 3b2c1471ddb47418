// mobilenet eval: how often a model is right.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "cli/command.h"
#include "cli/pictures.h"
#include "report/answers.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct EvalArguments {
  std::string model;
  bool offline = false;
  std::string data;
  PictureArguments pictures;
  bool json = false;
  bool csv = false;
  bool per_class = false;
};

nlohmann::ordered_json JsonOf(const EvalArguments& options, const Model& model, const Evaluation& result) {
  auto classes = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < result.classes.size(); ++i) {
    const Evaluation::Class& c = result.classes[i];
    if (c.images == 0) continue;
    nlohmann::ordered_json item = {{"index", i},
                                   {"label", model.Label(static_cast<int>(i))},
                                   {"images", c.images},
                                   {"top1", static_cast<double>(c.top1) / c.images},
                                   {"top5", static_cast<double>(c.top5) / c.images},
                                   {"answered", c.answered},
                                   {"precision", nullptr}};
    if (c.answered > 0) item["precision"] = static_cast<double>(c.top1) / c.answered;
    classes.push_back(std::move(item));
  }
  return {{"answers", NameOf(model.answers)},
          {"images", result.images},
          {"failed", result.failed},
          {"top1", result.top1},
          {"top5", result.top5},
          {"balanced_accuracy", BalancedAccuracy(result.classes)},
          {"calibration_error", result.reliability.Error()},
          {"images_per_second", result.images_per_second},
          {"threads", options.pictures.threads},
          {"classes", classes}};
}

// A photo, its class and the answer; the class's rank is empty where it isn't among the best.
void PrintRow(const Model& model, const Sample& sample, const FileResult& result) {
  std::vector<std::string> cells = {sample.file.string(), std::to_string(sample.label),
                                    model.Label(sample.label)};
  if (!result.error.empty()) {
    cells.insert(cells.end(), {"", "", "", "", result.error});
    return PrintCsv(cells);
  }
  const Prediction& best = result.predictions.front();
  const auto right = std::ranges::find(result.predictions, sample.label, &Prediction::index);
  const bool found = right != result.predictions.end();
  const std::string rank = found ? std::to_string(right - result.predictions.begin() + 1) : "";
  cells.insert(cells.end(),
               {std::to_string(best.index), best.label, fmt::format("{}", best.probability), rank, ""});
  PrintCsv(cells);
}

void PrintResult(const EvalArguments& options, const Model& model, const Evaluation& result) {
  fmt::print("{} photos, top-1 {:.1f} %, top-5 {:.1f} %, {:.0f} photos a second\n", result.images,
             100 * result.top1, 100 * result.top5, result.images_per_second);
  if (const std::string worst = WorstText(result.classes, model); !worst.empty())
    fmt::print("{}\n", Printable(worst));
  if (model.answers == Answers::kSigmoid && model.network.classes() > 1)
    fmt::print("labels are independent: the likeliest one is taken for the answer\n");
  fmt::print("calibration error {:.1f} %\n", 100 * result.reliability.Error());
  if (!options.per_class) return;
  Table table({"class", ">photos", ">top-1 (recall)", ">top-5", ">precision"});
  for (const ClassScore& score : WorstFirst(result.classes)) {
    const Evaluation::Class& c = score.counts;
    table.Add({model.Label(static_cast<int>(score.index)), std::to_string(c.images),
               ShareText(c.top1, c.images), ShareText(c.top5, c.images), ShareText(c.top1, c.answered)});
  }
  fmt::print("\n{}", table.Text());
}

void Run(const EvalArguments& options, int& status) {
  const Model model = ModelFrom(options.model, options.offline);
  const std::vector<Sample> samples = LoadSamples(options.data, model, PrintError);
  if (options.csv)
    PrintCsv({"file", "index", "label", "answer_index", "answer_label", "probability", "rank", "error"});
  Progress progress(samples.size(), "photos");
  const Evaluation result =
      Evaluate(model, samples, options.pictures.ForFiles(), [&](const FileResult& file) {
        if (options.csv || !file.error.empty()) progress.Clear();
        if (options.csv) PrintRow(model, samples[file.index], file);
        if (!file.error.empty()) PrintError(file.error);
        progress.Advance();
      });
  progress.Clear();
  if (result.failed > 0) {
    PrintError(
        fmt::format("{} of {} photos could not be read and are left out", result.failed, samples.size()));
    status = kFailure;
  }
  if (result.images == 0) throw Error(options.data + ": none of its photos could be read");
  if (options.json) return PrintJson(JsonOf(options, model, result));
  if (!options.csv) PrintResult(options, model, result);
}

}  // namespace

void AddEval(CLI::App& program, int& status) {
  auto options = std::make_shared<EvalArguments>();
  CLI::App* command = program.add_subcommand("eval", "Measure how often a model is right");
  command
      ->add_option(
          "data", options->data,
          "A folder with a folder of photos for each class, or a list with a file and a class in each "
          "line, parted by tabs or commas; where a column says train, val or test, as in the split.tsv "
          "of a training, the lines for val, or where there are none, for test. A class is a label, a number "
          "or, of ImageNet, a WordNet id such as n02123159")
      ->required()
      ->type_name("DIR|LIST");
  AddModel(*command, options->model, options->offline);
  AddPictureArguments(*command, options->pictures);
  command->add_flag("--per-class", options->per_class, "A line for each class, the worst first");
  CLI::Option* json = command->add_flag("--json", options->json, "One JSON object, with every class");
  command
      ->add_flag("--csv", options->csv,
                 "A table for other programs: a row for each photo, in place of the counts")
      ->excludes(json);
  command->footer(
      "Example: a folder with test/daisy/*.jpg, test/rose/*.jpg, ...\n"
      "  mobilenet eval --model flowers.safetensors --per-class test");
  command->callback([options, &status] { Run(*options, status); });
}

}  // namespace mobilenet::cli
