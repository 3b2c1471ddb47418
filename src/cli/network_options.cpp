#include "cli/network_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <type_traits>

#include "base/enum_names.h"
#include "cli/number.h"
#include "network/fields.h"

namespace mobilenet::cli {
namespace {

constexpr Bounds<int> kSides = {32, 4096};

Resolution ParseResolution(const std::string& text) {
  const std::size_t x = text.find('x');
  try {
    const int height = ParseNumber<int>("--resolution", text.substr(0, x), kSides);
    if (x == std::string::npos) return height;
    return {height, ParseNumber<int>("--resolution", text.substr(x + 1), kSides)};
  } catch (const CLI::ValidationError&) {
    throw CLI::ValidationError(fmt::format(
        "--resolution is {}, expected a whole number from {} to {}, or height x width such as 128x160",
        text.substr(0, 40), kSides.low, kSides.high));
  }
}

template <typename Value>
CLI::Option* AddParsedResolution(CLI::App& command, Value& value) {
  const auto set = [&value](const CLI::results_t& texts) {
    value = ParseResolution(texts.front());
    return true;
  };
  return command
      .add_option("--resolution", set, "Pixels a side, from 32 to 4096, or height x width such as 128x160")
      ->type_name("R");
}

}  // namespace

void AddVersion(CLI::App& command, NetworkArguments& arguments) {
  command
      .add_option("--version", arguments.version,
                  fmt::format("Which MobileNet: {}", fmt::join(RecipeNames(), ", ")))
      ->check(CLI::IsMember(RecipeNames()))
      ->type_name("V")
      ->capture_default_str();
  AddNumber(command, "--alpha", arguments.alpha,
            "Width multiplier: of V1 more than 0 and at most 1, of the others 0.1 to 1.4")
      ->type_name("A");
  command
      .add_option_function<std::string>(
          "--widths", [&arguments](const std::string& name) { arguments.widths = *FromName<V3Widths>(name); },
          "Whose widths V3 has where alpha isn't 1, of which the paper says nothing; by default slim")
      ->check(CLI::IsMember(NamesOf<V3Widths>()))
      ->type_name("W");
}

CLI::Option* AddResolution(CLI::App& command, std::optional<Resolution>& resolution) {
  return AddParsedResolution(command, resolution);
}

CLI::Option* AddResolution(CLI::App& command, Resolution& resolution) {
  return AddParsedResolution(command, resolution)->default_str(TextOf(resolution));
}

void AddComparisons(CLI::App& command, NetworkArguments& arguments) {
  command.add_flag("--standard", arguments.standard,
                   "Standard convolutions instead of separable ones, to compare (V1)");
  command.add_flag("--shallow", arguments.shallow,
                   "Without the five blocks of 512 channels at one resolution, to compare (V1)");
}

Recipe RecipeFrom(const NetworkArguments& arguments) {
  Recipe recipe = *RecipeNamed(arguments.version);
  std::visit(
      [&](auto& options) {
        options.alpha = arguments.alpha;
        options.resolution = arguments.resolution;
        options.classes = arguments.classes;
      },
      recipe);
  if (auto* v1 = std::get_if<V1Options>(&recipe)) {
    v1->separable = !arguments.standard;
    v1->shallow = arguments.shallow;
  } else if (arguments.standard || arguments.shallow) {
    throw CLI::ValidationError(fmt::format("{} is of V1 alone, and --version is {}",
                                           arguments.standard ? "--standard" : "--shallow",
                                           arguments.version));
  }
  if (auto* v3 = std::get_if<V3Options>(&recipe)) {
    v3->widths = arguments.widths.value_or(v3->widths);
  } else if (arguments.widths) {
    throw CLI::ValidationError(
        fmt::format("--widths is of V3 alone, and --version is {}", arguments.version));
  }
  try {
    Build(recipe);
  } catch (const Error& error) {
    throw CLI::ValidationError(error.what());
  }
  return recipe;
}

nlohmann::ordered_json CaptionJson(const Network& network) {
  const Shape& input = network.input;
  nlohmann::ordered_json json = {{"version", VersionOf(network)}};
  const auto add = [&](const char* name, const auto& value, const Allowed&) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_enum_v<Value>) {
      json[name] = NameOf(value);
    } else if constexpr (std::is_same_v<Value, Resolution>) {
      json[name] = value.height == value.width ? nlohmann::ordered_json(value.height)
                                               : nlohmann::ordered_json{value.height, value.width};
    } else {
      json[name] = value;
    }
  };
  if (const std::optional<Recipe> recipe = RecipeOf(network)) {
    std::visit([&](const auto& options) { VisitFields(options, add); }, *recipe);
  } else {
    add("resolution", Resolution(input.height, input.width), kAny);
    add("classes", network.classes(), kAny);
    add("input_channels", input.channels, kAny);
  }
  return json;
}

std::string TextOf(const Resolution& resolution) {
  return resolution.height == resolution.width ? fmt::format("{}", resolution.height)
                                               : fmt::format("{}x{}", resolution.height, resolution.width);
}

}  // namespace mobilenet::cli
