#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/fail.h"

namespace mobilenet {
namespace {

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

[[noreturn]] void FailWithErrno(const std::filesystem::path& path, const char* what) {
  const int error = errno;
  Fail(path.string(), ": ", what, ": ", std::strerror(error));
}

Descriptor OpenForReading(const std::filesystem::path& path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) FailWithErrno(path, "can't be opened");
  struct stat status {};
  if (fstat(file.get(), &status) != 0) FailWithErrno(path, "can't be examined");
  if (S_ISDIR(status.st_mode)) Fail(path.string(), ": is a directory, expected a file");
  return Descriptor(file.release());
}

void WriteAll(int file, std::span<const std::uint8_t> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) FailWithErrno(path, "can't be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file = OpenForReading(path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) FailWithErrno(path, "can't be examined");
  if (!S_ISREG(status.st_mode)) Fail(path.string(), ": is not a regular file");
  if (status.st_size == 0) return;  // mmap refuses a length of 0
  const auto size = static_cast<std::size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) FailWithErrno(path, "can't be mapped into memory");
  data_ = static_cast<const std::uint8_t*>(data);
  size_ = size;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::vector<std::uint8_t> ReadFile(const std::filesystem::path& path) {
  const Descriptor file = OpenForReading(path);
  struct stat status {};
  std::vector<std::uint8_t> bytes;
  if (fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    bytes.reserve(static_cast<std::size_t>(status.st_size) +
                  1);  // one more, so that the end is seen in one read
  }
  std::size_t size = 0;
  while (true) {
    bytes.resize(std::max(bytes.capacity(), size + 65536));
    const ssize_t count = read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) FailWithErrno(path, "can't be read");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

void WriteFileWhole(const std::filesystem::path& path, std::span<const std::span<const std::uint8_t>> parts) {
  const std::string temporary = Concat(path.string(), ".", getpid(), ".part");
  Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) FailWithErrno(path, "can't be created");
  try {
    for (const auto part : parts) WriteAll(file.get(), part, path);
    if (fsync(file.get()) != 0) FailWithErrno(path, "can't be synced to disk");
    if (close(file.release()) != 0) FailWithErrno(path, "can't be closed");
    if (rename(temporary.c_str(), path.c_str()) != 0) FailWithErrno(path, "can't be replaced");
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

}  // namespace mobilenet
