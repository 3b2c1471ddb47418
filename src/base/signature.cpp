#include "base/signature.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/fail.h"

namespace mobilenet {

bool HasAt(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view magic) {
  if (bytes.size() < offset + magic.size()) return false;
  return std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

bool LooksLikeSafetensors(std::span<const std::uint8_t> bytes) {
  constexpr std::uint64_t kMaxHeader = 100'000'000;  // the format's own limit
  if (bytes.size() <= kSafetensorsLength || bytes[kSafetensorsLength] != '{') return false;
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kSafetensorsLength);
  return length <= kMaxHeader;
}

bool LooksLikeSafetensorsWith(std::string_view key, std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return LooksLikeSafetensors(bytes) && text.find(Concat("\"", key, "\"")) != std::string_view::npos;
}

bool LooksLikeOnnx(std::span<const std::uint8_t> bytes) {
  return bytes.size() > 3 && bytes[0] == 0x08 && bytes[1] >= 3 && bytes[1] < 0x20 &&
         (bytes[2] == 0x12 || bytes[2] == 0x1A || bytes[2] == 0x3A || bytes[2] == 0x42);
}

bool LooksLikeTflite(std::span<const std::uint8_t> bytes) { return HasAt(bytes, 4, "TFL3"); }

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
