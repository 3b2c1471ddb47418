#include "fit/grid.h"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>
#include <utility>
#include <variant>

#include "base/fail.h"
#include "fit/accuracy.h"
#include "runtime/choose_kernels.h"

namespace mobilenet {
namespace {

// By alpha and resolution, for a version whose accuracy is known in between.
void AppendBetween(std::string_view version, std::span<const double> alphas, int lowest,
                   std::vector<Recipe>& recipes) {
  for (const double alpha : alphas) {
    for (int resolution = lowest; resolution <= 224; resolution += 16)
      recipes.push_back(TrainedRecipe(version, alpha, resolution, TrainingRecipe::kOriginal));
  }
}

// Of a version that has variants, all: "v3".
bool IsFamily(std::string_view name, std::string_view version) {
  return name.find('-') == std::string_view::npos && version.substr(0, version.find('-')) == name;
}

bool IsAmong(const std::vector<std::string>& versions, std::string_view version) {
  return versions.empty() || std::ranges::any_of(versions, [&](const std::string& name) {
           return name == version || IsFamily(name, version);
         });
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void CheckVersions(const std::vector<std::string>& versions) {
  const std::vector<std::string> names = FitVersions();
  for (const std::string& version : versions) {
    if (std::ranges::count(names, version) == 0)
      Fail("the version ", version.substr(0, 40), " is none that there is, expected one of ", Joined(names));
  }
}

std::vector<Recipe> RecipesOf(const FitOptions& options) {
  constexpr std::array<double, 7> kV1Alphas = {0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1};
  constexpr std::array<double, 6> kV2Alphas = {0.35, 0.5, 0.625, 0.75, 0.875, 1};
  std::vector<Recipe> recipes = SingleNetworks(options.training);
  if (options.training == TrainingRecipe::kOriginal) {
    AppendBetween("v1", kV1Alphas, 128, recipes);
    AppendBetween("v2", kV2Alphas, 96, recipes);
  }
  const std::vector<std::string> names = RecipeNames();
  std::ranges::sort(recipes, {}, [&](const Recipe& recipe) {
    const auto [alpha, side] =
        std::visit([](const auto& o) { return std::pair(o.alpha, o.resolution.height); }, recipe);
    return std::tuple(std::ranges::find(names, NameOf(recipe)) - names.begin(), alpha, side);
  });
  return recipes;
}

std::vector<Candidate> GridOf(const FitOptions& options) {
  CheckVersions(options.versions);
  if (NameOf(options.training).empty())
    Fail("the recipe ", static_cast<int>(options.training), " is none that there is");
  std::vector<Recipe> recipes = RecipesOf(options);
  std::erase_if(recipes, [&](const Recipe& r) { return !IsAmong(options.versions, NameOf(r)); });
  if (recipes.empty())
    Fail("no accuracy of ", Joined(options.versions), " is published with the recipe ",
         NameOf(options.training), ": expected another version or recipe");
  std::vector<Candidate> grid;
  for (const Precision precision : FitPrecisions()) {
    for (Recipe& recipe : recipes) {
      const std::optional<Accuracy> accuracy = ImagenetAccuracy(recipe, options.training);
      std::visit([&](auto& o) { o.classes = options.classes; }, recipe);
      grid.push_back(CountedCandidate(recipe, precision, MemoryUseFor(options.limits)));
      grid.back().accuracy = *accuracy;
    }
  }
  return grid;
}

}  // namespace

const std::array<Precision, 2>& FitPrecisions() {
  static const std::array<Precision, 2> precisions = {Precision::kFloat32, SixteenBits()};
  return precisions;
}

MemoryUse MemoryUseFor(const Limits& limits) {
  return limits.memory_bytes ? MemoryUse::kLeast : MemoryUse::kFast;
}

Candidate CountedCandidate(const Recipe& recipe, Precision precision, MemoryUse memory) {
  const Network network = Build(recipe);
  const Cost cost = CostOf(network, precision, memory);
  Candidate candidate;
  candidate.recipe = recipe;
  candidate.precision = precision;
  candidate.memory = memory;
  candidate.macs = cost.macs;
  candidate.size_bytes = cost.weight_bytes;
  candidate.memory_bytes = cost.weight_bytes + cost.peak_activation_bytes;
  candidate.energy = EstimateEnergy(network, precision);
  return candidate;
}

std::vector<std::string> FitVersions() {
  std::vector<std::string> names = RecipeNames();
  for (const char* family : {"v3", "v4"}) {
    const auto first = std::ranges::find_if(names, [&](const std::string& n) { return IsFamily(family, n); });
    names.insert(first, family);
  }
  return names;
}

std::vector<Candidate> FitGrid(const FitOptions& options) {
  if (options.classes < 1 || options.classes > kMostFitClasses)
    Fail("classes is ", options.classes, ", expected 1 to ", kMostFitClasses);
  return OrOutOfMemory("choosing", [&] { return GridOf(options); });
}

}  // namespace mobilenet
