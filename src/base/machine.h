// What is known of the machine without measuring.
#pragma once

#include <cstddef>
#include <string>

namespace mobilenet {

struct CacheSizes {
  std::size_t l1;  // bytes of one core's data cache
  std::size_t l2;
  std::size_t l3;  // of all cores together
};

// Read from the system; 32 KiB, 512 KiB and 8 MiB where it doesn't tell.
CacheSizes Caches();

// The processor's name as the system gives it, such as "AMD EPYC 9254 24-Core Processor"; "unknown"
// otherwise.
std::string ProcessorName();

// The most memory that this process has held so far, in bytes; 0 where the system doesn't tell.
std::size_t PeakMemory();

// The memory that a process could still be given without swapping, in bytes; 0 where the system doesn't tell.
std::size_t AvailableMemory();

// The number of processors this process may use; at least 1.
int AvailableProcessors();

}  // namespace mobilenet
