// GIF through giflib: the first frame on its canvas, over white. Only what giflib calls the low-level
// interface is used: the other one reads all frames to memory.
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "base/fail.h"
#include "image/decoders.h"

namespace mobilenet {
namespace {

// A code has at most 12 bits, and stands for at most the 4096 pixels of the longest chain. A header that
// declares more than that is refused before memory is taken.
constexpr std::uint64_t kMaxPixelsPerByte = 4096;

struct Source {
  std::span<const std::uint8_t> rest;
  bool past_end = false;  // giflib asked for more bytes than there are
};

int OnRead(GifFileType* gif, GifByteType* to, int count) {
  auto& source = *static_cast<Source*>(gif->UserData);
  const std::size_t given = std::min(static_cast<std::size_t>(std::max(count, 0)), source.rest.size());
  std::copy_n(source.rest.begin(), given, to);
  source.rest = source.rest.subspan(given);
  source.past_end = source.past_end || static_cast<int>(given) < count;
  return static_cast<int>(given);
}

struct CloseGif {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};
using Gif = std::unique_ptr<GifFileType, CloseGif>;

class Reader {
 public:
  explicit Reader(const Encoded& encoded) : encoded_(encoded), source_{.rest = encoded.bytes} {
    int error = D_GIF_SUCCEEDED;
    gif_.reset(DGifOpen(&source_, OnRead, &error));
    if (gif_ == nullptr) FailDamaged(error);
  }

  Image FirstFrame() {
    FindFrame();
    const GifImageDesc& frame = gif_->Image;
    const auto width = static_cast<std::uint64_t>(std::max(gif_->SWidth, frame.Left + frame.Width));
    const auto height = static_cast<std::uint64_t>(std::max(gif_->SHeight, frame.Top + frame.Height));
    CheckSize(encoded_, "GIF", static_cast<std::uint64_t>(frame.Width),
              static_cast<std::uint64_t>(frame.Height));
    CheckSize(encoded_, "GIF", width, height);
    const std::uint64_t pixels = std::uint64_t{static_cast<unsigned>(frame.Width)} * frame.Height;
    if (pixels / kMaxPixelsPerByte > encoded_.bytes.size()) FailAtEnd();
    const Palette palette = PaletteOfFrame();
    Image image = MakeImage(width, height, 255);
    if (frame.Interlace) {
      ReadRows(image, palette, 0, 8);
      ReadRows(image, palette, 4, 8);
      ReadRows(image, palette, 2, 4);
      ReadRows(image, palette, 1, 2);
    } else {
      ReadRows(image, palette, 0, 1);
    }
    return image;
  }

 private:
  using Palette = std::array<GifColorType, 256>;

  [[noreturn]] void FailAtEnd() const {
    Fail(encoded_.name, ": GIF ends after ", encoded_.bytes.size(), " bytes, before the picture is complete");
  }

  [[noreturn]] void FailDamaged(int error) const {
    if (error == D_GIF_ERR_NOT_ENOUGH_MEM) throw std::bad_alloc();
    if (source_.past_end) FailAtEnd();
    const char* text = GifErrorString(error);
    Fail(encoded_.name, ": damaged GIF: ", text == nullptr ? "giflib gives no reason" : text);
  }

  void Check(int result) const {
    if (result != GIF_OK) FailDamaged(gif_->Error);
  }

  // Goes to the first frame's header, past extensions, of which one may name a transparent colour.
  void FindFrame() {
    for (;;) {
      GifRecordType type = UNDEFINED_RECORD_TYPE;
      Check(DGifGetRecordType(gif_.get(), &type));
      if (type == IMAGE_DESC_RECORD_TYPE) return Check(DGifGetImageDesc(gif_.get()));
      if (type == TERMINATE_RECORD_TYPE) Fail(encoded_.name, ": damaged GIF: it has no frame");
      if (type == EXTENSION_RECORD_TYPE) ReadExtension();
    }
  }

  void ReadExtension() {
    int code = 0;
    GifByteType* block = nullptr;  // its length, then its bytes
    Check(DGifGetExtension(gif_.get(), &code, &block));
    while (block != nullptr) {
      GraphicsControlBlock control{};
      if (code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
        transparent_ = control.TransparentColor;
      }
      Check(DGifGetExtensionNext(gif_.get(), &block));
    }
  }

  // 256 colours, black behind the stored ones: an index beyond the palette shows black. White where it shows
  // through.
  [[nodiscard]] Palette PaletteOfFrame() const {
    const ColorMapObject* map = gif_->Image.ColorMap != nullptr ? gif_->Image.ColorMap : gif_->SColorMap;
    if (map == nullptr) Fail(encoded_.name, ": damaged GIF: its palette is missing");
    Palette palette{};
    std::copy_n(map->Colors, std::min<std::size_t>(map->ColorCount, palette.size()), palette.begin());
    if (transparent_ >= 0) palette.at(transparent_) = {255, 255, 255};
    return palette;
  }

  void ReadRows(Image& image, const Palette& palette, int first, int step) {
    const GifImageDesc& frame = gif_->Image;
    indices_.resize(frame.Width);
    for (int y = first; y < frame.Height; y += step) {
      Check(DGifGetLine(gif_.get(), indices_.data(), frame.Width));
      std::uint8_t* to =
          image.pixels.data() + (static_cast<std::size_t>(frame.Top + y) * image.width + frame.Left) * 3;
      for (const GifPixelType index : indices_) {
        *to++ = palette[index].Red;
        *to++ = palette[index].Green;
        *to++ = palette[index].Blue;
      }
    }
  }

  const Encoded& encoded_;
  Source source_;
  Gif gif_;
  int transparent_ = NO_TRANSPARENT_COLOR;
  std::vector<GifPixelType> indices_;  // of a row
};

}  // namespace

Decoded DecodeGif(const Encoded& encoded) { return {Reader(encoded).FirstFrame()}; }

}  // namespace mobilenet
