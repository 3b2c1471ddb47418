#include "image/bmp_runs.h"

#include <utility>

#include "base/fail.h"

namespace mobilenet {
namespace {

// A pair of bytes is a run (length, value), or with a first byte of 0 one of these, or a count of literal
// pixels.
constexpr std::uint8_t kEndOfRow = 0;
constexpr std::uint8_t kEndOfPicture = 1;
constexpr std::uint8_t kSkip = 2;

// A skip covers at most 255 x 255 pixels: a header that declares more than that is refused before memory is
// taken.
constexpr std::size_t kMaxPixelsPerByte = 255 * 255;

class Expander {
 public:
  Expander(std::span<const std::uint8_t> codes, const BmpRuns& runs) : codes_(codes), runs_(runs) {
    if (runs.width * runs.height / kMaxPixelsPerByte > codes.size()) FailAtEnd();
    indices_.resize(runs.width * runs.height);
  }

  std::vector<std::uint8_t> Run() {
    while (true) {
      const std::uint8_t count = Next();
      const std::uint8_t value = Next();
      if (count > 0) {
        for (unsigned i = 0; i < count; ++i) Put(Nibble(value, i));
      } else if (value == kEndOfRow) {
        x_ = 0;
        ++y_;
      } else if (value == kEndOfPicture) {
        return std::move(indices_);
      } else if (value == kSkip) {
        x_ += Next();
        y_ += Next();
      } else {
        Literals(value);
      }
    }
  }

 private:
  [[noreturn]] void FailAtEnd() const {
    Fail(runs_.name, ": damaged BMP: the file ends before the picture is complete");
  }

  std::uint8_t Next() {
    if (position_ == codes_.size()) FailAtEnd();
    return codes_[position_++];
  }

  // Pixel `i` of those that `value` codes: the byte itself, or its upper and lower half in turn.
  [[nodiscard]] std::uint8_t Nibble(std::uint8_t value, unsigned i) const {
    if (runs_.bits == 8) return value;
    return i % 2 == 0 ? value >> 4 : value & 15;
  }

  void Put(std::uint8_t index) {
    if (x_ >= runs_.width || y_ >= runs_.height) {
      Fail(runs_.name, ": damaged BMP: a run leaves the picture of ", runs_.width, " x ", runs_.height,
           " at ", x_, ", ", y_);
    }
    indices_[y_ * runs_.width + x_++] = index;
  }

  void Literals(unsigned count) {
    std::uint8_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (runs_.bits == 8 || i % 2 == 0) value = Next();
      Put(Nibble(value, i));
    }
    const unsigned bytes = runs_.bits == 8 ? count : (count + 1) / 2;
    if (bytes % 2 != 0) Next();  // literals are padded to 16 bits
  }

  std::span<const std::uint8_t> codes_;
  const BmpRuns& runs_;
  std::vector<std::uint8_t> indices_;
  std::size_t position_ = 0;
  std::size_t x_ = 0;
  std::size_t y_ = 0;
};

}  // namespace

std::vector<std::uint8_t> ExpandBmpRuns(std::span<const std::uint8_t> codes, const BmpRuns& runs) {
  return Expander(codes, runs).Run();
}

}  // namespace mobilenet
