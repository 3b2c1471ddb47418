// HEIC and AVIF through libheif: the primary picture, made of tiles or not, turned and cropped as the file
// says, over white. (EXIF's orientation counts for nothing in these files: ISO/IEC 23008-12 has properties
// for that.) Colour profiles are ignored, as in the programs that prepared the data sets.
#include <libheif/heif.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "base/fail.h"
#include "image/coded_size.h"
#include "image/decoders.h"

namespace mobilenet {
namespace {

// libheif counts the bytes of a plane in 32 bits, and takes up to two for a sample.
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 29;

// Coded pictures end at whole blocks, and small ones may be cut out of larger ones.
constexpr std::uint64_t kCodedMargin = std::uint64_t{1} << 20;

template <typename T, auto kFree>
struct Free {
  void operator()(T* object) const { kFree(object); }
};
using Context = std::unique_ptr<heif_context, Free<heif_context, heif_context_free>>;
using Handle = std::unique_ptr<heif_image_handle, Free<heif_image_handle, heif_image_handle_release>>;
using Picture = std::unique_ptr<heif_image, Free<heif_image, heif_image_release>>;

void Check(const heif_error& error, const Encoded& encoded) {
  if (error.code == heif_error_Ok) return;
  if (error.code == heif_error_Memory_allocation_error &&
      error.subcode != heif_suberror_Security_limit_exceeded)
    throw std::bad_alloc();
  if (error.subcode == heif_suberror_Unsupported_codec)
    Fail(encoded.name,
         ": HEIF in a codec that libheif has no decoder for on this machine: install its plugin");
  if (error.subcode == heif_suberror_End_of_data)
    Fail(encoded.name, ": HEIF ends after ", encoded.bytes.size(), " bytes, before the picture is complete");
  std::string text = error.message;
  while (text.ends_with('\n')) text.pop_back();
  const bool unread =
      error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype;
  Fail(encoded.name, unread ? ": HEIF that libheif does not read: " : ": damaged HEIF: ", text);
}

std::uint64_t Side(int pixels) { return pixels < 0 ? 0 : static_cast<std::uint64_t>(pixels); }

// A picture's canvas, tiles, alpha and turning take each of its pixels a few times, depth maps and the like
// some more. What is beyond that names the same tile over and over, or hides more than it shows.
void CheckWork(std::uint64_t work, std::uint64_t pixels, const Encoded& encoded) {
  constexpr std::uint64_t kTimes = 8;
  constexpr std::uint64_t kMargin = std::uint64_t{1} << 24;  // tiles may be larger than small pictures
  if (work > kTimes * pixels + kMargin) {
    Fail(encoded.name, ": HEIF of ", pixels, " pixels, for which ", work,
         " would be decoded, expected at most ", kTimes * pixels + kMargin);
  }
}

// Before memory is taken: what the file says of the picture, and what the coded data says.
void CheckSizes(const heif_image_handle* handle, const CodedSize& size, const Encoded& encoded) {
  const std::uint64_t width = Side(heif_image_handle_get_width(handle));
  const std::uint64_t height = Side(heif_image_handle_get_height(handle));
  CheckSize(encoded, "HEIF", width, height);
  const std::uint64_t stored_width = Side(heif_image_handle_get_ispe_width(handle));
  const std::uint64_t stored_height = Side(heif_image_handle_get_ispe_height(handle));
  CheckSize(encoded, "HEIF", stored_width, stored_height);
  const auto [coded, work] = size;
  if (coded == 0) Fail(encoded.name, ": damaged HEIF: its codec's parameters are missing");
  const std::uint64_t most = std::min(
      2 * std::min<std::uint64_t>(encoded.options.max_pixels, kMostPixels) + kCodedMargin, kMostPixels);
  if (coded > most || width * height > most) {
    Fail(encoded.name, ": HEIF of ", width, " x ", height, " pixels, coded as ", coded,
         " pixels, expected at most ", most);
  }
  CheckWork(work, std::max(width * height, stored_width * stored_height), encoded);
}

struct Plane {
  const std::uint8_t* data = nullptr;
  int stride = 0;  // bytes
  int bits = 8;

