// Which pictures there are, and which of them training must not see.
#include "mobilenet/training_data.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "training/draw.h"
#include "training/sides.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

void RequireSameClasses(const Side& has, const Side& lacks) {
  for (const auto& [name, files] : has.classes) {
    if (!lacks.classes.contains(name))
      Fail(lacks.shown, ": has no pictures of the class \"", name, "\", which ", has.shown, " has");
  }
}

void CheckClasses(const Sides& sides) {
  const Side& training = sides.training;
  if (sides.validation) {
    RequireSameClasses(training, *sides.validation);
    RequireSameClasses(*sides.validation, training);
  }
  if (sides.test) RequireSameClasses(*sides.test, training);
  if (training.classes.size() < 2) {
    Fail(training.shown, ": has ", training.classes.size(),
         training.classes.size() == 1 ? " class" : " classes",
         ", expected a folder with pictures for each of at least two");
  }
}

std::optional<std::uint32_t> NumberOf(std::string_view name) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// The names in their order, and whether all are numbers.
struct Order {
  std::vector<std::string> names;
  bool numbers = true;
};

Order OrderOf(const Side& training, std::vector<std::string>& notes) {
  Order order;
  for (const auto& [name, files] : training.classes) {
    order.names.push_back(name);
    order.numbers = order.numbers && NumberOf(name);
  }
  if (!order.numbers) return order;
  const std::vector<std::string> alphabetical = order.names;
  std::ranges::stable_sort(order.names, {}, [](const std::string& name) { return *NumberOf(name); });
  if (order.names != alphabetical)
    notes.push_back(Concat(training.shown, ": its classes are numbers, and in their order: ",
                           order.names.front(), " is the first, ", order.names.back(), " the last"));
  return order;
}

// What the lines of `labels` call classes that are numbers.
std::vector<std::string> Renamed(const Order& order, const fs::path& labels,
                                 std::vector<std::string>& notes) {
  const std::string shown = labels.string();
  if (!order.numbers)
    Fail(shown, ": names classes that are numbers, but one is called \"",
         *std::ranges::find_if(order.names, [](const auto& name) { return !NumberOf(name); }), "\"");
  const std::vector<std::string> lines = ReadLines(labels);
  const std::uint32_t first = *NumberOf(order.names.front()) == 0 ? 0 : 1;
  const std::size_t needed = std::size_t{*NumberOf(order.names.back())} + 1 - first;
  // Without a class 0, one line too many may be its name, and all others would be off by one.
  if (lines.size() < needed || (first == 1 && lines.size() > needed))
    Fail(shown, ": has ", lines.size(), " lines, expected ", needed, ", one for each class from ", first,
         " to ", order.names.back());
  std::vector<std::string> names;
  for (const std::string& name : order.names) {
    names.push_back(lines[*NumberOf(name) - first]);
    if (names.back().empty()) Fail(shown, ": has no name for the class ", name, ", expected one in its line");
    if (std::ranges::count(names, names.back()) > 1)
      Fail(shown, ": has the name \"", names.back(), "\" twice, expected each once");
  }
  notes.push_back(
      Concat(shown, ": its first line, \"", lines.front(), "\", is taken for the name of the class ", first));
  return names;
}

// A share of the pictures to train on becomes those to validate with.
void DrawValidation(Sides& sides, double share, std::uint64_t seed, const FindOptions& options,
                    TrainingData& data) {
  Drawn drawn = Draw(sides.training, share, seed, options);
  sides.training = std::move(drawn.training);
  sides.validation = std::move(drawn.validation);
  data.unreadable = std::move(drawn.unreadable);
  data.drawn = true;
}

void ValidateWithTest(Sides& sides) {
  if (sides.validation)
    Fail(sides.validation->shown,
         ": is there to validate with, expected no such pictures where those to test "
         "with are to be used");
  if (!sides.test)
    Fail(sides.training.shown, ": there are no pictures to test with, expected some to validate with");
  sides.validation = std::exchange(sides.test, std::nullopt);
}

void Take(const Side& side, const std::string& name, int label, std::vector<Sample>& samples) {
  const auto found = side.classes.find(name);
  if (found == side.classes.end()) return;
  for (const fs::path& file : found->second) samples.push_back({file, label});
}

std::string SummaryOf(const std::string& shown, const TrainingData& data, const Sides& sides) {
  const auto from = [](const Side& side, const char* how) {
    const std::string text = how + side.origin;
    return text.empty() ? text : " (" + text + ")";
  };
  std::string summary =
      Concat(shown, ": ", data.classes.size(), " classes, ", data.training.size(), " pictures to train on",
             data.drawn ? "" : from(sides.training, ""), ", ", data.validation.size(), " to validate with",
             !data.drawn                     ? from(*sides.validation, "")
             : sides.training.origin.empty() ? " (drawn)"
                                             : from(sides.training, "drawn from "));
  if (sides.test)
    summary += Concat(", ", data.test.size(), " to test with once, in the end", from(*sides.test, ""));
  return summary;
}

TrainingData FindAll(const fs::path& path, double share, std::uint64_t seed, const FindOptions& options) {
  if (!fs::exists(path)) Fail(path.string(), ": there is no such folder or list");
  Sides sides = fs::is_directory(path) ? SidesOfFolder(path) : SidesOfList(path);
  if (options.validate_with_test) ValidateWithTest(sides);
  CheckClasses(sides);
  TrainingData data;
  if (!sides.validation) DrawValidation(sides, share, seed, options, data);
  const Order order = OrderOf(sides.training, sides.notes);
  data.classes = options.labels.empty() ? order.names : Renamed(order, options.labels, sides.notes);
  for (std::size_t c = 0; c < order.names.size(); ++c) {
    const int label = static_cast<int>(c);
    Take(sides.training, order.names[c], label, data.training);
    Take(*sides.validation, order.names[c], label, data.validation);
    if (sides.test) Take(*sides.test, order.names[c], label, data.test);
  }
  data.summary = SummaryOf(path.string(), data, sides);
  data.roots = std::move(sides.roots);
  data.notes = std::move(sides.notes);
  return data;
}

}  // namespace

TrainingData TrainingData::Find(const fs::path& path, double validation_share, std::uint64_t seed,
                                const FindOptions& options) {
  return OrOutOfMemory(path.native(), [&] {
    try {
      return FindAll(path, validation_share, seed, options);
    } catch (const fs::filesystem_error& error) {
      Fail(error.path1().string(), ": can't be read: ", error.code().message());
    }
  });
}

}  // namespace mobilenet
