// ZIP archives as bytes, right ones and wrong ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mobilenet {

struct ZipMember {
  std::string name;
  std::string content;
  int method = 0;                                    // as the archive says: 0 for stored, 8 for deflated
  std::optional<std::uint32_t> size = std::nullopt;  // unpacked, as the archive says, if not the content's
};

// What stands before the archive, and the archive, whose members are stored whatever their method says.
std::string ZipOf(const std::vector<ZipMember>& members, const std::string& before = "");

// The least significant byte first.
std::string LittleEndian(std::uint64_t value, int bytes);

}  // namespace mobilenet