  [[nodiscard]] std::uint8_t At(int x, int y) const {
    const std::uint8_t* row = data + static_cast<std::ptrdiff_t>(y) * stride;
    if (bits <= 8) return EightBits(row[x], bits);
    std::uint16_t value = 0;
    std::memcpy(&value, row + 2 * static_cast<std::ptrdiff_t>(x), sizeof(value));
    return EightBits(std::min<unsigned>(value, (1U << bits) - 1), bits);
  }
};

Plane PlaneOf(const heif_image* picture, heif_channel channel, int width, int height,
              const Encoded& encoded) {
  Plane plane;
  plane.data = heif_image_get_plane_readonly(picture, channel, &plane.stride);
  plane.bits = heif_image_get_bits_per_pixel_range(picture, channel);
  if (plane.data == nullptr || plane.bits < 1 || plane.bits > 16)
    Fail(encoded.name, ": damaged HEIF: a plane of its colours is missing");
  if (heif_image_get_width(picture, channel) != width || heif_image_get_height(picture, channel) != height)
    Fail(encoded.name, ": damaged HEIF: its planes are of different sizes");
  return plane;
}

Image ImageOf(heif_image* picture, const Encoded& encoded) {
  const int width = heif_image_get_width(picture, heif_channel_R);
  const int height = heif_image_get_height(picture, heif_channel_R);
  CheckSize(encoded, "HEIF", Side(width), Side(height));
  const std::array channels = {heif_channel_R, heif_channel_G, heif_channel_B};
  std::array<Plane, 3> planes;
  for (std::size_t c = 0; c < 3; ++c) planes[c] = PlaneOf(picture, channels[c], width, height, encoded);
  const bool has_alpha = heif_image_has_channel(picture, heif_channel_Alpha) != 0;
  const Plane coverage = has_alpha ? PlaneOf(picture, heif_channel_Alpha, width, height, encoded) : Plane{};
  const bool premultiplied = has_alpha && heif_image_is_premultiplied_alpha(picture) != 0;

  Image image = MakeImage(Side(width), Side(height));
  std::uint8_t* to = image.pixels.data();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const unsigned alpha = has_alpha ? coverage.At(x, y) : 255;
      for (const Plane& plane : planes) {
        const unsigned sample = plane.At(x, y);
        *to++ = premultiplied ? PremultipliedOverWhite(sample, alpha) : OverWhite(sample, alpha);
      }
    }
  }
  return image;
}

}  // namespace

Decoded DecodeHeif(const Encoded& encoded) {
  const CodedSize size = CodedSizeOf(encoded.bytes);
  if (size.work >= kEndless)
    Fail(encoded.name, ": damaged HEIF: it is made of itself, in very many steps, or of the same data again");
  const Context context(heif_context_alloc());
  if (context == nullptr) throw std::bad_alloc();
  heif_context_set_max_decoding_threads(context.get(), 0);  // callers have threads of their own
  Check(heif_context_read_from_memory_without_copy(context.get(), encoded.bytes.data(), encoded.bytes.size(),
                                                   nullptr),
        encoded);
  heif_image_handle* primary = nullptr;
  Check(heif_context_get_primary_image_handle(context.get(), &primary), encoded);
  const Handle handle(primary);
  CheckSizes(handle.get(), size, encoded);
  // What is made of tiles says its size a second time.
  heif_context_set_maximum_image_size_limit(
      context.get(),
      std::max(heif_image_handle_get_ispe_width(primary), heif_image_handle_get_ispe_height(primary)) + 1);
  // Separate planes, of as many bits as they are coded in.
  heif_image* decoded = nullptr;
  Check(heif_decode_image(primary, &decoded, heif_colorspace_RGB, heif_chroma_444, nullptr), encoded);
  const Picture picture(decoded);
  return {ImageOf(picture.get(), encoded)};
}

}  // namespace mobilenet
