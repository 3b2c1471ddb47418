#include "cli/published_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/fail.h"
#include "base/lower.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

// Made when the first bytes come, since only then their number is known.
class FetchProgress {
 public:
  explicit FetchProgress(const PublishedWeights& weights) : weights_(weights) {}

  void At(std::uint64_t done, std::uint64_t total) {
    if (progress_ == nullptr)
      progress_ =
          std::make_unique<Progress>(total > 0 ? total : weights_.most_bytes, "", weights_.name + " ");
    progress_->AdvanceTo(done, Bytes(static_cast<double>(done)));
  }

 private:
  const PublishedWeights& weights_;
  std::unique_ptr<Progress> progress_;
};

bool IsThere(const std::string& name) {
  std::error_code none;
  return std::filesystem::exists(name, none);
}

// Whether it may be meant as a name of weights, and is no file of an unmistakable kind.
bool MayBeWeights(const std::string& name) {
  const std::string ending = Lower(std::filesystem::path(name).extension().string());
  constexpr std::string_view kFiles[] = {".safetensors", ".h5",  ".hdf5", ".keras", ".tflite", ".onnx",
                                         ".pt",          ".pth", ".bin",  ".json",  ".pb"};
  return name.find('/') == std::string::npos && std::ranges::find(kFiles, ending) == std::end(kFiles);
}

}  // namespace

void FailUnknownWeights(const std::string& name, std::string_view begin) {
  const std::string lower = Lower(name);
  if (const PublishedWeights* meant = FindPublishedWeights(lower); meant != nullptr)
    Fail(name, ": ", begin, "the published weights are called ", meant->name);
  std::string near;
  for (const PublishedWeights& weights : AllPublishedWeights()) {
    if (weights.name.starts_with(lower + "-")) near += Concat(near.empty() ? "" : " and ", weights.name);
  }
  if (!near.empty())
    Fail(name, ": ", begin, "no published weights have just that name, but ", near,
         " are such a network, trained by others than the papers' authors");
  Fail(name, ": ", begin, "no published weights have that name; `mobilenet get` lists them");
}

CLI::Option* AddOffline(CLI::App& command, bool& offline, const std::string& what) {
  return command.add_flag(
      "--offline", offline,
      fmt::format("Never fetch: {} must be here already, where it names published weights", what));
}

GetOptions GettingOptions(const PublishedWeights& weights, bool offline) {
  GetOptions options;
  options.offline = offline;
  if (const char* mirror = std::getenv("MOBILENET_MIRROR"); mirror != nullptr) options.mirror = mirror;
  options.on_fetch = [&weights, mirror = options.mirror] {
    PrintError(fmt::format(
        "{}: fetching {} from {}{}", weights.name, Bytes(static_cast<double>(weights.least_bytes)),
        mirror.empty() ? weights.publisher : "the mirror, as published by " + weights.publisher,
        weights.sha256.empty() ? ", which publishes no checksum to compare with" : ""));
  };
  options.on_wait = [&weights] { PrintError(weights.name + ": another process is fetching it: waiting"); };
  const auto progress = std::make_shared<FetchProgress>(weights);
  options.on_progress = [progress](std::uint64_t done, std::uint64_t total) { progress->At(done, total); };
  return options;
}

Model LoadModel(const std::string& name, bool offline) {
  if (!IsThere(name)) {
    if (const PublishedWeights* weights = FindPublishedWeights(name); weights != nullptr)
      return LoadPublishedWeights(*weights, GettingOptions(*weights, offline));
    if (MayBeWeights(name)) FailUnknownWeights(name, "there is no such file, and ");
  }
  return Model::Load(name);
}

std::filesystem::path ModelFile(const std::string& name) {
  const PublishedWeights* weights = IsThere(name) ? nullptr : FindPublishedWeights(name);
  return weights == nullptr ? std::filesystem::path(name) : WeightsPath(*weights);
}

std::string VerificationText(const PublishedWeights& weights, Verification verification) {
  switch (verification) {
    case Verification::kPublished:
      return fmt::format(
          "as {} publishes it{}", weights.publisher,
          weights.sha256.size() < 64 ? fmt::format(" (its first {} digits)", weights.sha256.size()) : "");
    case Verification::kServer:
      return fmt::format("not verified: {} publishes no checksum, but it is the one that the server told",
                         weights.publisher);
    case Verification::kRecorded:
      return fmt::format(
          "not verified: {} publishes no checksum, but it is the same as when it was fetched first",
          weights.publisher);
    case Verification::kNone:
      return fmt::format("not verified: {}", weights.sha256.empty()
                                                 ? weights.publisher + " publishes no checksum"
                                                 : std::string("this build can't compute checksums"));
  }
  return "";
}

}  // namespace mobilenet::cli
