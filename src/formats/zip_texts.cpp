#include "formats/zip_texts.h"

#include <algorithm>
#include <string_view>

#include "base/fail.h"
#include "formats/zip.h"
#include "mobilenet/error.h"

namespace mobilenet {
namespace {

using Bytes = std::span<const std::uint8_t>;

// The record that ends an archive, before a comment (PKWARE's APPNOTE.TXT, 4.3.16).
bool HasArchiveAtEnd(Bytes bytes) {
  constexpr std::size_t kMost = 22 + 65'535;
  constexpr std::string_view kEnd = "PK\5\6";
  const Bytes last = bytes.last(std::min(bytes.size(), kMost));
  return std::search(last.begin(), last.end(), kEnd.begin(), kEnd.end()) != last.end();
}

std::vector<TextFile> TextsIn(const ZipArchive& archive) {
  std::vector<TextFile> texts;
  for (const auto& [name, file] : archive.files()) {
    if (!name.ends_with(".txt")) continue;
    const std::vector<std::uint8_t> text = archive.Read(name);
    texts.push_back({name, {text.begin(), text.end()}});
  }
  return texts;
}

// CRC-32, as ISO 3309 has it.
std::uint32_t Checksum(std::string_view text) {
  std::uint32_t crc = ~0U;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

std::string LittleEndian(std::size_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
  return text;
}

// What the head of a file and its entry in the directory have in common (APPNOTE.TXT, 4.4): the version that
// unpacks it, no flags, stored, midnight of 1 January 1980, which is the first day that there is.
std::string Head(const TextFile& file) {
  constexpr std::size_t kVersion = 20;
  constexpr std::size_t kFirstDay = 1 << 5 | 1;
  const std::string size = LittleEndian(file.text.size(), 4);
  return LittleEndian(kVersion, 2) + LittleEndian(0, 6) + LittleEndian(kFirstDay, 2) +
         LittleEndian(Checksum(file.text), 4) + size + size + LittleEndian(file.name.size(), 2) +
         LittleEndian(0, 2);
}

}  // namespace

std::string ZipOfTexts(std::span<const TextFile> files, std::size_t at) {
  std::string zip;
  std::string directory;
  for (const TextFile& file : files) {
    directory += "PK\1\2" + LittleEndian(20, 2) + Head(file) + LittleEndian(0, 10) +
                 LittleEndian(at + zip.size(), 4) + file.name;
    zip += "PK\3\4" + Head(file) + file.name + file.text;
  }
  const std::string count = LittleEndian(files.size(), 2);
  return zip + directory + "PK\5\6" + LittleEndian(0, 4) + count + count + LittleEndian(directory.size(), 4) +
         LittleEndian(at + zip.size(), 4) + LittleEndian(0, 2);
}

std::vector<TextFile> TextsInZip(Bytes bytes) {
  if constexpr (MOBILENET_READS_ZIP == 1) {
    if (!HasArchiveAtEnd(bytes)) return {};
    try {
      return TextsIn(ZipArchive(bytes, "texts"));
    } catch (const OutOfMemory&) {
      throw;
    } catch (const Error&) {  // damaged, or something else that has these four bytes near its end
      return {};
    }
  }
  return {};
}

void CheckTexts(std::span<const std::string> told, std::span<const TextFile> found, std::string_view file) {
  if constexpr (MOBILENET_READS_ZIP == 1) {
    for (const std::string& name : told) {
      if (std::ranges::find(found, name, &TextFile::name) == found.end())
        Fail(file, ": its metadata says that ", name,
             " is in an archive at its end, but it is not there: the file is cut or damaged");
    }
  }
}

}  // namespace mobilenet
