// Folders of pictures named by class.
#pragma once

#include <filesystem>
#include <vector>

namespace mobilenet {

// The folders in `path`, sorted, hidden ones left out. Throws std::filesystem::filesystem_error.
std::vector<std::filesystem::path> FoldersIn(const std::filesystem::path& path);

}  // namespace mobilenet
