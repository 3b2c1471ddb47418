// Files that are brought as models and are none that we read: what they are, and what can be done.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace mobilenet {

// Throws Error, saying what the file is as far as its first bytes tell.
[[noreturn]] void FailForeign(std::span<const std::uint8_t> bytes, std::string_view name);

// The same for a folder, such as a SavedModel.
[[noreturn]] void FailForeignFolder(const std::filesystem::path& folder);

}  // namespace mobilenet
