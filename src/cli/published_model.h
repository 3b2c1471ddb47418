// Models by the names of files or of published weights, which are fetched where they are used first.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cli/command.h"

namespace mobilenet::cli {

// --offline, which forbids to fetch the weights that `what` names.
CLI::Option* AddOffline(CLI::App& command, bool& offline, const std::string& what);

// How the program gets weights: with $MOBILENET_MIRROR, and a bar on standard error once it takes long. What
// it says before fetching, on standard error, is one line.
GetOptions GettingOptions(const PublishedWeights& weights, bool offline);

// The model in the file of that name or, where there is none, of the published weights of that name. Throws
// Error.
Model LoadModel(const std::string& name, bool offline);

// The file that LoadModel has read.
std::filesystem::path ModelFile(const std::string& name);

// Throws Error: there are no weights of that name. `begin` is what the sentence begins with.
[[noreturn]] void FailUnknownWeights(const std::string& name, std::string_view begin = "");

// "not verified: Keras publishes no checksum"
std::string VerificationText(const PublishedWeights& weights, Verification verification);

}  // namespace mobilenet::cli
