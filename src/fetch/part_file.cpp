#include "fetch/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/fail.h"
#include "base/file.h"

namespace mobilenet {

PartFile::PartFile(const std::filesystem::path& target, const std::function<void()>& on_wait)
    : target_(target), part_(target.string() + ".part") {
  Open(on_wait);
  // Who had it before may have put it in its place, or taken it away.
  while (!IsAtItsPlace()) {
    close(descriptor_);
    Open(on_wait);
  }
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) FailWithErrno("can't be examined");
  size_ = static_cast<std::uint64_t>(status.st_size);
  std::error_code none;
  if (std::filesystem::is_regular_file(Etag(), none)) {
    const std::vector<std::string> lines = ReadLines(Etag());
    if (lines.size() == 1) validator_ = lines.front();
  }
  if (validator_.empty() && size_ > 0) Restart("");
}

PartFile::~PartFile() {
  if (descriptor_ < 0) return;
  if (size_ == 0 || validator_.empty()) Discard();
  if (descriptor_ >= 0) close(descriptor_);
}

std::filesystem::path PartFile::Etag() const { return part_.string() + ".etag"; }

void PartFile::FailWithErrno(const char* what) const {
  const int error = errno;
  Fail(part_.string(), ": ", what, ": ", std::strerror(error));
}

void PartFile::Open(const std::function<void()>& on_wait) {
  descriptor_ = open(part_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) FailWithErrno("can't be created");
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  if (on_wait) on_wait();
  while (flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

bool PartFile::IsAtItsPlace() const {
  struct stat here {};
  struct stat there {};
  return fstat(descriptor_, &here) == 0 && stat(part_.c_str(), &there) == 0 && here.st_dev == there.st_dev &&
         here.st_ino == there.st_ino;
}

void PartFile::Restart(const std::string& validator) {
  if (ftruncate(descriptor_, 0) != 0) FailWithErrno("can't be emptied");
  size_ = 0;
  validator_ = validator;
  if (validator.empty()) {
    std::error_code none;
    std::filesystem::remove(Etag(), none);
  } else {
    WriteFileWhole(Etag(), validator + "\n");
  }
}

void PartFile::Append(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) FailWithErrno("can't be written");
    size_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void PartFile::Discard() {
  std::error_code none;
  std::filesystem::remove(Etag(), none);
  std::filesystem::remove(part_, none);
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

void PartFile::Commit() {
  if (fsync(descriptor_) != 0) FailWithErrno("can't be synced to disk");
  if (rename(part_.c_str(), target_.c_str()) != 0) FailWithErrno("can't be renamed");
  std::error_code none;
  std::filesystem::remove(Etag(), none);
  close(descriptor_);
  descriptor_ = -1;
}

}  // namespace mobilenet
