// A file on its way: written beside its place, and put there when it is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace mobilenet {

// FILE.part, which one process at a time has: who comes second waits. What is in it stays there when it was
// cut off, if its beginning can be told from that of another file by a validator, an ETag or a date of the
// server, which lies beside it as FILE.part.etag. (On file systems that can't lock, there is no lock.)
class PartFile {
 public:
  // Opens the part of `target`, or begins one. Calls `on_wait`, if it is there, before it waits for another
  // process. Throws Error where it can't be created.
  PartFile(const std::filesystem::path& target, const std::function<void()>& on_wait);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return part_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& validator() const { return validator_; }

  // All throw Error. Begins anew, with nothing.
  void Restart(const std::string& validator);
  void Append(std::span<const std::uint8_t> bytes);
  // Lets nothing of it stay.
  void Discard();
  // Syncs it to disk and renames it to the target.
  void Commit();

 private:
  [[nodiscard]] std::filesystem::path Etag() const;
  void Open(const std::function<void()>& on_wait);
  [[nodiscard]] bool IsAtItsPlace() const;
  [[noreturn]] void FailWithErrno(const char* what) const;

  std::filesystem::path target_;
  std::filesystem::path part_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::string validator_;
};

}  // namespace mobilenet
