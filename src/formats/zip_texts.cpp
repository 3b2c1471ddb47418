#include "formats/zip_texts.h"

#include <algorithm>
#include <string_view>

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

}  // namespace

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

}  // namespace mobilenet
