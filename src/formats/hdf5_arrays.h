// HDF5's arrays: indices of chunks by their number.
#pragma once

#include <cstdint>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

// What an array says of its elements, in the head of it.
struct ElementFormat {
  bool filtered = false;   // an address alone, or with a size and the skipped filters
  std::uint64_t size = 0;  // bytes of an element
};

// An array of a number of elements that is known, perhaps in pages.
class FixedArray {
 public:
  // Throws Error for one that is damaged, or whose elements are not of `filtered` chunks.
  FixedArray(const File& file, Address header, bool filtered);

  // An element's bytes; none where it was never written. Throws Error where there can't be one.
  [[nodiscard]] Bytes Find(std::uint64_t index) const;

 private:
  const File& file_;
  Address header_;
  ElementFormat format_;
  unsigned page_bits_ = 0;  // of the number of elements in a page
  std::uint64_t count_ = 0;
  Address data_ = kNowhere;
};

// An array that grows: the first elements in its index block, the next in blocks that this names, the others
// in blocks that super blocks name. Super block number n has 2^(n/2) blocks of 2^((n+1)/2) times the least
// number of elements, rounded down, so in all 2^n times as many.
class ExtensibleArray {
 public:
  ExtensibleArray(const File& file, Address header, bool filtered);

  [[nodiscard]] Bytes Find(std::uint64_t index) const;

 private:
  // Where an element lies.
  struct Place {
    unsigned super;          // the super block's number
    std::uint64_t block;     // in it
    std::uint64_t elements;  // of each of its blocks
    std::uint64_t element;   // in the block
  };

  void CheckSizes() const;
  [[nodiscard]] Place PlaceOf(std::uint64_t index) const;
  [[nodiscard]] unsigned first_super() const;
  [[nodiscard]] Cursor IndexBlock() const;
  [[nodiscard]] Bytes FindInBlocks(const Place& place) const;
  [[nodiscard]] Bytes FindInSuperBlocks(const Place& place) const;
  [[nodiscard]] Bytes Element(Address block, const Place& place) const;
  [[nodiscard]] Bytes PagedElement(Address block, const Place& place, Bytes written) const;
  [[nodiscard]] Cursor Part(Address address, std::uint64_t content, const char* signature) const;
  [[nodiscard]] std::uint64_t pages(const Place& place) const { return place.elements >> page_bits_; }

  const File& file_;
  Address header_;
  ElementFormat format_;
  unsigned bits_ = 0;                 // of an index
  std::uint64_t index_elements_ = 0;  // in the index block
  std::uint64_t least_elements_ = 0;  // of a block
  std::uint64_t least_blocks_ = 0;    // of a super block that is one
  unsigned page_bits_ = 0;
  Address index_block_ = kNowhere;
};

}  // namespace mobilenet::hdf5
