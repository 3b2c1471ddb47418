// Memory that must not be touched: AddressSanitizer reports any access until it is allowed again. Without
// AddressSanitizer these do nothing.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define MOBILENET_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MOBILENET_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef MOBILENET_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace mobilenet {

inline void Forbid([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#ifdef MOBILENET_ADDRESS_SANITIZER
  __asan_poison_memory_region(memory, size);
#endif
}

inline void Allow([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#ifdef MOBILENET_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(memory, size);
#endif
}

}  // namespace mobilenet
