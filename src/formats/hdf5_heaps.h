// HDF5's heaps: where names, attributes and texts of any length lie.
#pragma once

#include <string>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

// The names of a group's children in a file of the older kind: a local heap.
Bytes LocalHeap(const File& file, Address heap);

// A text in a global heap, by a reference: the text's length, the heap's address, the object's number in it.
std::string GlobalHeapText(const File& file, Bytes reference);

// A heap of many objects, in blocks whose sizes double: the first two rows of a table of blocks have the
// smallest, and each further row those of twice the size. Blocks above some size hold tables of their own.
class FractalHeap {
 public:
  // Reads its header. Throws Error for one that is damaged or whose blocks went through filters.
  FractalHeap(const File& file, Address heap);

  // How many bytes an object's identifier has.
  [[nodiscard]] std::uint64_t id_size() const { return id_size_; }

  // Throws Error for an identifier that names no object, or one that lies in the identifier itself.
  [[nodiscard]] Bytes Object(Bytes id) const;

 private:
  // A block, of data or of further blocks, in the heap's space.
  struct Block {
    Address address;
    unsigned rows;        // of its table; 0 for data
    std::uint64_t begin;  // in the heap's space
    std::uint64_t size;   // of data
  };

  void CheckSizes() const;
  [[nodiscard]] std::uint64_t RowSize(unsigned row) const;  // of each block in it
  [[nodiscard]] Bytes Managed(std::uint64_t offset, std::uint64_t length) const;
  [[nodiscard]] Bytes Huge(std::uint64_t number) const;
  [[nodiscard]] Block Below(const Block& table, std::uint64_t offset) const;
  [[nodiscard]] Bytes Data(const Block& block) const;
  void CheckBlock(Cursor& cursor, const Block& block) const;

  const File& file_;
  Address heap_;
  std::uint64_t id_size_ = 0;
  bool checksums_ = false;
  std::uint64_t most_managed_ = 0;
  Address huge_ = kNowhere;
  std::uint64_t width_ = 0;  // blocks in a row of a table
  std::uint64_t smallest_ = 0;
  std::uint64_t largest_ = 0;  // block of data
  unsigned bits_ = 0;          // of an offset in the heap's space
  Block root_ = {};
};

}  // namespace mobilenet::hdf5
