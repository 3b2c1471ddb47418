#include "base/signature.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/fail.h"

namespace mobilenet {

bool HasAt(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view magic) {
  if (bytes.size() < offset + magic.size()) return false;
  return std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

std::string Beginning(std::span<const std::uint8_t> bytes) {
  const auto head = bytes.first(std::min<std::size_t>(bytes.size(), 8));
  if (std::ranges::all_of(head, [](std::uint8_t b) { return b >= 0x20 && b < 0x7F; })) {
    return Concat('"', std::string(head.begin(), head.end()), '"');
  }
  std::string text = "bytes";
  for (const std::uint8_t byte : head) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), " %02X", byte);
    text += digits.data();
  }
  return text;
}

}  // namespace mobilenet
