// Memory that starts on a cache line, as vector loads and packed panels want it, in one piece where many
// vectors are read one after the other.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace mobilenet {

constexpr std::size_t kCacheLine = 64;

// Memory for many vectors that live and die together. Large slabs ask for the system's huge pages: weights
// are read from end to end for each image, and pages of 4 KB would miss the processor's table of pages all
// the way.
class Slab {
 public:
  // Room for about `bytes`; more is taken as it is needed.
  explicit Slab(std::size_t bytes) : expected_(bytes) {}
  ~Slab();
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Memory on a cache line, until the slab dies. Throws std::bad_alloc.
  void* Take(std::size_t bytes);

 private:
  struct Chunk {
    std::byte* begin;
    std::align_val_t alignment;
  };
  std::size_t expected_;
  std::vector<Chunk> chunks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
};

// Takes from a slab, or each block by itself where there is none.
template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  using propagate_on_container_copy_assignment = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  CacheLineAllocator() = default;
  explicit CacheLineAllocator(std::shared_ptr<Slab> from) : slab(std::move(from)) {}
  template <typename U>
  explicit CacheLineAllocator(const CacheLineAllocator<U>& other) : slab(other.slab) {}

  T* allocate(std::size_t n) {
    if (slab) return static_cast<T*>(slab->Take(n * sizeof(T)));
    return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{kCacheLine}));
  }
  void deallocate(T* p, std::size_t) {
    if (!slab) ::operator delete (p, std::align_val_t{kCacheLine});
  }
  template <typename U>
  bool operator==(const CacheLineAllocator<U>& other) const {
    return slab == other.slab;
  }

  std::shared_ptr<Slab> slab;
};

template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace mobilenet
