// Which pictures there are, and which of them training must not see.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "base/fingerprint.h"
#include "base/random.h"
#include "classify/folders.h"
#include "mobilenet/classifier.h"
#include "mobilenet/training.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

// Files by class. `shown` is where they were found, for messages.
struct Split {
  std::string shown;
  std::map<std::string, std::vector<fs::path>> classes;
};

Split ReadSplit(const fs::path& path) {
  Split split = {path.string(), {}};
  for (const fs::path& folder : FoldersIn(path)) {
    auto& files = split.classes[folder.filename().string()];
    files = FindImages(folder);
    if (files.empty()) Fail(folder.string(), ": has no pictures, expected some for each class");
  }
  return split;
}

void RequireSameClasses(const Split& has, const Split& lacks) {
  for (const auto& [name, files] : has.classes) {
    if (!lacks.classes.contains(name))
      Fail(lacks.shown, ": has no pictures of the class \"", name, "\", which ", has.shown, " has");
  }
}

TrainingData Join(const Split& training, const Split& validation) {
  RequireSameClasses(training, validation);
  RequireSameClasses(validation, training);
  if (training.classes.size() < 2) {
    Fail(training.shown, ": has ", training.classes.size(),
         training.classes.size() == 1 ? " class" : " classes",
         ", expected a folder with pictures for each of at least two");
  }
  TrainingData data;
  for (const auto& [name, files] : training.classes) {
    const int label = static_cast<int>(data.classes.size());
    data.classes.push_back(name);
    for (const fs::path& file : files) data.training.push_back({file, label});
    for (const fs::path& file : validation.classes.at(name)) data.validation.push_back({file, label});
  }
  return data;
}

// A number in [0, 1) that depends on the picture's name, its folder's and its class, not on what else there
// is: a picture that is held out stays so when others are added, and what was trained on is never validated
// with.
double PlaceOf(const fs::path& picture, const std::string& class_name, std::uint64_t seed) {
  Fingerprint name;
  name.Add(class_name);
  name.Add(picture.parent_path().filename().string());
  name.Add(picture.filename().string());
  return Random(seed, name.value()).Uniform();
}

// Holds out about a share of the pictures. Since each picture's side hangs on its own name, the share of a
// small class is as it falls: it may even have no pictures to validate with, but some to train on it needs.
TrainingData SplitAtRandom(const Split& all, double share, std::uint64_t seed) {
  if (!(share > 0 && share < 1))
    Fail("a validation share of ", share, ", expected more than 0 and less than 1");
  Split training = {all.shown, {}};
  Split validation = training;
  std::size_t held_out = 0;
  for (const auto& [name, files] : all.classes) {
    for (const fs::path& file : files) {
      const bool hold = PlaceOf(file, name, seed) < share;
      (hold ? validation : training).classes[name].push_back(file);
      held_out += hold ? 1 : 0;
    }
    validation.classes[name];  // of every class, if none
    if (training.classes[name].empty()) {
      Fail(all.shown, ": ", files.size() == 1 ? "the one picture" : Concat("all ", files.size(), " pictures"),
           " of the class \"", name,
           "\" would be held out to validate with, expected some to train on: add pictures, or draw with "
           "another seed");
    }
  }
  if (held_out == 0)
    Fail(all.shown,
         ": none of its pictures would be held out to validate with, expected one at least: add pictures, "
         "a larger share, or another seed");
  TrainingData data = Join(training, validation);
  data.drawn = true;
  return data;
}

TrainingData FromList(const fs::path& path, double share, std::uint64_t seed) {
  Split all = {path.string(), {}};
  Split training = {path.string() + " (the lines for train)", {}};
  Split validation = {path.string() + " (the lines for val)", {}};
  std::map<fs::path, ListLine> listed;  // by picture, however its name is written
  bool has_split = false;
  for (const ListLine& line : ReadList(path)) {
    has_split = line.trains.has_value();
    std::error_code unknown;
    const fs::path canonical = fs::weakly_canonical(line.picture, unknown);
    const auto [found, is_new] = listed.emplace(unknown ? line.picture : canonical, line);
    const ListLine& before = found->second;
    const auto again = [&path, &line] {
      return Concat(path.string(), ": line ", line.number, " lists \"", line.name, "\" again");
    };
    if (before.class_name != line.class_name)
      Fail(again(), ", as \"", line.class_name, "\", expected \"", before.class_name, "\" as in line ",
           before.number);
    // Listed twice to train on, a picture counts double; on both sides, validation would mean nothing.
    if (!is_new && (!has_split || before.trains != line.trains))
      Fail(again(), ", expected no picture to be on both sides");
    Split& side = !has_split ? all : *line.trains ? training : validation;
    side.classes[line.class_name].push_back(line.picture);
  }
  return has_split ? Join(training, validation) : SplitAtRandom(all, share, seed);
}

TrainingData FindAll(const fs::path& path, double validation_share, std::uint64_t seed) {
  try {
    if (!fs::exists(path)) Fail(path.string(), ": there is no such folder or list");
    if (!fs::is_directory(path)) return FromList(path, validation_share, seed);
    if (fs::is_directory(path / "train")) {
      const auto held_out = HeldOutBesideTrain(path);
      if (!held_out)
        Fail(path.string(),
             ": has a folder train, expected val or test beside it; for a class of that name, write a list");
      TrainingData data = Join(ReadSplit(path / "train"), ReadSplit(*held_out));
      data.roots = {path / "train", *held_out};
      return data;
    }
    TrainingData data = SplitAtRandom(ReadSplit(path), validation_share, seed);
    data.roots = {path};
    return data;
  } catch (const fs::filesystem_error& error) {
    Fail(error.path1().string(), ": can't be read: ", error.code().message());
  }
}

}  // namespace

TrainingData TrainingData::Find(const fs::path& path, double validation_share, std::uint64_t seed) {
  return OrOutOfMemory(path.native(), [&] { return FindAll(path, validation_share, seed); });
}

}  // namespace mobilenet
