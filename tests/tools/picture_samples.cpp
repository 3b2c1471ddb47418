// Writes the small pictures of the tests, of every format and coding, to a folder: seeds for the fuzzer.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "image/samples.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (auto& [name, bytes] : mobilenet::samples::SmallSamples()) {
    std::ranges::replace(name, ' ', '-');
    std::ofstream(std::filesystem::path(argv[1]) / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  return 0;
}
