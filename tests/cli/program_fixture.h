// A folder with a small model and a picture, and the program run on it.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "cli/run_program.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "temporary_directory.h"

namespace mobilenet {

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    Model model;
    model.network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
    model.weights = RandomWeights(model.network, 1);
    model.labels = {"red", "green", "睡蓮"};
    model.Save(model_);
    Write("picture.ppm", "P6 no format of ours");
    Write("grey.bmp", Bmp());
  }

  // An 8 x 8 BMP, all grey.
  static std::string Bmp() {
    std::string bytes("BM\xF6\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x08\0\0\0\x08\0\0\0\x01\0\x18\0", 30);
    bytes.resize(54, '\0');
    bytes.resize(54 + 3 * 64, '\x80');
    return bytes;
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    const auto path = directory_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

  std::string Path(const std::string& name) const { return (directory_.path() / name).string(); }

  static Result Run(const std::string& arguments) { return RunProgram(arguments); }

  TemporaryDirectory directory_;
  const std::string model_ = Path("model.safetensors");
};

}  // namespace mobilenet
