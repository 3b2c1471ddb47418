#include "formats/hdf5_heaps.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "base/fail.h"
#include "formats/hdf5_trees.h"

namespace mobilenet::hdf5 {

Bytes LocalHeap(const File& file, Address heap) {
  constexpr std::uint64_t kHeader = 32;
  Cursor header(file.At(heap, kHeader, "a group's heap"));
  if (!BeginsWith(header.TakeBytes(4), "HEAP")) Fail("a group has no heap at ", heap);
  header.Skip(4);
  const std::uint64_t size = header.Take(8);
  header.Skip(8);
  return file.At(header.Take(8), size, "a group's names");
}

std::string GlobalHeapText(const File& file, Bytes reference) {
  Cursor cursor(reference);
  const std::uint64_t length = cursor.Take(4);
  const Address collection = cursor.Take(8);
  const std::uint64_t wanted = cursor.Take(4);
  if (length == 0 && cursor.good()) return {};
  Cursor header(file.At(collection, 16, "a global heap"));
  if (!cursor.good() || !BeginsWith(header.TakeBytes(4), "GCOL"))
    Fail("a global heap at ", collection, " is damaged");
  header.Skip(4);
  Cursor objects(file.At(collection, header.Take(8), "a global heap"));
  objects.Skip(16);
  while (objects.good() && objects.rest().size() >= 16) {
    file.Step();
    const std::uint64_t number = objects.Take(2);
    objects.Skip(6);
    const std::uint64_t size = objects.Take(8);
    if (number == 0) break;  // the free space at the end
    const Bytes data = objects.TakeBytes(size);
    if (number == wanted) return UpToZero(data.first(std::min<std::uint64_t>(length, data.size())));
    objects.Skip(PaddedToEight(size) - size);
  }
  Fail("a text is missing from its global heap at ", collection);
}

namespace {

constexpr std::string_view kHeap = "a heap";

unsigned Log2(std::uint64_t power) { return static_cast<unsigned>(std::countr_zero(power)); }

}  // namespace

FractalHeap::FractalHeap(const File& file, Address heap) : file_(file), heap_(heap) {
  constexpr std::uint64_t kSize = 146;
  // What went through filters has a longer header.
  Cursor prefix(file.At(heap, kSize, kHeap));
  prefix.Skip(7);
  if (prefix.Take(2) != 0) Fail("a heap at ", heap, " went through filters, which is not read");
  Cursor header = file.Block(heap, kSize, "FRHP", kHeap);
  id_size_ = header.Take(2);
  header.Skip(2);
  checksums_ = (header.Take(1) & 2U) != 0;
  most_managed_ = header.Take(4);
  header.Skip(8);
  huge_ = header.Take(8);
  header.Skip(10 * 8);  // counts, and where there is space
  width_ = header.Take(2);
  smallest_ = header.Take(8);
  largest_ = header.Take(8);
  bits_ = static_cast<unsigned>(header.Take(2));
  header.Skip(2);
  root_.address = header.Take(8);
  root_.rows = static_cast<unsigned>(header.Take(2));
  CheckSizes();
  root_.size = smallest_;  // where it is of data
}

void FractalHeap::CheckSizes() const {
  const bool powers = std::has_single_bit(width_) && std::has_single_bit(smallest_) &&
                      std::has_single_bit(largest_) && smallest_ <= largest_;
  // A table of `rows` rows spans width x smallest x 2^(rows - 1) bytes.
  if (!powers || bits_ > 62 || Log2(width_) + Log2(smallest_) + root_.rows > bits_ + 1 ||
      most_managed_ > largest_ || most_managed_ == 0 || largest_ > 1U << 31)
    Fail("a heap at ", heap_, " has blocks of ", smallest_, " to ", largest_, " bytes, ", width_,
         " in each of ", root_.rows, " rows, which can't be");
}

std::uint64_t FractalHeap::RowSize(unsigned row) const {
  return row == 0 ? smallest_ : smallest_ << (row - 1);
}

Bytes FractalHeap::Object(Bytes id) const {
  file_.Step();
  Cursor cursor(id);
  const std::uint64_t first = cursor.Take(1);
  if (first >> 6 != 0) Fail("a heap's identifier is of version ", first >> 6, ", expected 0");
  const std::uint64_t kind = first >> 4 & 3;
  if (kind == 1) return Huge(cursor.Take(std::min<std::size_t>(8, cursor.rest().size())));
  if (kind != 0) Fail("an object lies in its heap's identifier, which is not read");
  const std::uint64_t offset = cursor.Take(PartsOf(bits_, 8));
  const std::size_t most = std::min(PartsOf(Log2(largest_), 8), WidthOf(most_managed_));
  const std::uint64_t length = cursor.Take(most);
  if (!cursor.good())
    Fail("a heap at ", heap_, " has identifiers of ", id_size_, " bytes, which are too short");
  return Managed(offset, length);
}

// By its number, in a tree beside the heap.
Bytes FractalHeap::Huge(std::uint64_t number) const {
  if (huge_ == kNowhere) Fail("a heap at ", heap_, " has no huge objects, expected number ", number);
  constexpr std::uint64_t kRecord = 24;
  Address address = kNowhere;
  std::uint64_t size = 0;
  WalkRecords(file_, huge_, kHugeObjects, kRecord, [&](Bytes record) {
    Cursor cursor(record);
    const Address place = cursor.Take(8);
    const std::uint64_t length = cursor.Take(8);
    if (cursor.Take(8) != number) return;
    address = place;
    size = length;
  });
  return file_.At(address, size, "a huge object");
}

Bytes FractalHeap::Managed(std::uint64_t offset, std::uint64_t length) const {
  Block block = root_;
  while (block.rows > 0) block = Below(block, offset);
  const Bytes data = Data(block);
  if (offset < block.begin || offset - block.begin > data.size() ||
      length > data.size() - (offset - block.begin))
    Fail("an object at ", offset, " of ", length, " bytes does not lie in its heap at ", heap_);
  return data.subspan(offset - block.begin, length);
}

// The block of a table in which `offset` lies. Tables within have fewer rows than the table.
FractalHeap::Block FractalHeap::Below(const Block& table, std::uint64_t offset) const {
  const std::size_t offset_size = PartsOf(bits_, 8);
  const unsigned most_data_rows = Log2(largest_) - Log2(smallest_) + 2;
  constexpr std::uint64_t kAround = 17;
  Cursor cursor = file_.Block(table.address, kAround + offset_size + table.rows * width_ * 8, "FHIB", kHeap);
  CheckBlock(cursor, table);
  Block block = {.address = kNowhere, .rows = 0, .begin = table.begin, .size = 0};
  for (unsigned row = 0; row < table.rows; ++row, block.begin += width_ * block.size) {
    block.size = RowSize(row);
    const std::uint64_t column = (offset - block.begin) / block.size;
    if (column >= width_) {
      cursor.Skip(width_ * 8);
      continue;
    }
    cursor.Skip(column * 8);
    block.address = cursor.Take(8);
    block.begin += column * block.size;
    if (row < most_data_rows) return block;
    if (row <= Log2(width_)) Fail("a heap at ", heap_, " has tables without rows");
    block.rows = row - Log2(width_);  // so that it spans as much as a block of this row
    return block;
  }
  Fail("an object at ", offset, " does not lie in its heap at ", heap_);
}

void FractalHeap::CheckBlock(Cursor& cursor, const Block& block) const {
  if (const Address heap = cursor.Take(8); heap != heap_)
    Fail("a heap's block at ", block.address, " is of the heap at ", heap, ", expected ", heap_);
  if (const std::uint64_t begin = cursor.Take(PartsOf(bits_, 8)); begin != block.begin)
    Fail("a heap's block at ", block.address, " begins at ", begin, ", expected ", block.begin);
}

// A block's checksum stands before the data, and is summed as 0.
Bytes FractalHeap::Data(const Block& block) const {
  const Bytes bytes = file_.At(block.address, block.size, kHeap);
  if (!BeginsWith(bytes, "FHDB")) Fail("a heap's block at ", block.address, " is damaged");
  Cursor cursor(bytes);
  cursor.Skip(5);
  CheckBlock(cursor, block);
  if (!checksums_ || !file_.IsUnchecked(block.address, block.size)) return bytes;
  std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  std::fill_n(copy.begin() + (cursor.rest().data() - bytes.data()), 4, std::uint8_t{0});
  file_.CheckSum(copy, cursor.Take(4), block.address, "a heap's block");
  return bytes;
}

}  // namespace mobilenet::hdf5
