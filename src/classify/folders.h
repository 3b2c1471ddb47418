// Folders of pictures named by class, and lists of pictures.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mobilenet {

// The folders in `path`, sorted, hidden ones left out. Throws std::filesystem::filesystem_error.
std::vector<std::filesystem::path> FoldersIn(const std::filesystem::path& path);

// What is to be measured or validated with, in a folder that also has one to train on: DIR/val,
// DIR/validation or DIR/test beside DIR/train.
std::optional<std::filesystem::path> HeldOutBesideTrain(const std::filesystem::path& path);

// One line of a list: a file, a tab and a class, and perhaps a tab and "train" or "val".
struct ListLine {
  int number = 0;                 // from 1
  std::string name;               // of the picture, as it stands there
  std::filesystem::path picture;  // from the folder named as the list, where it is there, or beside the list
  std::string class_name;
  std::optional<bool> trains;  // "train"; in all lines or in none
};

// The lines of a list but blank ones and a first one that begins with "file" and "class", which may name
// more columns than are read. Throws Error where it can't be read, for the first line that is none, and where
// there are none.
std::vector<ListLine> ReadList(const std::filesystem::path& list);

}  // namespace mobilenet
