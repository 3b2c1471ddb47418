#include "formats/zip_bytes.h"

#include "formats/zip_texts.h"

namespace mobilenet {
namespace {

// Where a member's head has its method; what it is unpacked to stands behind that.
void Amend(const ZipMember& member, std::size_t method, std::string& zip) {
  constexpr std::size_t kSizeBehind = 14;
  zip.replace(method, 2, LittleEndian(static_cast<std::uint64_t>(member.method), 2));
  if (member.size) zip.replace(method + kSizeBehind, 4, LittleEndian(*member.size, 4));
}

}  // namespace

std::string LittleEndian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
  return text;
}

std::string ZipOf(const std::vector<ZipMember>& members, const std::string& before) {
  std::vector<TextFile> files;
  for (const ZipMember& member : members) files.push_back({member.name, member.content});
  std::string zip = before + ZipOfTexts(files, before.size());
  std::size_t at = before.size();
  for (const ZipMember& member : members) {
    Amend(member, at + 8, zip);
    at += 30 + member.name.size() + member.content.size();
  }
  for (const ZipMember& member : members) {  // the directory
    Amend(member, at + 10, zip);
    at += 46 + member.name.size();
  }
  return zip;
}

}  // namespace mobilenet
