// Labelled pictures: folders named by class, and lists.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/fail.h"
#include "classify/folders.h"
#include "classify/labelled.h"
#include "classify/list.h"
#include "formats/imagenet.h"
#include "mobilenet/classifier.h"

namespace mobilenet {
namespace {

constexpr std::size_t kShown = 80;  // of a text in a message

using Tell = std::function<void(const std::string&)>;

// The class of a name: one of the model's labels, a number, or a WordNet id of ImageNet.
std::optional<int> ClassOf(std::string_view name, const Model& model) {
  const auto found = std::ranges::find(model.labels, name);
  if (found != model.labels.end()) {
    if (std::ranges::count(model.labels, name) > 1) {
      Fail("the label \"", name, "\" is that of several classes, expected the class's number");
    }
    return static_cast<int>(found - model.labels.begin());
  }
  int number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  if (whole && number >= 0 && number < model.classes()) return number;
  return ClassOfWordnetId(name, model);
}

std::vector<Sample> FromFolders(const std::filesystem::path& path, const Model& model) {
  const std::vector<std::filesystem::path> folders = EntriesOf(path).folders;
  if (folders.empty()) Fail(path.string(), ": has no folders, expected one for each class");
  const bool has_train = std::ranges::any_of(
      model.labels, [](const auto& label) { return PartNamed(label) == Part::kTraining; });
  const auto parts = has_train ? std::nullopt : PartFoldersAmong(folders);
  if (parts && (parts->validation || parts->test)) {
    Fail(path.string(), ": has folders to train and to measure with: name the second, ",
         (parts->validation ? *parts->validation : *parts->test).string());
  }
  const int classes = model.classes();
  // Without labels of its own, names that are not numbers can only be told by their order, if all classes are
  // there.
  const bool by_order =
      (model.labels.empty() || model.LabelsAreAssumed()) && std::ssize(folders) == classes &&
      std::ranges::any_of(folders, [&](const auto& f) { return !ClassOf(f.filename().string(), model); });
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const std::string name = folders[i].filename().string();
    const std::optional<int> label = by_order ? std::optional(static_cast<int>(i)) : ClassOf(name, model);
    if (!label) {
      Fail(folders[i].string(), ": is named after no class of the model, expected ",
           model.labels.empty() ? Concat("a number from 0 to ", classes - 1)
                                : Concat("one of its labels, such as \"", model.labels.front(), "\""));
    }
    for (auto& file : FindImages(folders[i])) samples.push_back({std::move(file), *label});
  }
  return samples;
}

std::vector<Sample> FromList(const std::filesystem::path& path, const Model& model, const Tell& tell) {
  std::vector<Sample> samples;
  const auto [lines, notes] = ReadList(path);
  if (tell) std::ranges::for_each(notes, tell);
  const auto is_for = [](Part part) { return [part](const ListLine& line) { return line.part == part; }; };
  const Part measured =
      std::ranges::any_of(lines, is_for(Part::kValidation)) ? Part::kValidation : Part::kTest;
  for (const ListLine& line : lines) {
    if (line.part.value_or(measured) != measured) continue;
    const std::optional<int> label = ClassOf(line.class_name, model);
    if (!label) {
      Fail(path.string(), ": line ", line.number, " has the class \"", line.class_name.substr(0, kShown),
           "\", expected one of the model's ", model.classes(),
           model.labels.empty() ? " class numbers" : " labels or class numbers");
    }
    samples.push_back({line.picture, *label});
  }
  if (samples.empty())
    Fail(path.string(), ": all of its lines say \"train\", expected some with \"val\" or \"test\"");
  return samples;
}

std::vector<Sample> SamplesIn(const std::filesystem::path& path, const Model& model, const Tell& tell) {
  CheckClassifies(model.network);
  std::vector<Sample> samples;
  try {
    samples = std::filesystem::is_directory(path) ? FromFolders(path, model) : FromList(path, model, tell);
  } catch (const std::filesystem::filesystem_error& error) {
    Fail(path.string(), ": can't be read: ", error.code().message());
  }
  if (samples.empty()) Fail(path.string(), ": has no pictures in it");
  return samples;
}

}  // namespace

std::vector<Sample> LoadSamples(const std::filesystem::path& path, const Model& model, const Tell& tell) {
  return OrOutOfMemory(path.native(), [&] { return SamplesIn(path, model, tell); });
}

}  // namespace mobilenet
