#include "formats/hdf5_layout.h"

#include "base/fail.h"

namespace mobilenet::hdf5 {
namespace {

constexpr std::uint64_t kMostDimensions = 9;  // the last is the size of a value

// The chunk's shape, and behind it the bytes of a value.
void TakeChunk(Cursor& cursor, std::uint64_t dimensions, std::size_t width, Layout& layout) {
  if (dimensions < 2 || dimensions > kMostDimensions || width < 1 || width > 8)
    Fail("has chunks of ", dimensions, " dimensions, each of ", width, " bytes, expected 2 to ",
         kMostDimensions, ", of 1 to 8");
  for (std::uint64_t i = 0; i < dimensions; ++i) layout.chunk.push_back(cursor.Take(width));
  layout.unit = layout.chunk.back();
  layout.chunk.pop_back();
}

void TakeChunked3(Cursor& cursor, Layout& layout) {
  const std::uint64_t dimensions = cursor.Take(1);
  layout.address = cursor.Take(8);
  TakeChunk(cursor, dimensions, 4, layout);
}

// What a message says of its index, whose own header says it again.
std::uint64_t SizeOfSettings(ChunkIndex index) {
  switch (index) {
    case ChunkIndex::kTree:
    case ChunkIndex::kSingle:
    case ChunkIndex::kImplicit:
      return 0;
    case ChunkIndex::kFixedArray:
      return 1;
    case ChunkIndex::kExtensibleArray:
      return 5;
    case ChunkIndex::kRecords:
      return 6;
  }
  return 0;
}

void TakeChunked4(Cursor& cursor, Layout& layout) {
  constexpr unsigned kRawEdges = 1;
  constexpr unsigned kSingleFiltered = 2;
  const std::uint64_t flags = cursor.Take(1);
  const std::uint64_t dimensions = cursor.Take(1);
  const std::uint64_t width = cursor.Take(1);
  TakeChunk(cursor, dimensions, width, layout);
  const std::uint64_t index = cursor.Take(1);
  if (index < 1 || index > 5) Fail("has an index of chunks of type ", index, ", expected 1 to 5");
  layout.index = static_cast<ChunkIndex>(index);
  layout.raw_edges = (flags & kRawEdges) != 0;
  if (layout.index == ChunkIndex::kSingle && (flags & kSingleFiltered) != 0) {
    layout.single_size = cursor.Take(8);
    layout.single_skipped = static_cast<std::uint32_t>(cursor.Take(4));
  }
  cursor.Skip(SizeOfSettings(layout.index));
  layout.address = cursor.Take(8);
}

}  // namespace

std::uint64_t Layout::ChunkSize(std::uint64_t most) const {
  std::uint64_t bytes = unit;
  for (const std::uint64_t n : chunk) {
    if (n == 0 || bytes == 0 || n > most / bytes)
      Fail("has chunks of 0 or more than ", most, " bytes, the most that is read of a file of its size");
    bytes *= n;
  }
  return bytes;
}

Layout ReadLayout(Bytes message) {
  Cursor cursor(message);
  const std::uint64_t version = cursor.Take(1);
  const std::uint64_t kind = cursor.Take(1);
  if (version != 3 && version != 4) Fail("has a layout of version ", version, ", expected 3 or 4");
  if (kind > 2)
    Fail("has a layout of class ", kind, kind == 3 ? " (virtual)" : "",
         ", expected compact, contiguous or chunked");
  Layout layout;
  layout.kind = static_cast<Layout::Kind>(kind);
  switch (layout.kind) {
    case Layout::Kind::kCompact:
      layout.compact = cursor.TakeBytes(cursor.Take(2));
      break;
    case Layout::Kind::kContiguous:
      layout.address = cursor.Take(8);
      layout.size = cursor.Take(8);
      break;
    case Layout::Kind::kChunked:
      version == 3 ? TakeChunked3(cursor, layout) : TakeChunked4(cursor, layout);
      break;
  }
  if (!cursor.good()) Fail("has a layout that was cut off");
  return layout;
}

}  // namespace mobilenet::hdf5
