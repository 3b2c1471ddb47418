// Files by class, on their way to be TrainingData.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mobilenet {

// One part of the data.
struct Side {
  std::string shown;   // where it was found, for messages
  std::string origin;  // the same within the data, "train/"; empty where it is all of it
  std::map<std::string, std::vector<std::filesystem::path>> classes;

  [[nodiscard]] std::size_t pictures() const {
    std::size_t count = 0;
    for (const auto& [name, files] : classes) count += files.size();
    return count;
  }
};

// What folders or a list say.
struct Sides {
  Side training;
  std::optional<Side> validation;
  std::optional<Side> test;
  std::vector<std::filesystem::path> roots;  // as in TrainingData
  std::vector<std::string> notes;            // the same
};

// Throws Error and std::filesystem::filesystem_error.
Sides SidesOfFolder(const std::filesystem::path& folder);
Sides SidesOfList(const std::filesystem::path& list);

}  // namespace mobilenet
