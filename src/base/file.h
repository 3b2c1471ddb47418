// Whole files: mapped for reading, replaced in one step for writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet {

// A file mapped into memory for as long as the object lives. Movable, not copyable.
class MappedFile {
 public:
  // Throws Error where the file can't be opened, is not a regular file, or can't be mapped.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Lets go of the memory that holds `bytes` where they lie in files that are mapped now: whoever reads them
// again has them read from the file again. Does nothing for other memory. Safe from any thread.
void ReleaseMapped(std::span<const std::uint8_t> bytes);

// The bytes of a file and what keeps them alive.
struct SharedBytes {
  std::span<const std::uint8_t> bytes;
  std::shared_ptr<const void> owner;

  static SharedBytes Of(std::vector<std::uint8_t> bytes);
};

// A file's bytes, mapped, or read into memory. Throws Error.
SharedBytes OpenFile(const std::filesystem::path& path, bool mapped);

// Reads a file, or a pipe such as /dev/stdin, to its end; at most 1 GiB. Throws Error.
std::vector<std::uint8_t> ReadFile(const std::filesystem::path& path);

// The lines of a text file, without their ends (\n or \r\n) and without a byte order mark. Throws Error, also
// where there is a zero byte, which no text has.
std::vector<std::string> ReadLines(const std::filesystem::path& path);

// A new file beside `path`, which Commit syncs and renames to `path`: it appears whole or not at all. Links
// are followed and an old file's mode is kept; what is no file is refused. All but the destructor throw
// Error, leaving what was at `path` as it was; without Commit nothing is left beside it.
class WholeFile {
 public:
  explicit WholeFile(const std::filesystem::path& path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void Append(std::span<const std::uint8_t> bytes);
  void Append(std::string_view text);
  // Writes over the first bytes, which have been appended.
  void WriteBeginning(std::string_view text);
  void Commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes the parts one after the other as a WholeFile. Throws Error.
void WriteFileWhole(const std::filesystem::path& path, std::span<const std::span<const std::uint8_t>> parts);

// The same with text.
void WriteFileWhole(const std::filesystem::path& path, std::string_view text);

// Whether two names are of one file or folder, which need not be there.
bool SamePlace(const std::filesystem::path& a, const std::filesystem::path& b);

// Removes what processes that were killed in WriteFileWhole to `path` have left beside it. None may be at it.
void RemoveUnfinished(const std::filesystem::path& path);

// While it lives, no other process has a lock on the same folder.
class FolderLock {
 public:
  // Throws Error where another process has it. On file systems that can't lock, there is no lock.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

// Throws Error where WriteFileWhole to `path` would fail for where or what that is. Leaves nothing behind.
void CheckWritable(const std::filesystem::path& path);

// The same where what is at `path` is not `kind`, as `is_kind` tells from its first KiB: nobody's photo is
// written over because its name was typed in the wrong place. Nothing and an empty file may be replaced.
void CheckReplaceable(const std::filesystem::path& path, std::string_view kind,
                      const std::function<bool(std::span<const std::uint8_t>)>& is_kind);

}  // namespace mobilenet
