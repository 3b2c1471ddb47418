// ZIP archives in memory, through libzip: what PyTorch's and Keras's archives lie in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet {

// An archive of which `bytes` must outlive this object. Every function throws Error, naming the archive and
// the file in it. An object belongs to one thread.
class ZipArchive {
 public:
  // Whether the bytes begin as an archive does.
  static bool Recognises(std::span<const std::uint8_t> bytes);

  // Refuses an archive whose files would together be more than ten times as large as itself: a bomb.
  ZipArchive(std::span<const std::uint8_t> bytes, std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }

  struct File {
    std::uint64_t index;
    std::uint64_t size;  // unpacked
  };
  // All files, by name; of several of one name, the last.
  [[nodiscard]] const std::map<std::string, File, std::less<>>& files() const { return files_; }

  // A file's content. Throws Error, also where its checksum is not the archive's.
  [[nodiscard]] std::vector<std::uint8_t> Read(std::string_view file) const;

 private:
  struct Discard {
    void operator()(void* archive) const;
  };

  std::string name_;
  std::unique_ptr<void, Discard> archive_;  // zip_t
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace mobilenet
