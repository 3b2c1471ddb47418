#include "formats/zip_bytes.h"

#include <string_view>

namespace mobilenet {
namespace {

// ISO 3309's, as ZIP has it.
std::uint32_t Crc(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

}  // namespace

std::string LittleEndian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
  return text;
}

std::string ZipOf(const std::vector<ZipMember>& members, const std::string& before) {
  const auto little = LittleEndian;
  std::string zip = before;
  std::string directory;
  for (const ZipMember& member : members) {
    const std::uint64_t size = member.content.size();
    const std::string head =
        little(20, 2) + little(0, 2) + little(static_cast<std::uint64_t>(member.method), 2) + little(0, 4) +
        little(Crc(member.content), 4) + little(size, 4) + little(member.size ? *member.size : size, 4) +
        little(member.name.size(), 2) + little(0, 2);
    directory += "PK\1\2" + little(20, 2) + head + little(0, 10) + little(zip.size(), 4) + member.name;
    zip += "PK\3\4" + head + member.name + member.content;
  }
  return zip + directory + "PK\5\6" + little(0, 4) + little(members.size(), 2) + little(members.size(), 2) +
         little(directory.size(), 4) + little(zip.size(), 4) + little(0, 2);
}

}  // namespace mobilenet
