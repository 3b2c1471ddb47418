// Reads NumPy's .npy files of float32 matrices: reference outputs of other runtimes.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace mobilenet {

struct Matrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values;
};

inline Matrix LoadNpy(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  char start[10] = {};
  file.read(start, sizeof(start));
  if (!file || std::memcmp(start, "\x93NUMPY\x01", 7) != 0)
    throw std::runtime_error(path.string() + ": no .npy 1.0");
  std::uint16_t length = 0;
  std::memcpy(&length, start + 8, sizeof(length));
  std::string header(length, ' ');
  file.read(header.data(), length);
  std::smatch match;
  const std::regex shape(R"('descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\))");
  if (!std::regex_search(header, match, shape))
    throw std::runtime_error(path.string() + ": not a float32 matrix");
  Matrix matrix{std::stoul(match[1]), std::stoul(match[2]), {}};
  matrix.values.resize(matrix.rows * matrix.columns);
  file.read(reinterpret_cast<char*>(matrix.values.data()),
            static_cast<std::streamsize>(matrix.values.size() * sizeof(float)));
  if (!file) throw std::runtime_error(path.string() + ": cut off");
  return matrix;
}

}  // namespace mobilenet
