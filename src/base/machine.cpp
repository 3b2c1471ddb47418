#include "base/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <thread>

namespace mobilenet {
namespace {

// sysconf by names that not every C library knows; 0 where it doesn't.
std::size_t CacheSize([[maybe_unused]] int level) {
#if defined(_SC_LEVEL1_DCACHE_SIZE) && defined(_SC_LEVEL2_CACHE_SIZE) && defined(_SC_LEVEL3_CACHE_SIZE)
  constexpr std::array kNames = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  const long bytes = sysconf(kNames[static_cast<std::size_t>(level) - 1]);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
#else
  return 0;
#endif
}

}  // namespace

CacheSizes Caches() {
  constexpr CacheSizes kUsual = {std::size_t{32} << 10, std::size_t{512} << 10, std::size_t{8} << 20};
  const CacheSizes found = {CacheSize(1), CacheSize(2), CacheSize(3)};
  return {found.l1 > 0 ? found.l1 : kUsual.l1, found.l2 > 0 ? found.l2 : kUsual.l2,
          found.l3 > 0 ? found.l3 : kUsual.l3};
}

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::size_t PeakMemory() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::size_t>(usage.ru_maxrss) << 10;
}

std::size_t AvailableMemory() {
  std::size_t available = 0;
  std::ifstream system("/proc/meminfo");
  for (std::string name; system >> name;) {
    if (name == "MemAvailable:") {
      system >> available;
      available <<= 10;
    }
    system.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  // A container may have less: its limit, and what is in use.
  std::size_t most = 0;
  std::size_t used = 0;
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> most &&
      std::ifstream("/sys/fs/cgroup/memory.current") >> used)
    available = std::min(available, most - std::min(used, most));
  return available;
}

int AvailableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace mobilenet
