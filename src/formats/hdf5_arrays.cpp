#include "formats/hdf5_arrays.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "base/fail.h"

namespace mobilenet::hdf5 {
namespace {

constexpr std::string_view kArray = "an index of chunks";
constexpr std::uint64_t kPrefix =
    14;  // of each block: letters, version, kind of elements, the header's address

// The kind of elements, and how large they are.
ElementFormat TakeFormat(Cursor& header, bool filtered, Address address) {
  ElementFormat format;
  format.filtered = header.Take(1) == 1;
  format.size = header.Take(1);
  const bool right = filtered ? format.size > 12 && format.size <= 20 : format.size == 8;
  if (format.filtered != filtered || !right)
    Fail(kArray, " at ", address, " has elements of ", format.size, " bytes, which don't fit its filters");
  return format;
}

// Whether a page was ever written: the first page's bit is the highest of the first byte.
bool IsWritten(Bytes pages, std::uint64_t page) {
  return page / 8 < pages.size() && (pages[page / 8] & (0x80U >> (page % 8))) != 0;
}

Bytes ElementAt(Bytes elements, std::uint64_t index, const ElementFormat& format) {
  return elements.subspan(index * format.size, format.size);
}

void CheckOwner(Cursor& block, Address header, const ElementFormat& format, Address address) {
  const bool filtered = block.Take(1) == 1;
  if (filtered != format.filtered || block.Take(8) != header)
    Fail("a block at ", address, " does not belong to its index of chunks at ", header);
}

}  // namespace

FixedArray::FixedArray(const File& file, Address header, bool filtered) : file_(file), header_(header) {
  constexpr std::uint64_t kSize = 28;
  Cursor cursor = file.Block(header, kSize, "FAHD", kArray);
  format_ = TakeFormat(cursor, filtered, header);
  page_bits_ = static_cast<unsigned>(cursor.Take(1));
  count_ = cursor.Take(8);
  data_ = cursor.Take(8);
  if (page_bits_ > 32 || count_ > file.size() / 8)
    Fail(kArray, " at ", header, " has ", count_, " elements, more than the file can hold");
}

Bytes FixedArray::Find(std::uint64_t index) const {
  if (index >= count_) Fail(kArray, " at ", header_, " has ", count_, " elements, expected number ", index);
  if (data_ == kNowhere) return {};
  const std::uint64_t page_elements = std::uint64_t{1} << page_bits_;
  const bool paged = count_ > page_elements;
  const std::uint64_t content = paged ? PartsOf(PartsOf(count_, page_elements), 8) : count_ * format_.size;
  Cursor block = file_.Block(data_, kPrefix + content + kSum, "FADB", kArray);
  CheckOwner(block, header_, format_, data_);
  if (!paged) return ElementAt(block.rest(), index, format_);
  const std::uint64_t page = index / page_elements;
  if (!IsWritten(block.rest(), page)) return {};
  const Address address = data_ + kPrefix + content + kSum + page * (page_elements * format_.size + kSum);
  const std::uint64_t elements = std::min(page_elements, count_ - page * page_elements);
  const Bytes all = file_.Checked(address, elements * format_.size + kSum, kArray);
  return ElementAt(all, index % page_elements, format_);
}

ExtensibleArray::ExtensibleArray(const File& file, Address header, bool filtered)
    : file_(file), header_(header) {
  constexpr std::uint64_t kSize = 72;
  Cursor cursor = file.Block(header, kSize, "EAHD", kArray);
  format_ = TakeFormat(cursor, filtered, header);
  bits_ = static_cast<unsigned>(cursor.Take(1));
  index_elements_ = cursor.Take(1);
  least_elements_ = cursor.Take(1);
  least_blocks_ = cursor.Take(1);
  page_bits_ = static_cast<unsigned>(cursor.Take(1));
  cursor.Skip(6 * 8);  // how many there are
  index_block_ = cursor.Take(8);
  CheckSizes();
}

void ExtensibleArray::CheckSizes() const {
  const bool powers = std::has_single_bit(least_elements_) && std::has_single_bit(least_blocks_);
  if (!powers || bits_ > 48 || page_bits_ > 32 ||
      std::countr_zero(least_elements_) + 2 * std::countr_zero(least_blocks_) > static_cast<int>(bits_))
    Fail(kArray, " at ", header_, " has indices of ", bits_, " bits, blocks of ", least_elements_,
         " elements, ", least_blocks_, " of them in the first super block, which can't be");
}

Bytes ExtensibleArray::Find(std::uint64_t index) const {
  if (index >> bits_ != 0)
    Fail(kArray, " at ", header_, " has indices of ", bits_, " bits, expected number ", index);
  if (index_block_ == kNowhere) return {};
  if (index < index_elements_) return ElementAt(IndexBlock().rest(), index, format_);
  const Place place = PlaceOf(index - index_elements_);
  return place.super < first_super() ? FindInBlocks(place) : FindInSuperBlocks(place);
}

// By the sum of a geometric series: before super block n lie 2^n - 1 times the least number of elements.
ExtensibleArray::Place ExtensibleArray::PlaceOf(std::uint64_t index) const {
  const auto super = static_cast<unsigned>(std::bit_width(index / least_elements_ + 1) - 1);
  const std::uint64_t within = index - least_elements_ * ((std::uint64_t{1} << super) - 1);
  const std::uint64_t elements = least_elements_ << (super + 1) / 2;
  return {.super = super, .block = within / elements, .elements = elements, .element = within % elements};
}

Cursor ExtensibleArray::Part(Address address, std::uint64_t content, const char* signature) const {
  Cursor cursor = file_.Block(address, kPrefix + content + kSum, signature, kArray);
  CheckOwner(cursor, header_, format_, address);
  return cursor;
}

// How many super blocks have no block of their own: the index block names what they would.
unsigned ExtensibleArray::first_super() const {
  return 2U * static_cast<unsigned>(std::countr_zero(least_blocks_));
}

// Its elements, the addresses of blocks, and those of super blocks.
Cursor ExtensibleArray::IndexBlock() const {
  const std::uint64_t supers =
      1 + bits_ - static_cast<std::uint64_t>(std::countr_zero(least_elements_)) - first_super();
  const std::uint64_t addresses = 2 * (least_blocks_ - 1) + supers;
  return Part(index_block_, index_elements_ * format_.size + addresses * 8, "EAIB");
}

Bytes ExtensibleArray::FindInBlocks(const Place& place) const {
  Cursor cursor = IndexBlock();
  cursor.Skip(index_elements_ * format_.size);
  for (unsigned super = 0; super < place.super; ++super) cursor.Skip(std::uint64_t{8} << super / 2);
  cursor.Skip(place.block * 8);
  return Element(cursor.Take(8), place);
}

Bytes ExtensibleArray::FindInSuperBlocks(const Place& place) const {
  Cursor index = IndexBlock();
  index.Skip(index_elements_ * format_.size + 2 * (least_blocks_ - 1) * 8 +
             std::uint64_t{place.super - first_super()} * 8);
  const Address address = index.Take(8);
  if (address == kNowhere) return {};
  const std::uint64_t blocks = std::uint64_t{1} << place.super / 2;
  const std::uint64_t offset_size = PartsOf(bits_, 8);
  const bool paged = pages(place) > 1;
  const std::uint64_t pages_size = paged ? blocks * PartsOf(pages(place), 8) : 0;
  Cursor super = Part(address, offset_size + pages_size + blocks * 8, "EASB");
  super.Skip(offset_size);
  const Bytes written = super.TakeBytes(pages_size);
  super.Skip(place.block * 8);
  const Address block = super.Take(8);
  return paged ? PagedElement(block, place, written) : Element(block, place);
}

Bytes ExtensibleArray::Element(Address block, const Place& place) const {
  if (block == kNowhere) return {};
  const std::uint64_t offset_size = PartsOf(bits_, 8);
  Cursor cursor = Part(block, offset_size + place.elements * format_.size, "EADB");
  cursor.Skip(offset_size);
  return ElementAt(cursor.rest(), place.element, format_);
}

Bytes ExtensibleArray::PagedElement(Address block, const Place& place, Bytes written) const {
  if (block == kNowhere) return {};
  const std::uint64_t offset_size = PartsOf(bits_, 8);
  (void)Part(block, offset_size, "EADB");
  const std::uint64_t page = place.element >> page_bits_;
  if (!IsWritten(written, place.block * pages(place) + page)) return {};
  const std::uint64_t size = (format_.size << page_bits_) + kSum;
  const Bytes all = file_.Checked(block + kPrefix + offset_size + kSum + page * size, size, kArray);
  return ElementAt(all, place.element & ((std::uint64_t{1} << page_bits_) - 1), format_);
}

}  // namespace mobilenet::hdf5
