// Telling files apart by their first bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mobilenet {

// Whether `magic` stands at `offset`.
bool HasAt(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view magic);

// The first bytes for a message: as text where they are text, in hexadecimal otherwise.
std::string Beginning(std::span<const std::uint8_t> bytes);

}  // namespace mobilenet
