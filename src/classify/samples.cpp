// Labelled pictures: folders named by class, and lists.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "classify/folders.h"
#include "mobilenet/classifier.h"

namespace mobilenet {
namespace {

constexpr std::size_t kShown = 80;  // of a text in a message

// The class of a name: one of the model's labels, or a number.
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
  if (whole && number >= 0 && number < model.network.classes()) return number;
  return std::nullopt;
}

std::vector<Sample> FromFolders(const std::filesystem::path& path, const Model& model) {
  const std::vector<std::filesystem::path> folders = FoldersIn(path);
  if (folders.empty()) Fail(path.string(), ": has no folders, expected one for each class");
  const bool has_train = std::ranges::find(model.labels, "train") != model.labels.end();
  const auto held_out = has_train ? std::nullopt : HeldOutBesideTrain(path);
  if (held_out)
    Fail(path.string(), ": has folders to train and to measure with: name the second, ", held_out->string());
  const int classes = model.network.classes();
  // Without labels, names that are not numbers can only be told by their order, if all classes are there.
  const bool by_order =
      model.labels.empty() && std::ssize(folders) == classes &&
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

std::vector<Sample> FromList(const std::filesystem::path& path, const Model& model) {
  std::vector<Sample> samples;
  for (const ListLine& line : ReadList(path)) {
    if (line.trains.value_or(false)) continue;
    const std::optional<int> label = ClassOf(line.class_name, model);
    if (!label) {
      Fail(path.string(), ": line ", line.number, " has the class \"", line.class_name.substr(0, kShown),
           "\", expected one of the model's ", model.network.classes(),
           model.labels.empty() ? " class numbers" : " labels or class numbers");
    }
    samples.push_back({line.picture, *label});
  }
  if (samples.empty()) Fail(path.string(), ": all of its lines say \"train\", expected some with \"val\"");
  return samples;
}

std::vector<std::string> FieldsOf(const std::string& text) {
  std::vector<std::string> fields;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\t', begin), text.size());
    fields.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

std::filesystem::path PictureOf(const std::filesystem::path& list, const std::filesystem::path& name) {
  const auto inside = list.parent_path() / list.stem() / name;  // an absolute name stays as it is
  return std::filesystem::exists(inside) ? inside : list.parent_path() / name;
}

}  // namespace

std::vector<std::filesystem::path> FoldersIn(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.is_directory() && !entry.path().filename().string().starts_with('.'))
      folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  return folders;
}

std::optional<std::filesystem::path> HeldOutBesideTrain(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path / "train")) return std::nullopt;
  for (const char* name : {"val", "validation", "test"}) {
    if (std::filesystem::is_directory(path / name)) return path / name;
  }
  return std::nullopt;
}

std::vector<ListLine> ReadList(const std::filesystem::path& list) {
  std::vector<ListLine> lines;
  std::size_t columns = 3;  // a heading may name more, which are for people
  int number = 0;
  for (const std::string& text : ReadLines(list)) {
    ++number;
    if (text.empty()) continue;
    const std::vector<std::string> fields = FieldsOf(text);
    if (number == 1 && fields.size() > 1 && fields[0] == "file" && fields[1] == "class") {
      columns = std::max(columns, fields.size());
      continue;
    }
    if (fields.size() < 2 || fields.size() > columns || fields[0].empty() || fields[1].empty()) {
      Fail(list.string(), ": line ", number, " is \"", text.substr(0, kShown),
           "\", expected a file, a tab and a class, and perhaps a tab and \"train\" or \"val\"");
    }
    ListLine line = {number, fields[0], PictureOf(list, fields[0]), fields[1], {}};
    if (fields.size() > 2) {
      if (fields[2] != "train" && fields[2] != "val")
        Fail(list.string(), ": line ", number, " is for \"", fields[2].substr(0, kShown),
             "\", expected \"train\" or \"val\"");
      line.trains = fields[2] == "train";
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) Fail(list.string(), ": has no pictures in it");
  const auto with =
      std::ranges::count_if(lines, [](const ListLine& line) { return line.trains.has_value(); });
  if (with != 0 && with != std::ssize(lines)) {
    Fail(list.string(), ": ", with, " of its ", lines.size(),
         " lines say \"train\" or \"val\", expected all or none");
  }
  return lines;
}

namespace {

std::vector<Sample> SamplesIn(const std::filesystem::path& path, const Model& model) {
  std::vector<Sample> samples;
  try {
    samples = std::filesystem::is_directory(path) ? FromFolders(path, model) : FromList(path, model);
  } catch (const std::filesystem::filesystem_error& error) {
    Fail(path.string(), ": can't be read: ", error.code().message());
  }
  if (samples.empty()) Fail(path.string(), ": has no pictures in it");
  return samples;
}

}  // namespace

std::vector<Sample> LoadSamples(const std::filesystem::path& path, const Model& model) {
  return OrOutOfMemory(path.native(), [&] { return SamplesIn(path, model); });
}

}  // namespace mobilenet
