#include "image/tiff_file.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/fail.h"

namespace mobilenet {
namespace {

// The most that libtiff itself takes at once beside the file's own bytes: tables of strips, states of codecs.
constexpr tmsize_t kMaxAllocation = tmsize_t{1} << 28;

struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

}  // namespace

TiffFile::TiffFile(const Encoded& encoded) : bytes_(encoded.bytes), name_(encoded.name) {
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocation + static_cast<tmsize_t>(bytes_.size()));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), OnError, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), OnWarning, this);
  const auto write = [](thandle_t, void*, tmsize_t) -> tmsize_t { return -1; };
  const auto close = [](thandle_t) { return 0; };
  const auto size = [](thandle_t file) -> toff_t { return static_cast<TiffFile*>(file)->bytes_.size(); };
  // m: without memory mapping, of which a file in memory has no need.
  tiff_.reset(
      TIFFClientOpenExt("TIFF", "rm", this, Read, write, Seek, close, size, nullptr, nullptr, options.get()));
  Check(tiff_ == nullptr);
}

void TiffFile::Check(bool failed) const {
  const char* text = complaint_.data();
  if (failed && *text == '\0')
    text = "the file ends before the picture is complete, or libtiff gives no reason";
  if (failed || (tiff_ != nullptr && *text != '\0')) Fail(name_, ": damaged TIFF: ", text);
}

tmsize_t TiffFile::Read(thandle_t file, void* to, tmsize_t count) {
  auto& self = *static_cast<TiffFile*>(file);
  const std::uint64_t rest = self.bytes_.size() - std::min<std::uint64_t>(self.at_, self.bytes_.size());
  const std::uint64_t given =
      std::min<std::uint64_t>(rest, static_cast<std::uint64_t>(std::max<tmsize_t>(count, 0)));
  if (given > 0) std::memcpy(to, self.bytes_.data() + self.at_, given);
  self.at_ += given;
  return static_cast<tmsize_t>(given);
}

toff_t TiffFile::Seek(thandle_t file, toff_t offset, int whence) {
  auto& self = *static_cast<TiffFile*>(file);
  const std::uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? self.at_ : self.bytes_.size();
  return self.at_ = base + offset;
}

// Neither may print, which is what libtiff does where there is no handler, or one that returns 0.
int TiffFile::OnError(TIFF* /*tiff*/, void* file, const char* /*module*/, const char* format,
                      va_list values) {
  auto& complaint = static_cast<TiffFile*>(file)->complaint_;
  if (complaint[0] == '\0') std::vsnprintf(complaint.data(), complaint.size(), format, values);
  return 1;
}

// Warnings are about fields that don't matter, but for those of libjpeg, which stand for wrong pixels.
int TiffFile::OnWarning(TIFF* tiff, void* file, const char* module, const char* format, va_list values) {
  if (module != nullptr && std::strcmp(module, "JPEGLib") == 0) OnError(tiff, file, module, format, values);
  return 1;
}

}  // namespace mobilenet
