// Where the third-party data for tests lies: photos, published weights and reference outputs that are not
// part of this project. A test that needs them starts with MOBILENET_REQUIRE_DATA(path) and skips elsewhere.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "gtest/gtest.h"

namespace mobilenet {

// $MOBILENET_DATA, or ../shared/data beside the project.
inline std::filesystem::path SharedData() {
  if (const char* path = std::getenv("MOBILENET_DATA"); path != nullptr) return path;
  return std::filesystem::path(MOBILENET_SOURCE_DIR) / ".." / "shared" / "data";
}

}  // namespace mobilenet

#define MOBILENET_REQUIRE_DATA()                                                          \
  if (!std::filesystem::exists(mobilenet::SharedData())) {                                \
    GTEST_SKIP() << "needs the third-party data in " << mobilenet::SharedData().string(); \
  }                                                                                       \
  static_assert(true, "a semicolon follows")
