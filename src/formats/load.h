// Models from bytes, whatever their format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "mobilenet/model.h"

namespace mobilenet {

// What Model::Load does for a file, for bytes that `owner` keeps alive. `folder` is where the file lies,
// which may need others beside it; null for bytes without a place. Throws Error.
Model ParseModel(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner,
                 std::string_view name, const std::filesystem::path* folder = nullptr);

}  // namespace mobilenet
