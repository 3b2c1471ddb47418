#include "formats/imagenet.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "base/fail.h"
#include "base/lower.h"

namespace mobilenet {
namespace {

struct ImagenetClass {
  std::uint32_t wordnet;  // the number of the noun
  std::string_view name;
};

constexpr ImagenetClass kClasses[] = {
#include "formats/imagenet_classes.inc"
};
constexpr std::size_t kCount = std::size(kClasses);
static_assert(kCount == 1000);
static_assert(std::ranges::is_sorted(kClasses, {}, &ImagenetClass::wordnet));

constexpr std::string_view kKey = "labels";  // in the provenance
constexpr std::string_view kAssumed = "none in the file; ";

// Which class the first of ImageNet's is: behind a background, where there is one.
std::optional<int> FirstClass(const Network& network) {
  const int background = network.classes() - static_cast<int>(kCount);
  const Shape& output = network.output();
  const bool fits = network.input.channels == 3 && output.height == 1 && output.width == 1;
  if (!fits || (background != 0 && background != 1)) return std::nullopt;
  return background;
}

std::vector<std::string> LabelsFrom(int first) {
  std::vector<std::string> labels(static_cast<std::size_t>(first), "background");
  for (const ImagenetClass& one : kClasses) labels.emplace_back(one.name);
  return labels;
}

// A label's first word as other lists write it: "tiger_cat", "tiger cat, cat" and "Tiger cat" are one.
bool IsNamed(std::string_view label, std::string_view name) {
  std::string first = Lower(label.substr(0, label.find(',')));
  std::ranges::replace(first, '_', ' ');
  return first == Lower(name.substr(0, name.find(" (")));
}

// Lists differ in some words and in which of several comes first, not in most of them.
bool AreImagenetLabels(const std::vector<std::string>& labels, int first) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < kCount; ++i) same += IsNamed(labels[i + first], kClasses[i].name) ? 1 : 0;
  return same > kCount / 2;
}

}  // namespace

void AssumeImagenetLabels(Model& model) {
  const std::optional<int> first = FirstClass(model.network);
  if (!first || !model.labels.empty()) return;
  model.labels = LabelsFrom(*first);
  model.provenance[std::string(kKey)] =
      Concat(kAssumed, model.network.classes(), " classes: taken for ImageNet's");
}

bool Model::LabelsAreAssumed() const {
  const auto found = provenance.find(std::string(kKey));
  if (found == provenance.end() || !found->second.starts_with(kAssumed)) return false;
  const std::optional<int> first = FirstClass(network);
  return first && labels == LabelsFrom(*first);
}

std::optional<int> ClassOfWordnetId(std::string_view id, const Model& model) {
  constexpr std::size_t kLength = 9;
  if (id.size() != kLength || id[0] != 'n') return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(id.data() + 1, id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  const auto* found = std::ranges::lower_bound(kClasses, number, {}, &ImagenetClass::wordnet);
  const std::optional<int> first = FirstClass(model.network);
  if (found == std::end(kClasses) || found->wordnet != number || !first) return std::nullopt;
  if (!model.labels.empty() && !AreImagenetLabels(model.labels, *first)) return std::nullopt;
  return *first + static_cast<int>(found - kClasses);
}

}  // namespace mobilenet
