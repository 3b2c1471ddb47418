// mobilenet get: published weights, by name.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/preprocessing_options.h"
#include "cli/published_model.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct GetArguments {
  std::vector<std::string> names;
  bool list = false;
  bool offline = false;
  bool json = false;
};

bool IsHere(const PublishedWeights& weights) {
  std::error_code none;
  return std::filesystem::is_regular_file(WeightsPath(weights), none);
}

std::string SizeText(const PublishedWeights& weights) {
  return Bytes(static_cast<double>(weights.least_bytes));
}

nlohmann::ordered_json TextOrNull(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

nlohmann::ordered_json JsonOf(const PublishedWeights& weights) {
  return {{"name", weights.name},
          {"publisher", weights.publisher},
          {"licence", weights.licence},
          {"url", weights.url},
          {"listed", weights.listed},
          {"file", weights.file},
          {"least_bytes", weights.least_bytes},
          {"most_bytes", weights.most_bytes},
          {"published_sha256", TextOrNull(weights.sha256)},
          {"resolution", weights.resolution},
          {"preprocessing", PreprocessingJson(weights.preprocessing)},
          {"path", WeightsPath(weights).string()}};
}

void List(bool json) {
  if (json) {
    auto all = nlohmann::ordered_json::array();
    for (const PublishedWeights& weights : AllPublishedWeights()) {
      all.push_back(JsonOf(weights));
      all.back()["here"] = IsHere(weights);
    }
    return PrintJson(all);
  }
  Table table({"name", "publisher", "licence", ">size", "checksum", "here"});
  for (const PublishedWeights& w : AllPublishedWeights())
    table.Add({w.name, w.publisher, w.licence, SizeText(w), w.sha256.empty() ? "" : "SHA-256",
               IsHere(w) ? "yes" : ""});
  fmt::print("{}\nThey are fetched into {}\n", table.Text(), Printable(WeightsCache().string()));
}

// Before anything is fetched.
const PublishedWeights& Named(const std::string& name) {
  if (const PublishedWeights* weights = FindPublishedWeights(name); weights != nullptr) return *weights;
  FailUnknownWeights(name);
}

void Get(const PublishedWeights& weights, const GetArguments& options) {
  const WeightsFile file = GetWeights(weights, GettingOptions(weights, options.offline));
  if (options.json) {
    nlohmann::ordered_json json = JsonOf(weights);
    json.update({{"bytes", file.bytes},
                 {"fetched", file.fetched},
                 {"sha256", TextOrNull(file.sha256)},
                 {"verified", NameOf(file.verification)}});
    return PrintJson(json);
  }
  fmt::print("{}: {}, {} from {}, {}\n", weights.name, file.fetched ? "fetched" : "here already",
             Bytes(static_cast<double>(file.bytes)), weights.publisher, weights.licence);
  fmt::print("  {}\n", Printable(file.path.string()));
  if (!file.sha256.empty()) fmt::print("  SHA-256 {}\n", file.sha256);
  fmt::print("  {}\n", VerificationText(weights, file.verification));
}

void Run(const GetArguments& options) {
  if (options.list && !options.names.empty()) throw Error("--list lists all: it takes no names");
  if (options.names.empty()) return List(options.json);
  std::vector<const PublishedWeights*> all;
  for (const std::string& name : options.names) all.push_back(&Named(name));
  for (const PublishedWeights* weights : all) Get(*weights, options);
}

}  // namespace

void AddGet(CLI::App& program) {
  auto options = std::make_shared<GetArguments>();
  CLI::App* command = program.add_subcommand("get", "Fetch published weights by name, or list them");
  command->add_option("names", options->names, "Weights, such as v1-1.0-224; without a name all are listed")
      ->type_name("NAME");
  command->add_flag("--list", options->list, "List what has a name, as without one");
  command->add_flag("--offline", options->offline, "Never fetch: check what is here already");
  command->add_flag("--json", options->json, "One JSON object for each, or of the list an array of them");
  command->footer(
      "Example: fetch MobileNet V2, then say what is in a photo\n"
      "  mobilenet get v2-1.0-224\n"
      "  mobilenet classify --model v2-1.0-224 photo.jpg\n"
      "Wherever a command takes a model, it takes such a name, too, and fetches the weights where they are "
      "used first. They are kept in $XDG_CACHE_HOME/mobilenet or ~/.cache/mobilenet. $MOBILENET_MIRROR is an "
      "address to fetch from instead, $https_proxy a proxy.");
  command->callback([options] { Run(*options); });
}

}  // namespace mobilenet::cli
