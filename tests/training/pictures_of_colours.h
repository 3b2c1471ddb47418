// Pictures of our own for training tests: classes that differ in colour, as BMP files.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "random.h"

namespace mobilenet {

// Writes a noisy picture of one colour.
inline void WriteColour(const std::filesystem::path& path, std::array<int, 3> rgb, std::uint32_t seed,
                        int side = 32) {
  std::filesystem::create_directories(path.parent_path());
  const auto noise = RandomValues(static_cast<std::size_t>(side) * side * 3, seed);
  std::string bytes = "BM";
  const auto number = [&](std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  };
  const int row = (side * 3 + 3) / 4 * 4;
  number(static_cast<std::uint32_t>(54 + row * side), 4);
  number(0, 4);
  number(54, 4);
  number(40, 4);
  number(static_cast<std::uint32_t>(side), 4);
  number(static_cast<std::uint32_t>(side), 4);
  number(1, 2);
  number(24, 2);
  for (int i = 0; i < 6; ++i) number(0, 4);
  std::size_t at = 0;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side * 3; ++x)
      bytes += static_cast<char>(rgb[2 - x % 3] + static_cast<int>(60 * noise[at++]));
    bytes.resize(bytes.size() + static_cast<std::size_t>(row - side * 3), '\0');
  }
  std::ofstream(path, std::ios::binary) << bytes;
}

// DIR/train/CLASS/N.bmp and DIR/val/CLASS/N.bmp for red, green and blue.
inline void WriteColours(const std::filesystem::path& directory, int training, int validation,
                         int side = 32) {
  const std::array<std::pair<const char*, std::array<int, 3>>, 3> classes = {
      {{"red", {150, 90, 90}}, {"green", {90, 150, 90}}, {"blue", {90, 90, 150}}}};
  std::uint32_t seed = 1;
  for (const auto& [name, rgb] : classes) {
    for (int i = 0; i < training + validation; ++i) {
      const char* split = i < training ? "train" : "val";
      WriteColour(directory / split / name / (std::to_string(i) + ".bmp"), rgb, seed++, side);
    }
  }
}

}  // namespace mobilenet
