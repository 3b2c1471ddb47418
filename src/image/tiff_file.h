// A TIFF in memory, opened by libtiff, with its complaints caught.
#pragma once

#include <tiffio.h>

#include <array>
#include <cstdarg>
#include <cstdint>
#include <memory>
#include <span>

#include "image/decoders.h"

namespace mobilenet {

class TiffFile {
 public:
  // Reads the first page's directory. Throws Error where there is none.
  explicit TiffFile(const Encoded& encoded);
  TiffFile(const TiffFile&) = delete;  // libtiff keeps its address
  TiffFile& operator=(const TiffFile&) = delete;

  [[nodiscard]] TIFF* get() const { return tiff_.get(); }
  // A field's value, or its default; `fallback` where the standard has none.
  template <typename Value>
  [[nodiscard]] Value Field(std::uint32_t tag, Value fallback = {}) const {
    Value value = fallback;
    return TIFFGetFieldDefaulted(get(), tag, &value) == 1 ? value : fallback;
  }

  // From now on each complaint counts. (Those about single fields of a directory that is whole otherwise do
  // not.)
  void ExpectPixels() { complaint_ = {}; }
  // Throws Error where there was a complaint, or where a step has `failed`.
  void Check(bool failed) const;

 private:
  struct Close {
    void operator()(TIFF* tiff) const { TIFFClose(tiff); }
  };

  static tmsize_t Read(thandle_t file, void* to, tmsize_t count);
  static toff_t Seek(thandle_t file, toff_t offset, int whence);
  static int OnError(TIFF* tiff, void* file, const char* module, const char* format, va_list values);
  static int OnWarning(TIFF* tiff, void* file, const char* module, const char* format, va_list values);

  std::span<const std::uint8_t> bytes_;
  std::string_view name_;
  std::uint64_t at_ = 0;
  std::array<char, 256> complaint_{};  // the first one
  std::unique_ptr<TIFF, Close> tiff_;  // before all that it uses is gone
};

}  // namespace mobilenet
