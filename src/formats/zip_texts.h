// Text files in a ZIP archive at the end of another file, as TensorFlow Lite's metadata keeps labels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet {

struct TextFile {
  std::string name;
  std::string text;
};

// Those that are named *.txt, by their names. None where there is no archive, a damaged one, or a build
// without libzip.
std::vector<TextFile> TextsInZip(std::span<const std::uint8_t> bytes);

// Throws Error, naming the file around, where a text that it tells of is not among those that were found: it
// is cut, perhaps. A build without libzip finds none, and says nothing.
void CheckTexts(std::span<const std::string> told, std::span<const TextFile> found, std::string_view file);

// An archive of these files as it stands in another file from the byte `at` on: not compressed, as TensorFlow
// Lite's tools want it. Of less than 4 GiB together, which the format can't tell of.
std::string ZipOfTexts(std::span<const TextFile> files, std::size_t at);

}  // namespace mobilenet
