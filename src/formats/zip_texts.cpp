#include "formats/zip_texts.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace mobilenet {
namespace {

using Bytes = std::span<const std::uint8_t>;

// PKWARE's APPNOTE.TXT, 4.3: the records that are read, without what follows their fixed part.
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEntrySize = 46;
constexpr std::size_t kHeaderSize = 30;
constexpr std::size_t kMostComment = 65'535;

std::size_t Number(Bytes bytes, std::size_t at, int size) {
  std::size_t value = 0;
  for (int i = size; i-- > 0;) value = value << 8 | bytes[at + static_cast<std::size_t>(i)];
  return value;
}

// Whether a record of this size and mark ("PK" and two numbers) begins there.
bool IsAt(Bytes bytes, std::size_t at, std::size_t size, std::uint8_t third, std::uint8_t fourth) {
  return at <= bytes.size() && size <= bytes.size() - at && bytes[at] == 'P' && bytes[at + 1] == 'K' &&
         bytes[at + 2] == third && bytes[at + 3] == fourth;
}

std::optional<std::size_t> FindEnd(Bytes bytes) {
  for (std::size_t back = kEndSize; back <= std::min(bytes.size(), kEndSize + kMostComment); ++back) {
    if (IsAt(bytes, bytes.size() - back, kEndSize, 5, 6)) return bytes.size() - back;
  }
  return std::nullopt;
}

std::string TextAt(Bytes bytes, std::size_t at, std::size_t size) {
  const auto part = bytes.subspan(at, size);
  return {part.begin(), part.end()};
}

// The contents that a directory's entry leads to, where they are stored as they are.
std::optional<Bytes> Contents(Bytes bytes, std::size_t entry) {
  const std::size_t method = Number(bytes, entry + 10, 2);
  const std::size_t size = Number(bytes, entry + 24, 4);
  const std::size_t header = Number(bytes, entry + 42, 4);
  if (method != 0 || !IsAt(bytes, header, kHeaderSize, 3, 4)) return std::nullopt;
  const std::size_t begin =
      header + kHeaderSize + Number(bytes, header + 26, 2) + Number(bytes, header + 28, 2);
  if (begin > bytes.size() || size > bytes.size() - begin) return std::nullopt;
  return bytes.subspan(begin, size);
}

}  // namespace

std::vector<TextFile> TextsInZip(Bytes bytes) {
  std::vector<TextFile> texts;
  const std::optional<std::size_t> end = FindEnd(bytes);
  if (!end) return texts;
  std::size_t left = bytes.size();
  std::size_t entry = Number(bytes, *end + 16, 4);
  for (std::size_t count = Number(bytes, *end + 10, 2); count > 0; --count) {
    if (!IsAt(bytes, entry, kEntrySize, 1, 2)) break;
    const std::size_t name_size = Number(bytes, entry + 28, 2);
    const std::size_t next =
        entry + kEntrySize + name_size + Number(bytes, entry + 30, 2) + Number(bytes, entry + 32, 2);
    if (next > bytes.size()) break;
    const std::string name = TextAt(bytes, entry + kEntrySize, name_size);
    const std::optional<Bytes> contents = Contents(bytes, entry);
    if (contents && name.ends_with(".txt") && contents->size() <= left) {
      left -= contents->size();
      texts.push_back({name, {contents->begin(), contents->end()}});
    }
    entry = next;
  }
  return texts;
}

}  // namespace mobilenet
