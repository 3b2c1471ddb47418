// HDF5's B-trees, of version 1 and 2.
#pragma once

#include <functional>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

// The types of trees of version 1.
constexpr unsigned kGroupTree = 0;
constexpr unsigned kChunkTree = 1;

// What the leaves of a tree of version 1 hold, in order: a key of `key_size` bytes, and where what it leads
// to lies. Throws Error for a tree that is of another type, damaged, or has no end.
using KeyVisitor = std::function<void(Bytes key, Address child)>;
void WalkTree(const File& file, Address root, unsigned type, std::uint64_t key_size, const KeyVisitor& visit);

// The types of trees of version 2.
constexpr unsigned kHugeObjects = 1;
constexpr unsigned kLinkNames = 5;
constexpr unsigned kAttributeNames = 8;
constexpr unsigned kChunks = 10;
constexpr unsigned kFilteredChunks = 11;

// The records of a tree of version 2, in order. Throws Error as WalkTree, and where they don't have
// `record_size` bytes.
using RecordVisitor = std::function<void(Bytes record)>;
void WalkRecords(const File& file, Address header, unsigned type, std::uint64_t record_size,
                 const RecordVisitor& visit);

}  // namespace mobilenet::hdf5
