// The filters that chunks of HDF5 datasets go through: compression, shuffling and checksums.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

struct Filter {
  enum class Kind { kDeflate, kShuffle, kFletcher32, kLzf };
  Kind kind;
  std::uint64_t unit = 0;  // of kShuffle: bytes of a value
};

// The filters of a dataset, in the order in which they were applied. Throws Error, naming it, for one that is
// not read.
std::vector<Filter> ReadFilters(Bytes message);

// A chunk as it was before it went through the filters, but those whose bits are set in `skipped`. What it
// returns lies in `stored`, or in `buffer`. Throws Error where that are not `size` bytes, or a checksum is
// not the right one.
Bytes Unfiltered(const std::vector<Filter>& filters, Bytes stored, std::uint32_t skipped, std::uint64_t size,
                 std::vector<std::uint8_t>& buffer);

}  // namespace mobilenet::hdf5
