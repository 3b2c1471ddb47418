// The network that a command is about: described by options, or told of.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"

namespace mobilenet::cli {

struct NetworkArguments {
  std::string version = "v1";
  double alpha = 1;
  std::optional<V3Widths> widths = std::nullopt;
  Resolution resolution;
  int classes = 1000;
  bool standard = false;
  bool shallow = false;
};

// --version, --alpha, and --widths, which V3 alone has.
void AddVersion(CLI::App& command, NetworkArguments& arguments);
// --resolution: a number of pixels, or height x width.
CLI::Option* AddResolution(CLI::App& command, std::optional<Resolution>& resolution);
CLI::Option* AddResolution(CLI::App& command, Resolution& resolution);
// --standard and --shallow, which V1 alone has.
void AddComparisons(CLI::App& command, NetworkArguments& arguments);

// The recipe that the options describe. Throws CLI::ValidationError where it has none such, or where one is
// out of its range.
Recipe RecipeFrom(const NetworkArguments& arguments);

// What JSON says of a network: its version, its input and classes, and all that its recipe has.
nlohmann::ordered_json CaptionJson(const Network& network);

// "160" or "128x160".
std::string TextOf(const Resolution& resolution);

}  // namespace mobilenet::cli
