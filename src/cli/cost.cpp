// mobilenet cost: parameters, mult-adds and bytes, from the description alone.
#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/network_options.h"
#include "cli/published_model.h"
#include "formats/json_fields.h"
#include "report/pages.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct CostArguments {
  std::string model;
  bool offline = false;
  NetworkArguments network;
  std::string precision = "float32";
  MemoryUse memory = MemoryUse::kFast;
  bool layers = false;
  bool compare = false;
  bool json = false;
  std::string html;
  std::string command;  // as CommandLine gives it
};

std::string Count64(std::int64_t value) { return Count(static_cast<double>(value)); }
std::string Bytes64(std::int64_t value) { return Bytes(static_cast<double>(value)); }
std::string Percent(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "";
  return fmt::format("{:.2f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}
double Ratio(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

nlohmann::ordered_json ComparisonJson(const Network& network) {
  auto blocks = nlohmann::ordered_json::array();
  for (const BlockComparison& b : CompareWithStandard(network)) {
    blocks.push_back({{"name", b.name},
                      {"standard_macs", b.standard.macs},
                      {"depthwise_macs", b.depthwise.macs},
                      {"pointwise_macs", b.pointwise.macs},
                      {"standard_params", b.standard.params},
                      {"separable_params", b.separable_params()},
                      {"ratio", Ratio(b.separable_macs(), b.standard.macs)},
                      {"formula", b.formula}});
  }
  return blocks;
}

void PrintCostJson(const CostArguments& options, const Network& network, const Cost& cost) {
  auto layers = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    layers.push_back({{"name", layer.name},
                      {"kind", NameOf(layer.kind)},
                      {"kernel", layer.kernel},
                      {"stride", ToJson(layer.stride)},
                      {"input", {layer.input.height, layer.input.width, layer.input.channels}},
                      {"output", {layer.output.height, layer.output.width, layer.output.channels}},
                      {"params", cost.layers[i].params},
                      {"macs", cost.layers[i].macs},
                      {"weight_bytes", cost.layers[i].weight_bytes},
                      {"activation_bytes", cost.layers[i].activation_bytes}});
  }
  auto kinds = nlohmann::ordered_json::array();
  for (const KindCost& kind : CostByKind(network)) {
    kinds.push_back(
        {{"kind", NameOf(kind.kind)}, {"layers", kind.layers}, {"params", kind.params}, {"macs", kind.macs}});
  }
  nlohmann::ordered_json json = {{"params", cost.params},
                                 {"macs", cost.macs},
                                 {"precision", options.precision},
                                 {"weight_bytes", cost.weight_bytes},
                                 {"peak_activation_bytes", cost.peak_activation_bytes},
                                 {"memory", NameOf(options.memory)},
                                 {"kinds", kinds},
                                 {"layers", layers}};
  json.update(CaptionJson(network));
  if (options.compare) json["blocks"] = ComparisonJson(network);
  PrintJson(json);
}

void PrintKinds(const Network& network, const Cost& cost) {
  Table table({"layers", ">number", ">mult-adds", ">share", ">parameters", ">share"});
  for (const KindCost& kind : CostByKind(network)) {
    table.Add({std::string(NameOf(kind.kind)), std::to_string(kind.layers), Count64(kind.macs),
               Percent(kind.macs, cost.macs), Count64(kind.params), Percent(kind.params, cost.params)});
  }
  fmt::print("\n{}", table.Text());
}

std::string StrideText(const Stride& stride) {
  if (stride.down == stride.across) return std::to_string(stride.down);
  return fmt::format("{} x {}", stride.down, stride.across);
}

void PrintLayers(const Network& network, const Cost& cost) {
  Table table(
      {"layer", "kind", ">stride", "input", "output", ">mult-adds", ">parameters", ">weights", ">output"});
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const LayerCost& item = cost.layers[i];
    table.Add({layer.name, std::string(NameOf(layer.kind)), StrideText(layer.stride), ShapeName(layer.input),
               ShapeName(layer.output), Count64(item.macs), Count64(item.params), Bytes64(item.weight_bytes),
               Bytes64(item.activation_bytes)});
  }
  fmt::print("\n{}", table.Text());
}

// The separable network beside its standard twin, block by block and as a whole.
void PrintComparison(const Network& network) {
  Table table({"block", "output", ">standard", ">depthwise", ">pointwise", ">ratio", ">1/N + 1/K²",
               ">parameters", ">ratio"});
  for (const BlockComparison& b : CompareWithStandard(network)) {
    table.Add({b.name, ShapeName(b.output), Count64(b.standard.macs), Count64(b.depthwise.macs),
               Count64(b.pointwise.macs), fmt::format("{:.4f}", Ratio(b.separable_macs(), b.standard.macs)),
               fmt::format("{:.4f}", b.formula),
               Count64(b.standard.params) + " -> " + Count64(b.separable_params()),
               fmt::format("{:.4f}", Ratio(b.separable_params(), b.standard.params))});
  }
  fmt::print("\nmult-adds of each block as a standard convolution, and as depthwise + pointwise:\n{}",
             table.Text());

  const std::optional<Network> twin = StandardTwin(network);
  if (!twin) return;
  const Cost standard = CostOf(*twin);
  const Cost separable = CostOf(network);
  fmt::print(
      "\nthe whole network: {} mult-adds and {} parameters standard, {} and {} separable: {:.1f} and {:.1f} "
      "times fewer\n",
      Count64(standard.macs), Count64(standard.params), Count64(separable.macs), Count64(separable.params),
      Ratio(standard.macs, separable.macs), Ratio(standard.params, separable.params));
}

void PrintCostText(const CostArguments& options, const Network& network, const Cost& cost) {
  fmt::print("{}, {}\n\n", TitleOf(network), Counted(network.classes(), "class", "classes"));
  fmt::print("parameters    {} ({})\n", Count64(cost.params), cost.params);
  fmt::print("mult-adds     {} ({})\n", Count64(cost.macs), cost.macs);
  fmt::print("weights       {} in {}\n", Bytes64(cost.weight_bytes), options.precision);
  fmt::print("feature maps  {} at most\n", Bytes64(cost.peak_activation_bytes));
  PrintKinds(network, cost);
  if (options.layers) PrintLayers(network, cost);
  if (options.compare) PrintComparison(network);
}

void Run(const CostArguments& options) {
  if (!options.html.empty() && !options.model.empty() && SamePlace(options.html, options.model))
    throw Error(options.html + ": is to be both the model and the page: give it another name");
  if (!options.html.empty()) CheckPage(options.html);
  const Network network = options.model.empty() ? Build(RecipeFrom(options.network))
                                                : LoadModel(options.model, options.offline).network;
  if (options.compare && CompareWithStandard(network).empty()) {
    throw Error(
        "--compare sets a network beside its standard twin, and this one has no separable convolutions");
  }
  const Cost cost = CostOf(network, *PrecisionOf(options.precision), options.memory);
  (options.json ? PrintCostJson : PrintCostText)(options, network, cost);
  if (!options.html.empty()) {
    WritePage(CostPage(network, cost, *PrecisionOf(options.precision), options.command), options.html,
              options.json);
  }
}

}  // namespace

