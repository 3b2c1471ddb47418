// Boxes by ISO/IEC 14496-12 and 23008-12.
#include "image/heif_items.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mobilenet {
namespace {

constexpr std::uint64_t kFullBox = 4;  // bytes of version and flags

void ForEachBox(Bytes bytes, const auto& visit) {
  while (bytes.size() >= 8) {
    BitReader reader(bytes);
    std::uint64_t length = reader.Integer(4);
    const auto tag = static_cast<std::uint32_t>(reader.Integer(4));
    const std::uint64_t head = length == 1 ? 16 : 8;
    if (length == 1) length = reader.Integer(8);
    if (length == 0) length = bytes.size();
    if (length < head || length > bytes.size()) return;
    visit(tag, bytes.subspan(head, length - head));
    bytes = bytes.subspan(length);
  }
}

// The first one's content; none where there is none.
Bytes BoxIn(Bytes bytes, std::string_view name) {
  Bytes found;
  bool is_first = true;
  ForEachBox(bytes, [&](std::uint32_t tag, Bytes content) {
    if (tag == Tag(name) && std::exchange(is_first, false)) found = content;
  });
  return found;
}

Bytes LastBoxIn(Bytes bytes, std::string_view name) {
  Bytes found;
  ForEachBox(bytes, [&](std::uint32_t tag, Bytes content) {
    if (tag == Tag(name)) found = content;
  });
  return found;
}

bool IsPicture(std::uint32_t type) {
  return type == Tag("hvc1") || type == Tag("av01") || type == Tag("grid") || type == Tag("iovl");
}

}  // namespace

HeifItems::HeifItems(Bytes file) {
  const Bytes meta = LastBoxIn(file, "meta");
  const Bytes boxes = Part(meta, kFullBox, meta.size());
  BitReader primary(BoxIn(boxes, "pitm"));
  const std::uint64_t version = primary.Integer(1);
  primary.Skip(24);
  primary_ = primary.Integer(version == 0 ? 2 : 4);
  ReadTypes(BoxIn(boxes, "iinf"));
  ReadPlaces(BoxIn(boxes, "iloc"), file, BoxIn(boxes, "idat"));
  const Bytes properties = BoxIn(boxes, "iprp");
  ReadProperties(BoxIn(properties, "ipco"));
  ForEachBox(properties, [&](std::uint32_t tag, Bytes content) {
    if (tag == Tag("ipma")) ReadUses(content);
  });
  ReadReferences(BoxIn(boxes, "iref"));
}

void HeifItems::ReadTypes(Bytes content) {
  BitReader reader(content);
  const std::uint64_t count_bytes = reader.Integer(1) == 0 ? 2 : 4;
  ForEachBox(Part(content, kFullBox + count_bytes, content.size()), [&](std::uint32_t tag, Bytes entry) {
    if (tag != Tag("infe")) return;
    BitReader item(entry);
    const std::uint64_t version = item.Integer(1);
    item.Skip(24);
    const std::uint64_t id = item.Integer(version == 2 ? 2 : 4);
    item.Skip(16);
    const auto [at, is_new] = items_.try_emplace(id);
    if (is_new) at->second.type = static_cast<std::uint32_t>(item.Integer(4));
  });
}

// ISO/IEC 14496-12, 8.11.3.
void HeifItems::ReadPlaces(Bytes content, Bytes file, Bytes idat) {
  BitReader reader(content);
  const std::uint64_t version = reader.Integer(1);
  reader.Skip(24);
  const std::uint64_t offset_bytes = reader.Bits(4), length_bytes = reader.Bits(4),
                      base_bytes = reader.Bits(4);
  const std::uint64_t last = reader.Bits(4);  // reserved in version 0
  const std::uint64_t index_bytes = version == 0 ? 0 : last;
  std::size_t places = 0;
  for (auto items = reader.Integer(version < 2 ? 2 : 4); items > 0 && !reader.AtEnd(); --items) {
    const std::uint64_t id = reader.Integer(version < 2 ? 2 : 4);
    const bool inside = version != 0 && (reader.Integer(2) & 15U) == 1;  // in idat
    reader.Skip(16);
    const std::uint64_t base = reader.Integer(base_bytes);
    std::vector<Bytes> extents;
    for (auto count = reader.Integer(2); count > 0 && !reader.AtEnd(); --count) {
      if (++places > content.size()) return;  // of no bytes each
      reader.Skip(8 * index_bytes);
      const std::uint64_t offset = reader.Integer(offset_bytes);
      const std::uint64_t length = reader.Integer(length_bytes);
      extents.push_back(Part(inside ? idat : file, base + offset, length));
      named_ += extents.back().size();
    }
    const auto item = items_.find(id);
    if (item != items_.end() && item->second.data.empty() && IsPicture(item->second.type))
      SetData(item->second, extents, file.size());
  }
}

// What is longer than the file is made of the same bytes many times.
void HeifItems::SetData(HeifItem& item, const std::vector<Bytes>& extents, std::size_t most) {
  if (extents.size() == 1) {
    item.data = extents.front();
    return;
  }
  std::vector<std::uint8_t>& data = joined_.emplace_back();
  for (const Bytes extent : extents) {
    item.repeats = item.repeats || data.size() + extent.size() > most;
    if (!item.repeats) data.insert(data.end(), extent.begin(), extent.end());
  }
  item.data = data;
}

void HeifItems::ReadProperties(Bytes content) {
  ForEachBox(content, [&](std::uint32_t tag, Bytes property) { properties_.push_back({tag, property}); });
}

// 23008-12, 9.3.1: the numbers of an item's properties, from 1.
void HeifItems::ReadUses(Bytes content) {
  BitReader reader(content);
  const std::uint64_t id_bytes = reader.Integer(1) == 0 ? 2 : 4;
  const int index_bits = (reader.Integer(3) & 1U) != 0 ? 15 : 7;
  for (auto entries = reader.Integer(4); entries > 0 && !reader.AtEnd(); --entries) {
    const auto item = items_.find(reader.Integer(id_bytes));
    const bool counts = item != items_.end() && item->second.own.empty();
    for (auto uses = reader.Integer(1); uses > 0 && !reader.AtEnd(); --uses) {
      reader.Skip(1);
      const std::uint64_t index = reader.Bits(index_bits);
      if (counts && index >= 1 && index <= properties_.size()) item->second.own.push_back(index - 1);
    }
  }
}

// 14496-12, 8.11.12.
void HeifItems::ReadReferences(Bytes content) {
  const std::uint64_t id_bytes = BitReader(content).Integer(1) == 0 ? 2 : 4;
  ForEachBox(Part(content, kFullBox, content.size()), [&](std::uint32_t tag, Bytes reference) {
    BitReader reader(reference);
    const std::uint64_t id = reader.Integer(id_bytes);
    for (auto count = reader.Integer(2); count > 0 && !reader.AtEnd(); --count) {
      const std::uint64_t to = reader.Integer(id_bytes);
      if (tag == Tag("dimg") && items_.contains(id)) items_[id].from.push_back(to);
      if (tag == Tag("auxl") && items_.contains(to)) items_[to].extra.push_back(id);
    }
  });
}

}  // namespace mobilenet
