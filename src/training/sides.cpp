#include "training/sides.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "base/fail.h"
#include "base/few.h"
#include "classify/folders.h"
#include "classify/list.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> NamesOf(const std::vector<fs::path>& paths) {
  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const fs::path& path : paths) names.push_back(path.filename().string());
  return names;
}

// What was left out of `folder`: names that systems leave everywhere, each with how often, other files by
// their place.
std::string NoteOfSkipped(const fs::path& folder, const std::vector<fs::path>& skipped) {
  std::map<std::string, int> counts;
  for (const fs::path& path : skipped) {
    const std::string name = path.filename().string();
    ++counts[name.starts_with("._")       ? "._*"
             : IsClutter(path.filename()) ? name
                                          : path.lexically_relative(folder).string()];
  }
  std::vector<std::string> names;
  names.reserve(counts.size());
  for (const auto& [name, count] : counts)
    names.push_back(count == 1 ? name : Concat(name, " (", count, ")"));
  return Concat(
      folder.string(), ": ",
      skipped.size() == 1 ? "one file or folder is" : Concat(skipped.size(), " files or folders are"),
      " left out, being no pictures, of the system's, or there twice: ", Few(names));
}

// Reads folders of classes, and gathers notes.
class FolderReader {
 public:
  explicit FolderReader(const fs::path& folder) : given_(folder), root_(Descend(folder)) {}

  Sides Read() {
    const Entries entries = EntriesOf(root_);
    if (const auto parts = PartFoldersAmong(entries.folders)) {
      ReadParts(*parts, entries);
    } else {
      CheckNames(entries.folders);
      sides_.training = ReadSide(root_);
      sides_.training.origin.clear();
    }
    if (!skipped_.empty()) sides_.notes.push_back(NoteOfSkipped(given_, skipped_));
    return std::move(sides_);
  }

 private:
  // Archives hold a folder of their own name, or unpack into one.
  fs::path Descend(fs::path folder) {
    constexpr int kMost = 3;
    for (int level = 0; level < kMost; ++level) {
      Entries entries = EntriesOf(folder);
      if (entries.folders.size() != 1 || !entries.pictures.empty()) break;
      if (EntriesOf(entries.folders.front()).folders.empty()) break;
      std::ranges::move(entries.skipped, std::back_inserter(skipped_));
      folder = entries.folders.front();
      sides_.notes.push_back(Concat(folder.parent_path().string(), ": holds one folder alone, ",
                                    folder.string(), ", which is read in its place"));
    }
    return folder;
  }

  void ReadParts(const PartFolders& parts, const Entries& entries) {
    const auto has_pictures = [](const fs::path& folder) { return !FindPictures(folder).pictures.empty(); };
    if (!parts.validation && !parts.test && std::ranges::any_of(parts.others, has_pictures)) {
      Fail(root_.string(), ": has a folder ", parts.training.filename().string(), " beside others (",
           Few(NamesOf(parts.others)),
           "), expected one to validate or test with beside it; for a class of that name, write a list");
    }
    if (!parts.others.empty())
      sides_.notes.push_back(Concat(root_.string(), ": of its folders ", Few(NamesOf(parts.others)),
                                    parts.others.size() == 1 ? " is" : " are", " left out, beside ",
                                    parts.training.filename().string()));
    Take(entries);
    sides_.training = ReadSide(Descend(parts.training));
    if (parts.validation) sides_.validation = ReadSide(Descend(*parts.validation));
    if (parts.test) ReadTest(Descend(*parts.test));
  }

  // Pictures to test with are often there without their classes.
  void ReadTest(const fs::path& folder) {
    const Entries entries = EntriesOf(folder);
    if (!entries.folders.empty()) {
      sides_.test = ReadSide(folder);
    } else {
      sides_.notes.push_back(Concat(folder.string(), ": has no folders of classes, and is not tested with"));
    }
  }

  Side ReadSide(const fs::path& folder) {
    Side side = {folder.string(), folder.lexically_relative(root_).string() + "/", {}};
    const Entries entries = EntriesOf(folder);
    Take(entries);
    for (const fs::path& of_class : entries.folders) {
      PictureTree tree = FindPictures(of_class);
      if (tree.pictures.empty()) Fail(of_class.string(), ": has no pictures, expected some for each class");
      std::ranges::move(tree.skipped, std::back_inserter(skipped_));
      side.classes[of_class.filename().string()] = std::move(tree.pictures);
    }
    sides_.roots.push_back(folder);
    return side;
  }