void AddCost(CLI::App& program) {
  auto options = std::make_shared<CostArguments>();
  CLI::App* command =
      program.add_subcommand("cost", "Count parameters, mult-adds and bytes, without running anything");
  CLI::Option* model = AddModel(*command, options->model, options->offline);
  model->description("Model file; without one, the network that the options below describe");
  AddVersion(*command, options->network);
  AddResolution(*command, options->network.resolution);
  AddClasses(*command, options->network.classes);
  AddComparisons(*command, options->network);
  for (const char* name :
       {"--version", "--alpha", "--widths", "--resolution", "--classes", "--standard", "--shallow"})
    command->get_option(name)->excludes(model);
  command
      ->add_option("--precision", options->precision,
                   "How weights and feature maps are stored: float32, bfloat16, "
                   "float16 or int8")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16", "int8"}))
      ->type_name("P")
      ->capture_default_str();
  AddMemory(*command, options->memory);
  command->add_flag("--layers", options->layers, "A line for each layer");
  command->add_flag("--compare", options->compare, "Each block beside the standard convolution it replaces")
      ->excludes(command->get_option("--standard"));
  command->add_flag("--json", options->json, "One JSON object, with every layer");
  AddHtml(*command, options->html);
  command->footer(
      "Example: what separable convolutions save, block by block\n"
      "  mobilenet cost --alpha 0.5 --resolution 160 --compare\n"
      "Half of V3-Small's width, as timm counts it, layer by layer\n"
      "  mobilenet cost --version v3-small --alpha 0.5 --widths timm --layers");
  command->callback([options, command] {
    options->command = CommandLine(*command);
    Run(*options);
  });
}

}  // namespace mobilenet::cli
