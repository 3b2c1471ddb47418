// Folders of pictures named by class, and lists of pictures.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace mobilenet {

// The folders in `path`, sorted, hidden ones left out. Throws std::filesystem::filesystem_error.
std::vector<std::filesystem::path> FoldersIn(const std::filesystem::path& path);

// One line of a list: what stands between its tabs.
struct ListLine {
  int number = 0;    // from 1
  std::string text;  // the beginning of the line, for messages
  std::vector<std::string> fields;
};

// Calls `use` for each line of a list but blank ones and a first one whose fields begin with "file" and
// "class". Throws Error where it can't be opened.
void ReadList(const std::filesystem::path& list, const std::function<void(const ListLine&)>& use);

// The picture that a list names: from the folder named as the list, where it is there, or beside the list.
std::filesystem::path PictureOf(const std::filesystem::path& list, const std::filesystem::path& name);

}  // namespace mobilenet
