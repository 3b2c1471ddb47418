// Text files in a ZIP archive at the end of another file, as TensorFlow Lite's metadata keeps labels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mobilenet {

struct TextFile {
  std::string name;
  std::string text;
};

// Those that are named *.txt, by their names. None where there is no archive, a damaged one, or a build
// without libzip.
std::vector<TextFile> TextsInZip(std::span<const std::uint8_t> bytes);

// An archive of these files as it stands in another file from the byte `at` on: not compressed, as TensorFlow
// Lite's tools want it. Of less than 4 GiB together, which the format can't tell of.
std::string ZipOfTexts(std::span<const TextFile> files, std::size_t at);

}  // namespace mobilenet
