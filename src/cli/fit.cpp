// mobilenet fit: the most accurate networks that this machine runs within limits.
#include <fmt/format.h>

#include <memory>
#include <variant>

#include "base/enum_names.h"
#include "base/machine.h"
#include "cli/command.h"
#include "cli/number.h"
#include "cli/quantity.h"
#include "report/pages.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct FitArguments {
  FitOptions fit;
  int choices = 5;
  std::string html;
  std::string command;  // as CommandLine gives it
  bool json = false;
};

using Json = nlohmann::ordered_json;

Json LimitsJson(const Limits& limits) {
  Json json = Json::object();
  const auto add = [&](const char* key, const std::optional<double>& limit) {
    if (limit) json[key] = *limit;
  };
  add("latency_ms", limits.latency_ms);
  add("size_bytes", limits.size_bytes);
  add("memory_bytes", limits.memory_bytes);
  add("macs", limits.macs);
  add("energy_mj", limits.energy_mj);
  return json;
}

Json CandidateJson(const Candidate& c) {
  Json json = {{"name", NetworkName(c.recipe)}, {"version", NameOf(c.recipe)}};
  json.update(std::visit(
      [](const auto& options) {
        Json built = {{"alpha", options.alpha},
                      {"resolution", options.resolution.height},
                      {"padding", NameOf(options.padding)}};
        if constexpr (requires { options.widths; }) built["widths"] = NameOf(options.widths);
        return built;
      },
      c.recipe));
  json.update({{"precision", NameOf(c.precision)},
               {"latency_ms", c.timing ? Json(c.timing->median_ms) : Json()},
               {"predicted_ms", c.predicted_ms > 0 ? Json(c.predicted_ms) : Json()},
               {"top1", c.accuracy.top1},
               {"top1_published", c.accuracy.published},
               {"top1_source", c.accuracy.source},
               {"size_bytes", c.size_bytes},
               {"memory_bytes", c.memory_bytes},
               {"memory", NameOf(c.memory)},
               {"macs", c.macs},
               {"energy_mj", c.energy.millijoules},
               {"energy_source", NameOf(c.energy.source)}});
  if (c.timing) {
    json["low_ms"] = c.timing->low_ms;
    json["high_ms"] = c.timing->high_ms;
    json["runs"] = c.timing->runs;
  }
  return json;
}

Json CandidatesJson(const std::vector<Candidate>& candidates) {
  Json json = Json::array();
  for (const Candidate& c : candidates) json.push_back(CandidateJson(c));
  return json;
}

void PrintFitJson(const FitArguments& options, const FitResult& result) {
  Json json = {{"limits", LimitsJson(options.fit.limits)},
               {"versions", options.fit.versions.empty() ? RecipeNames() : options.fit.versions},
               {"recipe", NameOf(options.fit.training)},
               {"choices", CandidatesJson(result.choices)},
               {"threads", options.fit.threads},
               {"processor", ProcessorName()},
               {"pace", result.pace},
               {"grid", CandidatesJson(result.grid)}};
  if (result.nearest) {
    json["nearest"] = CandidateJson(*result.nearest);
    for (const Excess& excess : result.binding) json["binding"].push_back(excess.limit);
  }
  if (options.fit.check) {
    json["checked"] = CandidatesJson(result.checked);
    json["largest_error"] = result.checked.empty() ? Json() : Json(LargestError(result.checked));
  }
  PrintJson(json);
}

void PrintChoices(const std::vector<Candidate>& candidates) {
  Table table({"network", "precision", ">top-1", "published", ">latency", ">half of the runs within",
               ">predicted", ">mult-adds", ">size", ">memory", ">energy", ""});
  for (const Candidate& c : candidates) {
    table.Add({NetworkName(c.recipe), std::string(NameOf(c.precision)), AccuracyText(c.accuracy),
               SourceText(c.accuracy), Milliseconds(c.timing->median_ms),
               fmt::format("{:.3f} to {:.3f}", c.timing->low_ms, c.timing->high_ms),
               Milliseconds(c.predicted_ms), Count(static_cast<double>(c.macs)),
               Bytes(static_cast<double>(c.size_bytes)), Bytes(static_cast<double>(c.memory_bytes)),
               Millijoules(c.energy.millijoules), std::string(NameOf(c.energy.source))});
  }
  fmt::print("{}", table.Text());
}

void PrintCheck(const std::vector<Candidate>& checked) {
  Table table({"network", "precision", ">measured", ">predicted", ">error"});
  for (const Candidate& c : checked) {
    table.Add({NetworkName(c.recipe), std::string(NameOf(c.precision)), Milliseconds(c.timing->median_ms),
               Milliseconds(c.predicted_ms),
               fmt::format("{:+.1f} %", 100 * (c.predicted_ms / c.timing->median_ms - 1))});
  }
  fmt::print("\nnetworks that the latency model was not fitted to:\n{}largest error {:.1f} %\n", table.Text(),
             100 * LargestError(checked));
}

