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

// Those that are named *.txt and stored as they are, in the archive's order; together no more than the bytes
// have. None where there is no archive, or a damaged one: up to the damage.
std::vector<TextFile> TextsInZip(std::span<const std::uint8_t> bytes);

}  // namespace mobilenet
