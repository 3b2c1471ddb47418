#include "cli/pictures.h"

#include <algorithm>
#include <system_error>

#include "mobilenet/classifier.h"
#include "mobilenet/error.h"

namespace mobilenet::cli {

FilesOptions PictureArguments::ForFiles(int top) const {
  return {.threads = threads,
          .top = top,
          .precision = PrecisionOf(precision),
          .memory = memory,
          .max_pixels = max_pixels};
}

ClassifierOptions PictureArguments::ForOne() const {
  return {
      .threads = threads, .precision = PrecisionOf(precision), .memory = memory, .max_pixels = max_pixels};
}

void AddPictureArguments(CLI::App& command, PictureArguments& arguments) {
  AddThreads(command, arguments.threads);
  AddPrecision(command, arguments.precision);
  AddMemory(command, arguments.memory);
  AddMaxPixels(command, arguments.max_pixels);
}

std::vector<std::filesystem::path> PicturesOf(
    const std::vector<std::string>& inputs,
    const std::function<void(const std::string& input, const std::string& complaint)>& report) {
  if (std::ranges::count(inputs, kStdin) + std::ranges::count(inputs, kStdinFile) > 1)
    throw Error("- (standard input) is given more than once");
  std::vector<std::filesystem::path> files;
  for (const std::string& input : inputs) {
    std::error_code unknown;  // told with the others' errors
    if (input == kStdin || !std::filesystem::is_directory(input, unknown)) {
      files.emplace_back(input == kStdin ? kStdinFile : input);
      continue;
    }
    const auto found = FindImages(input);
    if (found.empty()) report(input, input + ": has no pictures in it");
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

}  // namespace mobilenet::cli
