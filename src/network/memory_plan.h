// Where feature maps lie: maps that are never alive together share memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mobilenet {

// A buffer of `size` bytes that is written in step `first` and read for the last time in step `last`.
struct Lifetime {
  std::size_t size;
  std::size_t first;
  std::size_t last;
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  // of each buffer, in bytes, a multiple of a cache line
  std::size_t size = 0;              // of all together, in bytes
};

// Places the largest buffer first, each at the lowest offset that is free for its whole life ("greedy by
// size", Pisarchyk and Lee 2020). Buffers whose lives touch (one's last step is the other's first) don't
// overlap.
MemoryPlan PlanMemory(std::span<const Lifetime> buffers);

}  // namespace mobilenet
