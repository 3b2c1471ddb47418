// What a HEIF file says of its items, as libheif reads it: of boxes that may be there once the first counts,
// of top-level ones the last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <vector>

#include "image/bit_reader.h"

namespace mobilenet {

// Four letters as a number.
constexpr std::uint32_t Tag(std::string_view name) {
  std::uint32_t tag = 0;
  for (const char c : name) tag = tag << 8 | static_cast<unsigned char>(c);
  return tag;
}

struct HeifProperty {
  std::uint32_t tag = 0;
  Bytes content;
};

struct HeifItem {
  std::uint32_t type = 0;            // hvc1, av01, grid, ...
  Bytes data;                        // of a picture
  bool repeats = false;              // there is more of it than of the file: `data` is only its beginning
  std::vector<std::size_t> own;      // which of the properties
  std::vector<std::uint64_t> from;   // the items that it is made of
  std::vector<std::uint64_t> extra;  // items that say they belong to it: alpha, depth, ...
};

class HeifItems {
 public:
  // Refers to `file`.
  explicit HeifItems(Bytes file);
  HeifItems(const HeifItems&) = delete;
  HeifItems& operator=(const HeifItems&) = delete;

  [[nodiscard]] std::uint64_t primary() const { return primary_; }
  [[nodiscard]] const std::map<std::uint64_t, HeifItem>& all() const { return items_; }
  // How many bytes all items have together, those that lie in the same place as often as they are named.
  [[nodiscard]] std::uint64_t named() const { return named_; }
  // Of all items, those that belong to none too.
  [[nodiscard]] const std::vector<HeifProperty>& properties() const { return properties_; }

 private:
  void ReadTypes(Bytes content);
  void ReadPlaces(Bytes content, Bytes file, Bytes idat);
  void ReadProperties(Bytes content);
  void ReadUses(Bytes content);
  void ReadReferences(Bytes content);
  void SetData(HeifItem& item, const std::vector<Bytes>& extents, std::size_t most);

  std::uint64_t primary_ = 0;
  std::uint64_t named_ = 0;
  std::map<std::uint64_t, HeifItem> items_;
  std::vector<HeifProperty> properties_;
  std::deque<std::vector<std::uint8_t>> joined_;  // data of items that lies in several places
};

}  // namespace mobilenet
