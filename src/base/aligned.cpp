#include "base/aligned.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace mobilenet {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t RoundUp(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

Slab::~Slab() {
  for (const Chunk& chunk : chunks_) ::operator delete(chunk.begin, chunk.alignment);
}

void* Slab::Take(std::size_t bytes) {
  bytes = RoundUp(bytes, kCacheLine);
  if (bytes > left_) {
    const std::size_t size = std::max(bytes, chunks_.empty() ? RoundUp(expected_, kCacheLine) : 0);
    // A huge page that is half empty would cost more than it saves.
    const bool huge = size >= kHugePage / 2;
    const std::align_val_t alignment{huge ? kHugePage : kCacheLine};
    chunks_.reserve(chunks_.size() + 1);
    auto* begin = static_cast<std::byte*>(::operator new(size, alignment));
    chunks_.push_back({begin, alignment});
#ifdef MADV_HUGEPAGE
    // A hint: where it is refused, small pages do.
    if (huge) (void)madvise(begin, size, MADV_HUGEPAGE);
#endif
    next_ = begin;
    left_ = size;
  }
  left_ -= bytes;
  return std::exchange(next_, next_ + bytes);
}

}  // namespace mobilenet
