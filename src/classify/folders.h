// Folders of pictures named by class.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet {

// What a part of a data set is for.
enum class Part { kTraining, kValidation, kTest };

// By its usual name, in any case: train, training; val, valid, validation, dev; test, testing.
std::optional<Part> PartNamed(std::string_view name);

// Whether systems leave what has this name among people's files: hidden files, __MACOSX, Thumbs.db, ...
bool IsClutter(const std::filesystem::path& name);

// What lies in a folder, each sorted. Links are followed.
struct Entries {
  std::vector<std::filesystem::path> folders;
  std::vector<std::filesystem::path> pictures;  // in the sense of FindImages
  std::vector<std::filesystem::path> skipped;   // clutter, and files that are no pictures
};

// Throws Error where the folder can't be read.
Entries EntriesOf(const std::filesystem::path& folder);

// The pictures in a folder and all below it, as FindImages says, and what is none.
struct PictureTree {
  std::vector<std::filesystem::path> pictures;  // sorted
  // Clutter, files that are no pictures, and folders that a link leads to once more.
  std::vector<std::filesystem::path> skipped;
};

// Throws Error where the folder can't be read.
PictureTree FindPictures(const std::filesystem::path& folder);

// The folders by what they are named for, where one to train on is among them that has folders in it. Throws
// Error where two are for the same.
struct PartFolders {
  std::filesystem::path training;
  std::optional<std::filesystem::path> validation;
  std::optional<std::filesystem::path> test;
  std::vector<std::filesystem::path> others;
};
std::optional<PartFolders> PartFoldersAmong(const std::vector<std::filesystem::path>& folders);

}  // namespace mobilenet