// Networks of other widths than `cost`, `bench` and `train` build unasked.
void TellWidths(const std::vector<Candidate>& choices) {
  std::set<std::string> told;
  for (const Candidate& c : choices) {
    const auto* v3 = std::get_if<V3Options>(&c.recipe);
    if (v3 == nullptr || !told.insert(NetworkName(c.recipe)).second) continue;
    V3Options unasked = *v3;
    unasked.widths = V3Options().widths;
    if (V3(unasked).layers != V3(*v3).layers)
      fmt::print("{}: cost, bench and train build it with --widths {}\n", NetworkName(c.recipe),
                 NameOf(v3->widths));
  }
}

void PrintFitText(const FitArguments& options, const FitResult& result) {
  if (!result.choices.empty()) {
    fmt::print("{}, {}: the most accurate networks within the limits\n\n", ProcessorName(),
               Counted(options.fit.threads, "thread"));
    PrintChoices(result.choices);
    fmt::print(
        "\ntop-1: ImageNet, as published for that network, or ~ interpolated between those that are\n"
        "memory: weights and feature maps; energy, where estimated, is for comparing networks only\n");
    if (std::ranges::none_of(result.choices, [](const Candidate& c) { return c.accuracy.published; })) {
      fmt::print("no published checkpoint was found to meet the limits: these would be trained\n");
    }
    TellWidths(result.choices);
    if (std::abs(result.pace - 1) > 0.1) {
      fmt::print(
          "the machine was busy: the same networks took {:.2f} times as long later as before; try again when "
          "it is "
          "quiet\n",
          result.pace);
    }
  }
  if (options.fit.check && !result.checked.empty()) PrintCheck(result.checked);
}

FitResult RunFit(const FitOptions& options) {
  constexpr std::size_t kParts = 1000;
  Progress progress(kParts, "");
  std::size_t done = 0;
  FitOptions with_progress = options;
  with_progress.progress = [&](double share) {
    for (; done < static_cast<std::size_t>(share * kParts); ++done) progress.Advance();
  };
  return Fit(with_progress);
}

void Run(const FitArguments& options, int& status) {
  if (!options.html.empty()) CheckPage(options.html);  // before half a minute of measuring
  const FitResult result = RunFit(options.fit);
  (options.json ? PrintFitJson : PrintFitText)(options, result);
  if (!options.html.empty()) {
    WritePage(FitPage(result, options.fit, ProcessorName(), options.command), options.html, options.json);
  }
  if (!result.choices.empty()) return;
  PrintError(MissText(result));
  status = kFailure;
}

void AddVersions(CLI::App& command, std::vector<std::string>& versions) {
  command
      .add_option("--version", versions,
                  "Choose among these alone: one, or several with commas between (by default all)")
      ->delimiter(',')
      ->check(CLI::IsMember(FitVersions()))
      ->type_name("V");
}

void AddRecipe(CLI::App& command, TrainingRecipe& training) {
  command
      .add_option_function<std::string>(
          "--recipe", [&training](const std::string& name) { training = *FromName<TrainingRecipe>(name); },
          "Whose training the accuracies are of: original, the papers' authors'; or timm, longer and of "
          "fewer "
          "networks, which alone are then chosen from")
      ->check(CLI::IsMember(NamesOf<TrainingRecipe>()))
      ->type_name("R")
      ->default_str("original");
}

}  // namespace

void AddFit(CLI::App& program, int& status) {
  auto options = std::make_shared<FitArguments>();
  CLI::App* command =
      program.add_subcommand("fit", "Choose the most accurate networks that this machine runs within limits");
  Limits& limits = options->fit.limits;
  AddQuantity(*command, "latency", limits.latency_ms, TimeUnits(), "5ms", "Most time for one image (median)");
  AddQuantity(*command, "size", limits.size_bytes, ByteUnits(), "2MB", "Most bytes of weights");
  AddQuantity(*command, "memory", limits.memory_bytes, ByteUnits(), "8MB",
              "Most bytes of weights and feature maps together");
  AddQuantity(*command, "macs", limits.macs, CountUnits(), "100M", "Most mult-adds for one image");
  AddQuantity(*command, "energy", limits.energy_mj, EnergyUnits(), "5mJ",
              "Most energy for one image: measured where the machine counts it, else estimated");
  AddVersions(*command, options->fit.versions);
  AddRecipe(*command, options->fit.training);
  AddClasses(*command, options->fit.classes, kMostFitClasses);
  AddThreads(*command, options->fit.threads);
  AddNumber(*command, "--choices", options->choices,
            "At most so many networks, and the best published one where none of them was published",
            {1, 100});
  AddNumber(*command, "--seconds", options->fit.seconds, "About how long to measure, all in all", {0.1, 3600})
      ->type_name("S");
  command->add_flag("--check", options->fit.check,
                    "Also time networks that the latency model didn't see, and print its errors");
  command->add_flag("--json", options->json, "One JSON object");
  AddHtml(*command, options->html);
  command->footer(
      "Example: what runs in 3 ms and takes at most 8 MB; the same of V3 and V4 alone, as timm trained them\n"
      "  mobilenet fit --latency 3ms --size 8MB\n"
      "  mobilenet fit --latency 3ms --size 8MB --version v3,v4 --recipe timm");
  command->callback([options, command, &status] {
    options->fit.choices = static_cast<std::size_t>(options->choices);
    options->command = CommandLine(*command);
    Run(*options, status);
  });
}

}  // namespace mobilenet::cli
