#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/fail.h"

namespace mobilenet {
namespace {

constexpr std::string_view kPart = ".part";             // how the names of unfinished files end
constexpr std::size_t kMaxRead = std::size_t{1} << 30;  // a pipe or device may have no end

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

// Where files are mapped now, and how many bytes.
struct Mappings {
  std::mutex mutex;
  std::map<const std::uint8_t*, std::size_t> sizes;
};

// Never destroyed: a mapping may outlive all that is.
Mappings& AllMappings() {
  static auto& all = *new Mappings;
  return all;
}

[[noreturn]] void FailWithErrno(const std::filesystem::path& path, const char* what) {
  const int error = errno;
  Fail(path.string(), ": ", what, ": ", std::strerror(error));
}

Descriptor OpenForReading(const std::filesystem::path& path, int flags = 0) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
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

std::filesystem::path FolderOf(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

// Where a file would be written: the end of a chain of symbolic links.
std::filesystem::path FollowLinks(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path target = path;
  for (int i = 0; i < 40 && std::filesystem::is_symlink(target, error); ++i) {
    const auto next = std::filesystem::read_symlink(target, error);
    if (error) break;
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target;
}

// A new file beside `target`, under a name that nobody has; removed at the end unless it was renamed.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& target) : descriptor_(Create(target)) {}
  ~NewFile() { unlink(name_.c_str()); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  int Create(const std::filesystem::path& target) {
    for (int attempt = 0;; ++attempt) {
      name_ = Concat(target.string(), ".", getpid(), "-", attempt, kPart);
      const int file = open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
      if (file >= 0) return file;
      if (errno != EEXIST || attempt == 100) FailWithErrno(target, "can't be created");
    }
  }

  std::string name_;
  Descriptor descriptor_;
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file = OpenForReading(path, O_NONBLOCK);  // no waiting for somebody to write to a pipe
  struct stat status {};
  if (fstat(file.get(), &status) != 0) FailWithErrno(path, "can't be examined");
  if (!S_ISREG(status.st_mode)) Fail(path.string(), ": is not a regular file");
  if (status.st_size == 0) return;  // mmap refuses a length of 0
  const auto size = static_cast<std::size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) FailWithErrno(path, "can't be mapped into memory");
  data_ = static_cast<const std::uint8_t*>(data);
  size_ = size;
  Mappings& all = AllMappings();
  const std::scoped_lock lock(all.mutex);
  all.sizes.emplace(data_, size_);
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  Mappings& all = AllMappings();
  const std::scoped_lock lock(all.mutex);
  all.sizes.erase(data_);
  munmap(const_cast<std::uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void ReleaseMapped(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  Mappings& all = AllMappings();
  const std::scoped_lock lock(all.mutex);  // what is found stays mapped meanwhile
  const auto after = all.sizes.upper_bound(bytes.data());
  if (after == all.sizes.begin()) return;
  const auto& [data, size] = *std::prev(after);
  const auto begin = static_cast<std::size_t>(bytes.data() - data);
  if (begin >= size || bytes.size() > size - begin) return;
  // Only pages that lie inside as a whole: others hold more than these bytes.
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t first = (begin + page - 1) / page * page;
  const std::size_t last = (begin + bytes.size()) / page * page;
  // Private and never written to, the pages hold what the file holds.
  if (first < last) (void)madvise(const_cast<std::uint8_t*>(data) + first, last - first, MADV_DONTNEED);
}

SharedBytes SharedBytes::Of(std::vector<std::uint8_t> bytes) {
  auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  return {*owner, owner};
}

SharedBytes OpenFile(const std::filesystem::path& path, bool mapped) {
  if (!mapped) return SharedBytes::Of(ReadFile(path));
  auto file = std::make_shared<const MappedFile>(path);
  const auto bytes = file->bytes();
  return {bytes, std::move(file)};
}

std::vector<std::uint8_t> ReadFile(const std::filesystem::path& path) {
  const Descriptor file = OpenForReading(path);
  struct stat status {};
  std::vector<std::uint8_t> bytes;
  if (fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    const auto told = static_cast<std::size_t>(status.st_size);
    if (told > kMaxRead) Fail(path.string(), ": has ", told, " bytes, expected at most ", kMaxRead);
    bytes.reserve(told + 1);  // one more, so that the end is seen in one read
  }
  std::size_t size = 0;
  while (true) {
    bytes.resize(std::max(bytes.capacity(), size + 65536));
    const ssize_t count = read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) FailWithErrno(path, "can't be read");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
    if (size > kMaxRead) Fail(path.string(), ": has no end within ", kMaxRead, " bytes");
  }
  bytes.resize(size);
  return bytes;
}

std::vector<std::string> ReadLines(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = ReadFile(path);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find('\0') != std::string_view::npos)
      Fail(path.string(), ": is no text: its line ", lines.size() + 1, " has a zero byte");
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

namespace {

// Where writing to `path` will put the file, and what is there now: a regular file or nothing, else it fails.
struct Target {
  std::filesystem::path path;
  bool exists;
  mode_t mode;
};

Target TargetOf(const std::filesystem::path& path) {
  Target target{FollowLinks(path), false, 0};
  struct stat old {};
  target.exists = stat(target.path.c_str(), &old) == 0;
  target.mode = old.st_mode;
  if (target.exists && !S_ISREG(old.st_mode)) {
    Fail(path.string(), ": is a ", S_ISDIR(old.st_mode) ? "directory" : "device or pipe",
         ", expected a file or nothing");
  }
  return target;
}

}  // namespace

bool SamePlace(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto place = [](const std::filesystem::path& path) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(path, error) / "";
    const std::filesystem::path canonical = std::filesystem::weakly_canonical(whole, error);
    return (error ? whole : canonical / "").lexically_normal();
  };
  return place(a) == place(b);
}

void RemoveUnfinished(const std::filesystem::path& path) {
  const std::filesystem::path target = FollowLinks(path);
  const std::string begin = target.filename().string() + ".";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(FolderOf(target), ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(kPart)) continue;
    const auto middle =
        std::string_view(name).substr(begin.size(), name.size() - begin.size() - kPart.size());
    if (middle.find_first_not_of("0123456789-") == std::string_view::npos)
      std::filesystem::remove(entry.path(), ignored);
  }
}

FolderLock::FolderLock(const std::filesystem::path& folder)
    : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ >= 0 && flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(descriptor_);
    Fail(folder.string(), ": is in use by another process");
  }
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

void CheckWritable(const std::filesystem::path& path) { const NewFile removed_again(TargetOf(path).path); }

void CheckReplaceable(const std::filesystem::path& path, std::string_view kind,
                      const std::function<bool(std::span<const std::uint8_t>)>& is_kind) {
  CheckWritable(path);
  if (!TargetOf(path).exists) return;
  const Descriptor file = OpenForReading(path);
  std::array<std::uint8_t, 1024> begin{};
  const ssize_t count = read(file.get(), begin.data(), begin.size());
  if (count < 0) FailWithErrno(path, "can't be read");
  if (count > 0 && !is_kind({begin.data(), static_cast<std::size_t>(count)}))
    Fail(path.string(), ": is there already and is not ", kind, ": remove it, or give another name");
}

struct WholeFile::State {
  std::filesystem::path path;
  Target target;
  NewFile file;
};

WholeFile::WholeFile(const std::filesystem::path& path) {
  Target target = TargetOf(path);
  const std::filesystem::path place = target.path;
  state_ = std::unique_ptr<State>(new State{path, std::move(target), NewFile(place)});
}

WholeFile::~WholeFile() = default;

void WholeFile::Append(std::span<const std::uint8_t> bytes) {
  WriteAll(state_->file.descriptor(), bytes, state_->path);
}

void WholeFile::Append(std::string_view text) {
  Append(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

void WholeFile::WriteBeginning(std::string_view text) {
  const int descriptor = state_->file.descriptor();
  if (lseek(descriptor, 0, SEEK_SET) != 0) FailWithErrno(state_->path, "can't be written from its beginning");
  Append(text);
  if (lseek(descriptor, 0, SEEK_END) < 0) FailWithErrno(state_->path, "can't be written at its end");
}

void WholeFile::Commit() {
  const auto& [path, target, file] = *state_;
  if (target.exists && fchmod(file.descriptor(), target.mode & 07777) != 0)
    FailWithErrno(path, "can't keep its mode");
  if (fsync(file.descriptor()) != 0) FailWithErrno(path, "can't be synced to disk");
  if (rename(file.name().c_str(), target.path.c_str()) != 0) FailWithErrno(path, "can't be replaced");
  // The new name is on disk only when its folder is; a file system that can't sync folders has done what it
  // can.
  const Descriptor directory(open(FolderOf(target.path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) fsync(directory.get());
}

void WriteFileWhole(const std::filesystem::path& path, std::span<const std::span<const std::uint8_t>> parts) {
  WholeFile file(path);
  for (const auto part : parts) file.Append(part);
  file.Commit();
}
void WriteFileWhole(const std::filesystem::path& path, std::string_view text) {
  const std::span<const std::uint8_t> part(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  WriteFileWhole(path, {&part, 1});
}

}  // namespace mobilenet
