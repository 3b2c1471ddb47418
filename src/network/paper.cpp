#include "mobilenet/paper.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/fail.h"
#include "network/kinds.h"
#include "network/paper_cells.h"

namespace mobilenet {
namespace {

std::string Rounded(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

struct Reproduced {
  const char* version;
  Paper (*paper)();
};
constexpr std::array<Reproduced, 4> kPapers = {
    {{"v1", PaperOfV1}, {"v2", PaperOfV2}, {"v3", PaperOfV3}, {"v4", PaperOfV4}}};

}  // namespace

std::vector<Part> PartsOf(const Network& network) {
  const std::span<const Layer> layers = network.layers;
  const auto block = [&](std::size_t i) { return layers[i].name.substr(0, layers[i].name.find('.')); };
  std::vector<Part> parts;
  for (std::size_t begin = 0; begin < layers.size();) {
    std::size_t end = begin + 1;
    while (end < layers.size() && block(end) == block(begin)) ++end;
    parts.push_back(layers.subspan(begin, end - begin));
    begin = end;
  }
  return parts;
}

PaperCell Number(std::string paper, double ours, std::string note) {
  const auto point = paper.find('.');
  const int digits = point == std::string::npos ? 0 : static_cast<int>(paper.size() - point - 1);
  return {std::move(paper), Rounded(ours, digits), std::move(note)};
}

double Millions(std::int64_t count) { return static_cast<double>(count) * 1e-6; }

std::int64_t WeightsOf(const Network& network) {
  std::int64_t weights = 0;
  for (const Layer& layer : network.layers) weights += WeightsOf(layer);
  return weights;
}

std::string Size(const Shape& shape) {
  return Concat(shape.height, " x ", shape.width, " x ", shape.channels);
}

std::vector<std::string> NetworkColumns() { return {"mult-adds, M", "parameters, M"}; }

Paper ReproducePaper(std::string_view version) {
  const auto* found = std::ranges::find(kPapers, version, &Reproduced::version);
  if (found == kPapers.end()) {
    std::string versions;
    for (const std::string& each : PaperVersions()) versions += (versions.empty() ? "" : " or ") + each;
    Fail("there is no paper on ", version, " here, expected ", versions);
  }
  return found->paper();
}

std::vector<std::string> PaperVersions() {
  std::vector<std::string> versions;
  versions.reserve(kPapers.size());
  for (const Reproduced& each : kPapers) versions.emplace_back(each.version);
  return versions;
}

}  // namespace mobilenet
