#include "formats/zip.h"

#include <zip.h>

#include <limits>

#include "base/fail.h"
#include "base/signature.h"

namespace mobilenet {
namespace {

constexpr std::uint64_t kMostGrowth = 10;
constexpr std::uint64_t kMostFiles = 100'000;

// What libzip's errors say, which it keeps until they are told.
class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;

  zip_error_t* get() { return &error_; }
  const char* Text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_{};
};

struct Close {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

zip_t* Open(std::span<const std::uint8_t> bytes, const std::string& name) {
  ZipError error;
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get());
  if (source == nullptr) throw std::bad_alloc();
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY, error.get());
  if (archive == nullptr) {
    zip_source_free(source);
    Fail(name, ": is a damaged ZIP archive, or was cut off: ", error.Text());
  }
  return archive;
}

}  // namespace

void ZipArchive::Discard::operator()(void* archive) const { zip_discard(static_cast<zip_t*>(archive)); }

bool ZipArchive::Recognises(std::span<const std::uint8_t> bytes) {
  using namespace std::string_view_literals;
  return HasAt(bytes, 0, "PK\3\4"sv);
}

ZipArchive::ZipArchive(std::span<const std::uint8_t> bytes, std::string_view name)
    : name_(name), archive_(Open(bytes, name_)) {
  auto* archive = static_cast<zip_t*>(archive_.get());
  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(archive, 0));
  if (count > kMostFiles) Fail(name_, ": is an archive of ", count, " files, expected at most ", kMostFiles);
  std::uint64_t left = bytes.size() > std::numeric_limits<std::uint64_t>::max() / kMostGrowth
                           ? std::numeric_limits<std::uint64_t>::max()
                           : kMostGrowth * bytes.size();
  for (std::uint64_t i = 0; i < count; ++i) {
    zip_stat_t about;
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE;
    if (zip_stat_index(archive, i, 0, &about) != 0 || (about.valid & kNeeded) != kNeeded)
      Fail(name_, ": is a damaged ZIP archive: its file number ", i, " can't be found");
    if (about.size > left)
      Fail(name_, ": is an archive of ", bytes.size(), " bytes whose files would take more than ",
           kMostGrowth, " times as many");
    left -= about.size;
    files_[about.name] = {i, about.size};
  }
}

std::vector<std::uint8_t> ZipArchive::Read(std::string_view file) const {
  const auto found = files_.find(file);
  if (found == files_.end()) Fail(name_, ": holds no file ", file);
  auto* archive = static_cast<zip_t*>(archive_.get());
  const std::unique_ptr<zip_file_t, Close> opened(zip_fopen_index(archive, found->second.index, 0));
  if (opened == nullptr) Fail(name_, ": its file ", file, " can't be unpacked: ", zip_strerror(archive));
  std::vector<std::uint8_t> bytes(found->second.size);
  std::size_t read = 0;
  // The end is read for, too: only there is the checksum compared.
  for (;;) {
    std::uint8_t beyond = 0;
    const bool all = read == bytes.size();
    const zip_int64_t got =
        zip_fread(opened.get(), all ? &beyond : bytes.data() + read, all ? 1 : bytes.size() - read);
    if (got < 0 || (all && got > 0) || (!all && got == 0))
      Fail(name_, ": its file ", file, " is damaged", got < 0 ? ": " : "",
           got < 0 ? zip_file_strerror(opened.get()) : "");
    if (all) return bytes;
    read += static_cast<std::size_t>(got);
  }
}

}  // namespace mobilenet
