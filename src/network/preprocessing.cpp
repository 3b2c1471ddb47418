#include "mobilenet/preprocessing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/fail.h"

namespace mobilenet {
namespace {

struct Preset {
  std::string_view name;
  Preprocessing preprocessing;
};

// (x / 255 - mean) / std as (x - 255 * mean) * (1 / (255 * std)).
constexpr Preset kPresets[] = {
    {"tensorflow",
     {.mean = {127.5F, 127.5F, 127.5F},
      .scale = {1 / 127.5F, 1 / 127.5F, 1 / 127.5F},
      .order = ChannelOrder::kRgb,
      .crop = 0.875F,
      .shape = CropShape::kStretch,
      .filter = ResizeFilter::kBilinear}},
    {"pytorch",
     {.mean = {255 * 0.485F, 255 * 0.456F, 255 * 0.406F},
      .scale = {1 / (255 * 0.229F), 1 / (255 * 0.224F), 1 / (255 * 0.225F)},
      .order = ChannelOrder::kRgb,
      .crop = 0.875F,
      .shape = CropShape::kSquare,
      .filter = ResizeFilter::kBilinear}},
    {"caffe",
     {.mean = {103.939F, 116.779F, 123.68F},
      .scale = {1, 1, 1},
      .order = ChannelOrder::kBgr,
      .crop = 0.875F,
      .shape = CropShape::kSquare,
      .filter = ResizeFilter::kBilinear}},
    {"unit",
     {.mean = {0, 0, 0},
      .scale = {1 / 255.0F, 1 / 255.0F, 1 / 255.0F},
      .order = ChannelOrder::kRgb,
      .crop = 1,
      .shape = CropShape::kStretch,
      .filter = ResizeFilter::kBilinear}},
    {"raw",
     {.mean = {0, 0, 0},
      .scale = {1, 1, 1},
      .order = ChannelOrder::kRgb,
      .crop = 1,
      .shape = CropShape::kStretch,
      .filter = ResizeFilter::kBilinear}},
};

// Equal but for the last digits, which a file's decimal numbers or another order of operations may change.
bool AboutEqual(const std::array<float, 3>& a, const std::array<float, 3>& b) {
  constexpr float kTolerance = 1e-5F;
  return std::equal(a.begin(), a.end(), b.begin(), [](float x, float y) {
    return std::abs(x - y) <= kTolerance * std::max(std::abs(x), std::abs(y));
  });
}

}  // namespace

std::string_view NameOf(ChannelOrder order) {
  switch (order) {
    case ChannelOrder::kRgb:
      return "rgb";
    case ChannelOrder::kBgr:
      return "bgr";
  }
  return "";
}

std::string_view NameOf(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kBilinear:
      return "bilinear";
    case ResizeFilter::kBicubic:
      return "bicubic";
    case ResizeFilter::kLanczos:
      return "lanczos";
    case ResizeFilter::kBox:
      return "box";
    case ResizeFilter::kArea:
      return "area";
    case ResizeFilter::kNearest:
      return "nearest";
    case ResizeFilter::kBilinearUnaliased:
      return "bilinear-unaliased";
  }
  return "";
}

bool SeesSinglePixels(ResizeFilter filter) {
  return filter == ResizeFilter::kNearest || filter == ResizeFilter::kBilinearUnaliased;
}

std::string_view NameOf(CropShape shape) {
  switch (shape) {
    case CropShape::kStretch:
      return "stretch";
    case CropShape::kSquare:
      return "square";
  }
  return "";
}

void CheckPreprocessing(const Preprocessing& p) {
  for (std::size_t c = 0; c < p.mean.size(); ++c) {
    const auto finite = [&](float pixel) { return std::isfinite((pixel - p.mean[c]) * p.scale[c]); };
    if (!std::isfinite(p.mean[c]))
      Fail("preprocessing: the mean of channel ", c, " is ", p.mean[c], ", expected a finite number");
    if (!std::isfinite(p.scale[c]) || p.scale[c] == 0)
      Fail("preprocessing: the scale of channel ", c, " is ", p.scale[c], ", expected a finite number but 0");
    if (!finite(0) || !finite(255)) {
      Fail("preprocessing: channel ", c, " leaves the range of numbers: mean ", p.mean[c], ", scale ",
           p.scale[c]);
    }
  }
  if (NameOf(p.order).empty() || NameOf(p.filter).empty() || NameOf(p.shape).empty())
    Fail("preprocessing: the order ", static_cast<int>(p.order), ", the filter ", static_cast<int>(p.filter),
         " or the shape ", static_cast<int>(p.shape), " is none that there is");
  if (!(p.crop > 0 && p.crop <= 1))  // so that a NaN fails too
    Fail("preprocessing: crop of ", p.crop, ", expected a fraction above 0 and up to 1");
}

Preprocessing PreprocessingPreset(std::string_view name) {
  std::string names;
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return preset.preprocessing;
    names += Concat(names.empty() ? "" : ", ", preset.name);
  }
  Fail("unknown preprocessing \"", name, "\", expected one of ", names);
}

std::string_view PresetName(const Preprocessing& preprocessing) {
  for (const Preset& preset : kPresets) {
    const bool same = preset.preprocessing.order == preprocessing.order &&
                      AboutEqual(preset.preprocessing.mean, preprocessing.mean) &&
                      AboutEqual(preset.preprocessing.scale, preprocessing.scale);
    if (same) return preset.name;
  }
  return "custom";
}

}  // namespace mobilenet
