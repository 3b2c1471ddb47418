// How an HDF5 dataset's values lie in the file.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

// The index that chunks are found by. The numbers of those after kTree are the file's.
enum class ChunkIndex {
  kTree = 0,
  kSingle = 1,
  kImplicit = 2,
  kFixedArray = 3,
  kExtensibleArray = 4,
  kRecords = 5
};

struct Layout {
  enum class Kind { kCompact = 0, kContiguous = 1, kChunked = 2 };  // the file's numbers
  Kind kind = Kind::kCompact;
  Bytes compact;               // the values themselves
  Address address = kNowhere;  // of the values, or the chunks' index
  std::uint64_t size = 0;      // of contiguous values, in bytes

  // Of kChunked:
  ChunkIndex index = ChunkIndex::kTree;
  std::vector<std::uint64_t> chunk;  // its shape, in values
  std::uint64_t unit = 0;            // bytes of a value
  bool raw_edges = false;            // chunks that are cut off went through no filters
  std::uint64_t single_size = 0;     // of kSingle that went through filters
  std::uint32_t single_skipped = 0;

  // The bytes of a chunk. Throws Error where they are more than `most`.
  [[nodiscard]] std::uint64_t ChunkSize(std::uint64_t most) const;
};

// Of a message of version 3 or 4. Throws Error for what is not read, as virtual datasets.
Layout ReadLayout(Bytes message);

}  // namespace mobilenet::hdf5
