// Preloaded into the program by fault_test.cpp: lets one kind of the system's calls fail, from the n-th on or
// only the n-th.
//   FAULT_KIND    write, fsync, rename, map, create or memory (allocations of 16 KiB and more)
//   FAULT_AFTER   so many go well
//   FAULT_STAYS   1: all after it fail too
//   FAULT_MARK    a file that is made when the first fails, so that the test knows when there are no more
// In a library of its own, since what it replaces belongs to the C library.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <cstring>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

constexpr std::size_t kLarge = 16384;

enum class Kind { kNone, kWrite, kFsync, kRename, kMap, kCreate, kMemory };

struct Fault {
  Kind kind = Kind::kNone;
  long after = 0;
  bool stays = false;
};

// Read before main, when there is one thread and nothing else to allocate.
Fault ReadFault() {
  const char* kind = std::getenv("FAULT_KIND");
  const char* after = std::getenv("FAULT_AFTER");
  if (kind == nullptr || after == nullptr) return {};
  constexpr const char* kNames[] = {"", "write", "fsync", "rename", "map", "create", "memory"};
  Fault fault;
  for (int i = 1; i < 7; ++i) {
    if (std::strcmp(kind, kNames[i]) == 0) fault.kind = static_cast<Kind>(i);
  }
  fault.after = std::atol(after);
  fault.stays = std::getenv("FAULT_STAYS") != nullptr;
  return fault;
}

const Fault fault = ReadFault();
std::atomic<long> calls = 0;

bool Fails(Kind kind, int error) {
  if (fault.kind != kind) return false;
  const long call = calls++;
  if (call < fault.after || (call > fault.after && !fault.stays)) return false;
  if (const char* mark = std::getenv("FAULT_MARK"); mark != nullptr && call == fault.after) {
    static const auto open_file = reinterpret_cast<int (*)(const char*, int, ...)>(dlsym(RTLD_NEXT, "open"));
    close(open_file(mark, O_CREAT | O_WRONLY, 0666));
  }
  errno = error;
  return true;
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* data, std::size_t size) {
  static const auto next = Next<ssize_t (*)(int, const void*, std::size_t)>("write");
  // Half of it goes well where it fails, as on a disk that is full.
  if (file <= STDERR_FILENO || !Fails(Kind::kWrite, ENOSPC)) return next(file, data, size);
  if (size > 1) (void)!next(file, data, size / 2);
  errno = ENOSPC;
  return -1;
}

int fsync(int file) {
  static const auto next = Next<int (*)(int)>("fsync");
  return Fails(Kind::kFsync, EIO) ? -1 : next(file);
}

int rename(const char* from, const char* to) {
  static const auto next = Next<int (*)(const char*, const char*)>("rename");
  return Fails(Kind::kRename, EIO) ? -1 : next(from, to);
}

void* mmap(void* at, std::size_t size, int protection, int flags, int file, off_t offset) {
  static const auto next = Next<void* (*)(void*, std::size_t, int, int, int, off_t)>("mmap");
  if (file >= 0 && Fails(Kind::kMap, ENOMEM)) return MAP_FAILED;
  return next(at, size, protection, flags, file, offset);
}

int open(const char* path, int flags, ...) {
  static const auto next = Next<int (*)(const char*, int, ...)>("open");
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0U;
  va_end(arguments);
  if ((flags & O_CREAT) != 0 && Fails(Kind::kCreate, EACCES)) return -1;
  return next(path, flags, mode);
}

void* malloc(std::size_t size) {
  return size >= kLarge && Fails(Kind::kMemory, ENOMEM) ? nullptr : __libc_malloc(size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return size >= kLarge && Fails(Kind::kMemory, ENOMEM) ? nullptr : __libc_memalign(alignment, size);
}

}  // extern "C"
