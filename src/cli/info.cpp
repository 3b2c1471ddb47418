// mobilenet info: what is in a model file.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "cli/network_options.h"
#include "cli/preprocessing_options.h"
#include "cli/published_model.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct InfoArguments {
  std::string model;
  bool offline = false;
  bool json = false;
};

void PrintInfoJson(const Model& model, const Cost& cost, std::uintmax_t file_bytes) {
  const Preprocessing& p = model.preprocessing;
  nlohmann::ordered_json json = CaptionJson(model.network);
  json.update(
      {{"params", cost.params},
       {"macs", cost.macs},
       {"file_bytes", file_bytes},
       {"layers", model.network.layers.size()},
       {"preprocessing", PreprocessingJson(p)},
       {"answers", HasClassifier(model.network) ? nlohmann::ordered_json(NameOf(model.answers)) : nullptr},
       {"labels", model.labels},
       {"labels_assumed", model.LabelsAreAssumed()},
       {"provenance", model.provenance}});
  const std::optional<double> probability = model.PreprocessingProbability();
  json["preprocessing"]["guessed"] = probability ? nlohmann::ordered_json(*probability) : nullptr;
  PrintJson(json);
}

std::string LabelsText(const Model& model) {
  if (model.labels.empty())
    return HasClassifier(model.network) ? "none (convert --labels FILE adds them)" : "none";
  std::string text;
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(kShown, model.labels.size()); ++i) {
    text += (i > 0 ? "; " : "") + model.labels[i];
  }
  if (model.labels.size() > kShown) text += fmt::format("; and {} more", model.labels.size() - kShown);
  return model.LabelsAreAssumed() ? fmt::format("{} ({})", model.provenance.at("labels"), text) : text;
}

std::string AnswersText(const Model& model) {
  const int outputs = model.network.classes();
  if (outputs == 0)
    return fmt::format("none: {} features without a classifier", model.network.output().channels);
  if (model.answers == Answers::kSoftmax)
    return fmt::format("one of {} (softmax)", Counted(outputs, "class", "classes"));
  if (outputs == 1) return "one of two classes, by one output: the second one's probability (sigmoid)";
  return fmt::format("{} independent labels (sigmoid)", outputs);
}

std::string ColoursText(int channels) {
  return channels == 3 ? "RGB" : channels == 1 ? "grey" : Counted(channels, "channel");
}

// " (guessed, 97 %)"; nothing where it is known.
std::string GuessText(const Model& model) {
  const std::optional<double> probability = model.PreprocessingProbability();
  return probability ? fmt::format(" (guessed, {:.0f} %)", 100 * *probability) : "";
}

template <typename Line>
void PrintRecipe(const Recipe& recipe, const Line& line) {
  std::visit(
      [&](const auto& o) {
        line("output stride", std::to_string(o.output_stride));
        line("padding", std::string(NameOf(o.padding)));
        if constexpr (requires { o.activation; }) {
          line("activation",
               fmt::format("{}{}", NameOf(o.activation), o.batch_norm ? " after batch norm" : ""));
        } else {
          line("widths", fmt::format("{}'s", NameOf(o.widths)));
        }
      },
      recipe);
}

void PrintInfoText(const Model& model, const Cost& cost, std::uintmax_t file_bytes) {
  const Network& network = model.network;
  const Preprocessing& p = model.preprocessing;
  const auto line = [](std::string_view key, const std::string& value) {
    fmt::print("{:<15} {}\n", key, Printable(value));
  };
  line("network", fmt::format("{}, {}", TitleOf(network), ColoursText(network.input.channels)));
  line("layers", std::to_string(network.layers.size()));
  line("answers", AnswersText(model));
  line("parameters", Count(static_cast<double>(cost.params)));
  line("mult-adds", Count(static_cast<double>(cost.macs)));
  line("file", Bytes(static_cast<double>(file_bytes)));
  if (const std::optional<Recipe> recipe = RecipeOf(network)) PrintRecipe(*recipe, line);
  line("preprocessing", fmt::format("{}{}: mean {:g} {:g} {:g}, scale {:g} {:g} {:g}, {}", PresetName(p),
                                    GuessText(model), p.mean[0], p.mean[1], p.mean[2], p.scale[0], p.scale[1],
                                    p.scale[2], p.order == ChannelOrder::kRgb ? "RGB" : "BGR"));
  line("crop", CropText(p));
  line("labels", LabelsText(model));
  for (const auto& [key, value] : model.provenance)
    fmt::print("{:<15} {}: {}\n", "provenance", Printable(key), Printable(value));
}

void Run(const InfoArguments& options) {
  const Model model = LoadModel(options.model, options.offline);
  const Cost cost = CostOf(model.network);
  const auto file_bytes = std::filesystem::file_size(ModelFile(options.model));
  options.json ? PrintInfoJson(model, cost, file_bytes) : PrintInfoText(model, cost, file_bytes);
}

}  // namespace

void AddInfo(CLI::App& program) {
  auto options = std::make_shared<InfoArguments>();
  CLI::App* command = program.add_subcommand("info", "Show what is in a model file");
  command
      ->add_option("model", options->model,
                   "Model file, or published weights by name (`mobilenet get` lists them)")
      ->required()
      ->type_name("FILE|NAME");
  AddOffline(*command, options->offline, "the model");
  command->add_flag("--json", options->json, "One JSON object");
  command->footer("Example:\n  mobilenet info mobilenet_1_0_224_tf.h5");
  command->callback([options] { Run(*options); });
}

}  // namespace mobilenet::cli
