// How a photo becomes a network's input. It travels inside the model file, so that the program that runs a
// model can't disagree with the one that trained it.
#pragma once

#include <array>
#include <string_view>

#include "mobilenet/export.h"

namespace mobilenet {

enum class ChannelOrder { kRgb, kBgr };

// How pixels are made of the picture's when it is resized: of all those that they cover, but for the last
// two, which look at single pixels however much lies between them (aliased). Stored by name.
enum class ResizeFilter {
  kBilinear,           // a triangle that widens as it shrinks: Pillow's BILINEAR
  kBicubic,            // Keys' cubic, likewise: Pillow's BICUBIC
  kLanczos,            // three lobes, likewise: Pillow's LANCZOS
  kBox,                // whole pixels around the centre, likewise: Pillow's BOX
  kArea,               // each pixel by the share of it that is covered: OpenCV's INTER_AREA
  kNearest,            // the one at the centre: Pillow's and TensorFlow's nearest
  kBilinearUnaliased,  // the four around the centre: tf.image.resize, without antialias
};

// Which part of a photo is seen that has another shape than the input.
enum class CropShape {
  kStretch,  // `crop` of each side, stretched to the input's shape (TF-Slim)
  kSquare,   // a centred square, `crop` of the shorter side (torchvision); for an input that is no square, a
             // part of the input's shape, `crop` of the largest
};

// input[c] = (pixel[c] - mean[c]) * scale[c], with pixels from 0 to 255 and c in the order of `order`.
struct Preprocessing {
  std::array<float, 3> mean = {127.5F, 127.5F, 127.5F};
  std::array<float, 3> scale = {1 / 127.5F, 1 / 127.5F, 1 / 127.5F};
  ChannelOrder order = ChannelOrder::kRgb;
  float crop = 0.875F;  // fraction kept, in (0, 1]
  CropShape shape = CropShape::kStretch;
  ResizeFilter filter = ResizeFilter::kBilinear;

  bool operator==(const Preprocessing&) const = default;
};

MOBILENET_EXPORT std::string_view NameOf(ChannelOrder order);   // "rgb", "bgr"
MOBILENET_EXPORT std::string_view NameOf(ResizeFilter filter);  // "bilinear", ..., "bilinear-unaliased"
MOBILENET_EXPORT std::string_view NameOf(CropShape shape);      // "stretch", "square"

// Whether the filter looks at single pixels of the picture as it is, so that one that was shrunk before makes
// another answer.
MOBILENET_EXPORT bool SeesSinglePixels(ResizeFilter filter);

// Throws Error, naming the field, where a mean is not finite, a scale is not finite or 0, a pixel would
// become infinite, or the crop is not above 0 and at most 1. Everything that works by a Preprocessing calls
// it.
MOBILENET_EXPORT void CheckPreprocessing(const Preprocessing& preprocessing);

// The conventions that published weights follow, by name:
//   tensorflow  RGB, x / 127.5 - 1, stretched centre crop (TF-Slim and keras.applications MobileNets)
//   pytorch     RGB, (x / 255 - mean) / std of ImageNet, square centre crop (torchvision)
//   caffe       BGR, mean of ImageNet subtracted, not scaled, square centre crop
//   unit        RGB, x / 255, stretched, no crop (MLPerf Tiny, many Keras tutorials)
//   raw         RGB, x, stretched, no crop (networks that scale pixels themselves, or never did)
// Throws Error, listing the names, for any other.
MOBILENET_EXPORT Preprocessing PreprocessingPreset(std::string_view name);

// The name of the preset whose normalisation and channel order `preprocessing` has, "custom" where none does.
MOBILENET_EXPORT std::string_view PresetName(const Preprocessing& preprocessing);

}  // namespace mobilenet