  // What lies beside folders that are read.
  void Take(const Entries& entries) {
    std::ranges::copy(entries.skipped, std::back_inserter(skipped_));
    const auto& pictures = entries.pictures;
    if (pictures.empty() || entries.folders.empty()) return;
    sides_.notes.push_back(
        Concat(pictures.front().parent_path().string(), ": ",
               pictures.size() == 1 ? "one picture lies" : Concat(pictures.size(), " pictures lie"),
               " beside its folders, in none of them, and ", pictures.size() == 1 ? "is" : "are",
               " left out: ", Few(NamesOf(pictures))));
  }

  // Folders that are named as parts of the data and are none: a class may be called so, the data can't.
  void CheckNames(const std::vector<fs::path>& folders) {
    std::vector<fs::path> named;
    std::ranges::copy_if(folders, std::back_inserter(named), [](const fs::path& folder) {
      return PartNamed(folder.filename().string()).has_value();
    });
    const bool nested =
        std::ranges::any_of(named, [](const fs::path& folder) { return !EntriesOf(folder).folders.empty(); });
    if (!named.empty() && (nested || named.size() == folders.size())) {
      Fail(root_.string(), ": has ", Few(NamesOf(named)),
           ", and no folder train with a folder of pictures for each class in it, expected one, or folders "
           "that "
           "are all of classes; pictures without such folders need a list");
    }
    for (const fs::path& folder : named)
      sides_.notes.push_back(Concat(folder.string(), ": is taken for a class of that name"));
  }

  Sides sides_;
  std::vector<fs::path> skipped_;
  fs::path given_;
  fs::path root_;
};

// Sorts the lines of a list, each picture once.
class LineSorter {
 public:
  explicit LineSorter(const fs::path& list) : shown_(list.string()) {}

  void Add(const ListLine& line) {
    std::error_code unknown;
    const fs::path place = fs::weakly_canonical(line.picture, unknown);
    const auto [found, is_new] = listed_.emplace(unknown ? line.picture : place, line);
    if (!is_new) return CheckSame(found->second, line);
    Side& side = parts_[line.part.value_or(Part::kTraining)];
    side.classes[line.class_name].push_back(line.picture);
    there_ += fs::exists(line.picture, unknown) ? 1 : 0;
  }

  Sides Finish(std::vector<std::string> notes) {
    if (there_ == 0) {
      const ListLine& first =
          std::ranges::min_element(listed_, {}, [](const auto& item) { return item.second.number; })->second;
      Fail(shown_, ": none of its pictures is there, expected \"", first.name, "\" at ",
           first.picture.string());
    }
    Sides sides;
    sides.notes = std::move(notes);
    const bool whole = parts_.size() == 1 && parts_.contains(Part::kTraining);
    sides.training = Named(Part::kTraining, whole ? "" : " (the lines for train)");
    if (parts_.contains(Part::kValidation))
      sides.validation = Named(Part::kValidation, " (the lines for val)");
    if (parts_.contains(Part::kTest)) sides.test = Named(Part::kTest, " (the lines for test)");
    if (again_ > 0)
      sides.notes.push_back(Concat(shown_, ": ", again_, again_ == 1 ? " line names" : " lines name",
                                   " a picture again, with the same class: it counts once"));
    return sides;
  }

 private:
  void CheckSame(const ListLine& before, const ListLine& line) {
    const auto again = [&] {
      return Concat(shown_, ": line ", line.number, " lists \"", line.name, "\" again");
    };
    if (before.class_name != line.class_name)
      Fail(again(), ", as \"", line.class_name, "\", expected \"", before.class_name, "\" as in line ",
           before.number);
    if (before.part != line.part) Fail(again(), ", expected no picture to be on both sides");
    ++again_;
  }

  Side Named(Part part, const char* lines) {
    Side side = std::move(parts_[part]);
    side.shown = shown_ + lines;
    return side;
  }

  std::string shown_;
  std::map<fs::path, ListLine> listed_;  // by picture, however its name is written
  std::map<Part, Side> parts_;
  int again_ = 0;
  int there_ = 0;
};

}  // namespace

Sides SidesOfFolder(const fs::path& folder) { return FolderReader(folder).Read(); }

Sides SidesOfList(const fs::path& list) {
  PictureList read = ReadList(list);
  LineSorter sorter(list);
  for (const ListLine& line : read.lines) sorter.Add(line);
  return sorter.Finish(std::move(read.notes));
}

}  // namespace mobilenet
