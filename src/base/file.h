// Whole files: mapped for reading, replaced in one step for writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
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

// Reads a file, or a pipe such as /dev/stdin, to its end; at most 1 GiB. Throws Error.
std::vector<std::uint8_t> ReadFile(const std::filesystem::path& path);

// Writes the parts one after the other to a new file beside `path`, syncs it and renames it to `path`: the
// file appears whole or not at all. Links are followed and an old file's mode is kept; what is no file is
// refused. Throws Error, leaving what was at `path` as it was and no file beside it.
void WriteFileWhole(const std::filesystem::path& path, std::span<const std::span<const std::uint8_t>> parts);

// The same with text.
void WriteFileWhole(const std::filesystem::path& path, std::string_view text);

// Throws Error where WriteFileWhole to `path` would fail for where or what that is. Leaves nothing behind.
void CheckWritable(const std::filesystem::path& path);

}  // namespace mobilenet
