#include "classify/folders.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "base/fail.h"
#include "base/lower.h"
#include "image/signatures.h"
#include "mobilenet/classifier.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

bool EndsAsImage(const fs::path& path) {
  const std::string extension = Lower(path.extension().string());
  // The last ones are not read, which is then said of each, as of those before them in a build that lacks
  // their libraries.
  constexpr std::array<std::string_view, 14> kExtensions = {".jpg", ".jpeg", ".png",  ".webp", ".bmp",
                                                            ".gif", ".tif",  ".tiff", ".heic", ".heif",
                                                            ".hif", ".avif", ".jxl",  ".jp2"};
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

bool BeginsAsImage(const fs::path& path) {
  std::array<std::uint8_t, kSignatureBytes> bytes{};
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(bytes.data()), bytes.size());
  return IsRead(SignatureOf(bytes).format);
}

// An entry that can't be examined (a link to itself, say) counts as a picture where it is named as one: it is
// reported with the others.
bool IsPicture(const fs::directory_entry& entry) {
  std::error_code unknown;
  const bool file = entry.is_regular_file(unknown);
  return unknown ? EndsAsImage(entry.path()) : file && (EndsAsImage(entry.path()) || BeginsAsImage(entry));
}

// Returns the error that ended it, if any; `entries` has what was read before.
std::error_code Read(const fs::path& folder, Entries& entries) {
  std::error_code error;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::error_code unknown;
    const bool clutter = IsClutter(at->path().filename());
    auto& kind = clutter                     ? entries.skipped
                 : at->is_directory(unknown) ? entries.folders
                 : IsPicture(*at)            ? entries.pictures
                                             : entries.skipped;
    kind.push_back(at->path());
  }
  for (auto* kind : {&entries.folders, &entries.pictures, &entries.skipped}) std::ranges::sort(*kind);
  return error;
}

// The place of a folder, whichever links lead there.
fs::path PlaceOf(const fs::path& folder) {
  std::error_code unknown;
  const fs::path place = fs::canonical(folder, unknown);
  return unknown ? folder : place;
}

// `entered` are the folders that have been read, and those that hold these: no link leads there again.
void Gather(Entries entries, std::set<fs::path>& entered, PictureTree& tree) {
  std::ranges::move(entries.pictures, std::back_inserter(tree.pictures));
  std::ranges::move(entries.skipped, std::back_inserter(tree.skipped));
  for (const fs::path& below : entries.folders) {
    if (!entered.insert(PlaceOf(below)).second) {
      tree.skipped.push_back(below);
      continue;
    }
    Entries inside;
    if (Read(below, inside)) tree.pictures.push_back(below);  // it is reported with those that can't be read
    Gather(std::move(inside), entered, tree);
  }
}

}  // namespace

std::optional<Part> PartNamed(std::string_view name) {
  struct Row {
    std::string_view name;
    Part part;
  };
  constexpr std::array kRows = {
      Row{"train", Part::kTraining},   Row{"training", Part::kTraining},     Row{"val", Part::kValidation},
      Row{"valid", Part::kValidation}, Row{"validation", Part::kValidation}, Row{"dev", Part::kValidation},
      Row{"test", Part::kTest},        Row{"testing", Part::kTest}};
  const auto* const row = std::ranges::find(kRows, Lower(name), &Row::name);
  return row == kRows.end() ? std::nullopt : std::optional(row->part);
}

bool IsClutter(const fs::path& name) {
  constexpr std::array<std::string_view, 10> kNames = {
      "__macosx",    "@eadir",     "$recycle.bin", "system volume information",
      "lost+found",  "#recycle",   "__pycache__",  "thumbs.db",
      "desktop.ini", "ehthumbs.db"};
  const std::string text = name.string();
  return text.starts_with('.') || std::ranges::find(kNames, Lower(text)) != kNames.end();
}

Entries EntriesOf(const fs::path& folder) {
  Entries entries;
  if (const std::error_code error = Read(folder, entries))
    Fail(folder.string(), ": can't be read: ", error.message());
  return entries;
}

PictureTree FindPictures(const fs::path& folder) {
  Entries entries = EntriesOf(folder);
  std::set<fs::path> entered;
  for (fs::path at = PlaceOf(folder); entered.insert(at).second;) at = at.parent_path();
  PictureTree tree;
  Gather(std::move(entries), entered, tree);
  std::ranges::sort(tree.pictures);
  return tree;
}

std::optional<PartFolders> PartFoldersAmong(const std::vector<fs::path>& folders) {
  PartFolders parts;
  std::optional<fs::path> training;
  for (const fs::path& folder : folders) {
    const std::optional<Part> part = PartNamed(folder.filename().string());
    if (!part) {
      parts.others.push_back(folder);
      continue;
    }
    auto& place = *part == Part::kTraining     ? training
                  : *part == Part::kValidation ? parts.validation
                                               : parts.test;
    if (place) Fail(folder.string(), ": is for the same as ", place->string(), ", expected one of the two");
    place = folder;
  }
  if (!training || EntriesOf(*training).folders.empty()) return std::nullopt;
  parts.training = *training;
  return parts;
}

std::vector<fs::path> FindImages(const fs::path& folder) {
  return OrOutOfMemory(folder.native(), [&] { return FindPictures(folder).pictures; });
}

}  // namespace mobilenet
