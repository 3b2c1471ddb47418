// `mobilenet train` on pictures that differ in colour.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/run_program.h"
#include "gmock/gmock.h"
#include "temporary_directory.h"
#include "training/pictures_of_colours.h"

namespace mobilenet {

class TrainProgramTest : public testing::Test {
 protected:
  TrainProgramTest() { WriteColours(data_, 20, 4); }

  [[nodiscard]] std::string Path(const std::string& name) const {
    return (directory_.path() / name).string();
  }

  // The command for a small network; `more` are further options.
  [[nodiscard]] std::string Train(const std::string& out, const std::string& more = "") const {
    return "train " + data_.string() + " --out " + Path(out) +
           " --alpha 0.25 --resolution 32 --output-stride 32 --epochs 6 --batch 15 --lr 0.05 --threads 2" +
           (more.empty() ? "" : " " + more);
  }

  // The same command with other epochs.
  static std::string Longer(std::string command, int epochs = 20) {
    return command.replace(command.find("--epochs 6"), 10, "--epochs " + std::to_string(epochs));
  }

  static std::string Text(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  [[nodiscard]] std::vector<std::string> FilesIn(const std::filesystem::path& path) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      names.push_back(entry.path().filename().string());
    return names;
  }

  TemporaryDirectory directory_;
  const std::filesystem::path data_ = directory_.path() / "data";
};

}  // namespace mobilenet
