// The pictures that a command line names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace mobilenet::cli {

// How the pictures are run: --threads, --precision, --memory and --max-pixels.
struct PictureArguments {
  int threads = 1;
  std::string precision = "float32";
  MemoryUse memory = MemoryUse::kFast;
  std::size_t max_pixels = kMaxPixels;

  [[nodiscard]] FilesOptions ForFiles(int top = FilesOptions().top) const;
  [[nodiscard]] ClassifierOptions ForOne() const;  // by all threads together
};
void AddPictureArguments(CLI::App& command, PictureArguments& arguments);

constexpr const char* kStdin = "-";
constexpr const char* kStdinFile = "/dev/stdin";

// Files as they are named, and the pictures in folders; standard input is the file that stands for it. A
// folder without pictures is told `report`, with a complaint, and the others go on. Throws Error where
// standard input is named twice, or a folder can't be read.
std::vector<std::filesystem::path> PicturesOf(
    const std::vector<std::string>& inputs,
    const std::function<void(const std::string& input, const std::string& complaint)>& report);

}  // namespace mobilenet::cli
