// Pictures in: decode, orient, crop, resize, normalise. Part of libmobilenet (not of libmobilenet-core).
//
// All functions are free of global state and may be called from any number of threads at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/export.h"
#include "mobilenet/preprocessing.h"

namespace mobilenet {

// 8-bit interleaved pixels, rows top to bottom without gaps: pixels[(y * width + x) * channels + c].
struct Image {
  int width = 0;
  int height = 0;
  int channels = 3;  // 3: RGB, 1: grey
  std::vector<std::uint8_t> pixels;
};

// The most pixels that a picture may have where nothing else is said: 2^28, which decode to 805 MB.
constexpr std::size_t kMaxPixels = std::size_t{1} << 28;

struct DecodeOptions {
  // The caller will shrink the picture to about this many pixels a side: a JPEG much larger than that is
  // decoded at 1/2, 1/4 or 1/8 of its size, never below twice this. 0 decodes every pixel.
  int target_width = 0;
  int target_height = 0;
  // A picture that declares more pixels than this is refused before memory is taken for it. (HEIC and AVIF of
  // more than 2^29 pixels always are.)
  std::size_t max_pixels = kMaxPixels;
};

// What this build reads, such as "JPEG, PNG, WebP, BMP, GIF, TIFF, HEIC, AVIF": the last four need libraries
// that a build may do without.
MOBILENET_EXPORT std::string PictureFormats();

// Decodes a picture of one of these formats, told apart by their first bytes, to upright RGB: what EXIF, TIFF
// or HEIF say of its orientation is applied, grey becomes three equal channels, palettes, CMYK and YCCK are
// converted, transparent pixels are laid over white, samples of more than 8 bits are rounded to 8, an
// animation yields its first frame and a TIFF its first page. `name` stands in the Error that is thrown for
// damaged or unsupported data, and where memory runs out.
MOBILENET_EXPORT Image DecodeImage(std::span<const std::uint8_t> bytes, const DecodeOptions& options = {},
                                   std::string_view name = "image");

// Reads and decodes a file. Throws Error where it can't be read or decoded.
MOBILENET_EXPORT Image LoadImage(const std::filesystem::path& file, const DecodeOptions& options = {});

// A part of an image in pixels; the sides may be fractional.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

// Resizes the part `box` of `image` to width x height, across, rounding to 8 bits, then down, rounding again.
// For the filters of Pillow's it is the arithmetic of Pillow's Image.resize(size, filter, box), to the bit;
// kArea and kBilinearUnaliased are within 1 of OpenCV's and TensorFlow's, which round once or not at all.
// Throws Error where the box is empty or leaves the image.
MOBILENET_EXPORT Image Resize(const Image& image, int width, int height, ResizeFilter filter, const Box& box);

// The part of a width x height picture that `preprocessing` keeps for an input of these sides (its centre
// crop).
MOBILENET_EXPORT Box CropBox(int width, int height, const Preprocessing& preprocessing, int input_width = 1,
                             int input_height = 1);

// Crop, resize, channel order and normalisation in one: writes `height` x `width` x `channels` floats (NHWC,
// channels 3 or 1) to `output`, which must have exactly that length; throws Error otherwise. With 1 channel
// the input is the luma (0.299 R + 0.587 G + 0.114 B, rounded to 8 bits), normalised by mean[0] and scale[0].
MOBILENET_EXPORT void Preprocess(const Image& image, const Preprocessing& preprocessing, int width,
                                 int height, int channels, std::span<float> output);

// The decode size that Preprocess needs for a width x height network input: pass to LoadImage. Every pixel,
// for the filters that see single ones.
MOBILENET_EXPORT DecodeOptions DecodeOptionsFor(const Preprocessing& preprocessing, int width, int height);

}  // namespace mobilenet
