// Where the chunks of an HDF5 dataset lie, by whichever index finds them.
#pragma once

#include <functional>

#include "formats/hdf5_file.h"
#include "formats/hdf5_layout.h"
#include "formats/hdf5_types.h"

namespace mobilenet::hdf5 {

struct Chunk {
  std::span<const std::uint64_t> place;  // its row, column, ... among the chunks
  Address address = kNowhere;
  std::uint64_t size = 0;     // in the file
  std::uint32_t skipped = 0;  // the filters that it did not go through, as bits
};

// Visits all chunks that were ever written, some perhaps outside the shape. `size` is that of a chunk that
// went through no filters, `filtered` whether they went through any. Throws Error for an index that is
// damaged or has no end.
using ChunkVisitor = std::function<void(const Chunk&)>;
void VisitChunks(const File& file, const Layout& layout, const Dataspace& space, std::uint64_t size,
                 bool filtered, const ChunkVisitor& visit);

}  // namespace mobilenet::hdf5
