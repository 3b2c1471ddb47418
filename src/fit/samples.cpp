#include "fit/samples.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <variant>

#include "fit/accuracy.h"

namespace mobilenet {
namespace {

struct Size {
  std::string_view version;
  double alpha;
  int resolution;
};

// Three corners of V1's and V2's grids, and enough between them and of the others for every price. The large
// networks are at small resolutions, so that they don't take the others' time.
constexpr std::array<Size, 25> kSamples = {{{"v1", 0.25, 128},
                                            {"v1", 0.25, 224},
                                            {"v1", 0.5, 176},
                                            {"v1", 0.75, 128},
                                            {"v1", 0.75, 208},
                                            {"v1", 1, 160},
                                            {"v1", 1, 224},
                                            {"v2", 0.35, 96},
                                            {"v2", 0.35, 224},
                                            {"v2", 0.5, 160},
                                            {"v2", 0.75, 128},
                                            {"v2", 0.75, 208},
                                            {"v2", 1, 160},
                                            {"v2", 1, 224},
                                            {"v3-large", 0.5, 192},
                                            {"v3-large", 1, 160},
                                            {"v3-large", 1.25, 224},
                                            {"v3-small", 0.5, 224},
                                            {"v3-small", 1, 160},
                                            {"v3-small", 1.25, 224},
                                            {"v4-conv-small", 0.5, 224},
                                            {"v4-conv-small", 1, 160},
                                            {"v4-conv-small", 1.4, 192},
                                            {"v4-conv-medium", 1, 192},
                                            {"v4-conv-large", 1, 192}}};

// All samples are in memory at once. Of networks with more classes than this, the classifier is most, and
// every other sample must do.
constexpr int kManyClasses = 5000;

// "v3" of "v3-large".
std::string_view FamilyOf(std::string_view version) { return version.substr(0, version.find('-')); }

}  // namespace

std::vector<Recipe> SampleNetworks(const FitOptions& options, const std::vector<Candidate>& grid) {
  std::vector<Recipe> samples;
  const std::size_t step = options.classes > kManyClasses ? 2 : 1;
  for (std::size_t i = 0; i < kSamples.size(); i += step) {
    const Size& size = kSamples[i];
    const bool wanted = std::ranges::any_of(
        grid, [&](const Candidate& c) { return FamilyOf(NameOf(c.recipe)) == FamilyOf(size.version); });
    if (!wanted) continue;
    Recipe recipe = TrainedRecipe(size.version, size.alpha, size.resolution, options.training);
    std::visit([&](auto& o) { o.classes = options.classes; }, recipe);
    samples.push_back(recipe);
  }
  return samples;
}

std::vector<std::size_t> ChecksOf(const std::vector<Candidate>& grid, const std::vector<Recipe>& samples) {
  constexpr std::size_t kMost = 4;  // of a version
  std::map<std::string_view, std::vector<std::size_t>> versions;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    if (grid[i].precision == grid.front().precision && std::ranges::count(samples, grid[i].recipe) == 0)
      versions[NameOf(grid[i].recipe)].push_back(i);
  }
  std::vector<std::size_t> checks;
  for (const auto& [version, indices] : versions) {
    const std::size_t count = std::min(kMost, indices.size());
    for (std::size_t k = 0; k < count; ++k) {
      // Evenly over the version's alphas and resolutions; the grid's other half is in the other precision.
      const std::size_t index = indices[(2 * k + 1) * indices.size() / (2 * count)];
      checks.push_back(checks.size() % 2 == 0 ? index : index + grid.size() / 2);
    }
  }
  return checks;
}

}  // namespace mobilenet
