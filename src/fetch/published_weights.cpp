// The table of published weights. A family of files is a function here; what they share stands once.
#include "mobilenet/published_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "base/fail.h"

namespace mobilenet {
namespace {

using Table = std::vector<PublishedWeights>;

constexpr std::uint64_t kMiB = 1 << 20;

// A publisher that doesn't tell the size: the values take so much, and names and headers are far below 1 MiB.
void SetSizeOf(std::uint64_t values, PublishedWeights& weights) {
  weights.least_bytes = 4 * values;
  weights.most_bytes = weights.least_bytes + kMiB;
}

// 0.25 -> "0.25", 1 -> "1.0"
std::string AlphaText(double alpha) {
  return alpha == std::round(alpha) ? Concat(alpha, ".0") : Concat(alpha);
}

// One width of a family: its alpha, how files are named for it, and how many values they hold.
struct Width {
  double alpha;
  const char* text;
  std::uint64_t values;
};

// Keras 3.15, keras/src/applications/mobilenet.py and mobilenet_v2.py: the addresses are made of
// BASE_WEIGHT_PATH and the names below, for all alphas and resolutions that TF-Slim trained. get_file is
// called without a checksum. Their licence is in Keras's documentation of applications ("released under the
// Apache License"). preprocess_input is x / 127.5 - 1; TF-Slim, which trained them, evaluates on 87.5 % of
// each side.
constexpr const char* kKerasBase = "https://storage.googleapis.com/tensorflow/keras-applications/";

PublishedWeights KerasWeights(std::string name, const std::string& folder, std::string file,
                              std::uint64_t values, int resolution) {
  PublishedWeights weights;
  weights.name = std::move(name);
  weights.publisher = "Keras";
  weights.licence = "Apache-2.0";
  weights.url = Concat(kKerasBase, folder, "/", file);
  weights.file = std::move(file);
  weights.listed = Concat("keras/src/applications/", folder, ".py");
  weights.resolution = resolution;
  weights.preprocessing = PreprocessingPreset("tensorflow");
  SetSizeOf(values, weights);
  return weights;
}

void AddKerasV1(Table& table) {
  constexpr std::array kWidths = {Width{0.25, "2_5", 475'544}, Width{0.5, "5_0", 1'342'536},
                                  Width{0.75, "7_5", 2'601'976}, Width{1, "1_0", 4'253'864}};
  for (const Width& width : kWidths) {
    for (const int resolution : {128, 160, 192, 224})
      table.push_back(KerasWeights(Concat("v1-", AlphaText(width.alpha), "-", resolution), "mobilenet",
                                   Concat("mobilenet_", width.text, "_", resolution, "_tf.h5"), width.values,
                                   resolution));
  }
}

void AddKerasV2(Table& table) {
  constexpr std::array kWidths = {Width{0.35, "0.35", 1'691'208}, Width{0.5, "0.5", 1'987'224},
                                  Width{0.75, "0.75", 2'663'064}, Width{1, "1.0", 3'538'984},
                                  Width{1.3, "1.3", 5'431'048},   Width{1.4, "1.4", 6'156'712}};
  for (const Width& width : kWidths) {
    for (const int resolution : {96, 128, 160, 192, 224}) {
      if (width.alpha > 1 && resolution != 224) continue;
      table.push_back(KerasWeights(
          Concat("v2-", AlphaText(width.alpha), "-", resolution), "mobilenet_v2",
          Concat("mobilenet_v2_weights_tf_dim_ordering_tf_kernels_", width.text, "_", resolution, ".h5"),
          width.values, resolution));
    }
  }
}

// torchvision 0.29, torchvision/models/mobilenetv2.py and mobilenetv3.py, MobileNet_V2_Weights and so on:
// url, whose last digits are the SHA-256's first (torch/hub.py checks them so), resize_size, and _file_size
// in MiB to three decimals.
PublishedWeights TorchvisionWeights(const char* name, const std::string& model, const std::string& digits,
                                    double mib, int resize) {
  constexpr double kRounding = 0.0005;
  PublishedWeights weights;
  weights.name = name;
  weights.publisher = "torchvision";
  weights.licence = "BSD-3-Clause";
  weights.file = Concat("mobilenet_", model, "-", digits, ".pth");
  weights.url = Concat("https://download.pytorch.org/models/", weights.file);
  weights.listed = Concat("torchvision/models/mobilenet", model.substr(0, 2), ".py");
  weights.sha256 = digits;
  weights.least_bytes = static_cast<std::uint64_t>(std::floor((mib - kRounding) * kMiB));
  weights.most_bytes = static_cast<std::uint64_t>(std::ceil((mib + kRounding) * kMiB));
  weights.preprocessing = PreprocessingPreset("pytorch");
  weights.preprocessing.crop = 224.0F / static_cast<float>(resize);
  return weights;
}

// timm 1.0, timm/models/efficientnet.py (V1 and V2) and mobilenetv3.py (V3 and V4), default_cfgs: resized
// bicubically; crop_pct 0.875 of the short side; ImageNet's mean and deviation, where nothing else is said
// below. The name of a file that GitHub has ends in the first digits of its SHA-256, which
// timm/models/_hub.py checks. For what Hugging Face has the list has no checksum, but the server tells one
// (X-Linked-Etag).
PublishedWeights TimmWeights(const char* name, std::uint64_t values) {
  PublishedWeights weights;
  weights.name = name;
  weights.publisher = "timm";
  weights.licence = "Apache-2.0";
  weights.listed = name[1] < '3' ? "timm/models/efficientnet.py" : "timm/models/mobilenetv3.py";
  weights.preprocessing = PreprocessingPreset("pytorch");
  weights.preprocessing.filter = ResizeFilter::kBicubic;
  SetSizeOf(values, weights);
  return weights;
}

PublishedWeights TimmAtGithub(const char* name, const std::string& file, const std::string& digits,
                              std::uint64_t values) {
  PublishedWeights weights = TimmWeights(name, values);
  weights.file = Concat(file, "-", digits, ".pth");
  weights.url =
      "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/" + weights.file;
  weights.sha256 = digits;
  return weights;
}

PublishedWeights TimmAtHuggingFace(const char* name, const std::string& model, std::uint64_t values) {
  PublishedWeights weights = TimmWeights(name, values);
  weights.file = model + ".safetensors";
  weights.url = Concat("https://huggingface.co/timm/", model, "/resolve/main/model.safetensors");
  return weights;
}

// x / 127.5 - 1, as "Inception" in timm's lists.
PublishedWeights Inception(PublishedWeights weights) {
  const Preprocessing inception = PreprocessingPreset("tensorflow");
  weights.preprocessing.mean = inception.mean;
  weights.preprocessing.scale = inception.scale;
  return weights;
}

// What timm converted from TF-Slim.
PublishedWeights FromSlim(PublishedWeights weights) {
  weights = Inception(std::move(weights));
  weights.preprocessing.filter = ResizeFilter::kBilinear;
  return weights;
}

// With crop_pct 0.95.
PublishedWeights Wide(PublishedWeights weights, int resolution) {
  weights.preprocessing.crop = 0.95F;
  weights.resolution = resolution;
  return weights;
}

void AddV2OfOthers(Table& table) {
  table.push_back(TorchvisionWeights("v2-1.0-224-torchvision1", "v2", "b0353104", 13.555, 256));
  table.push_back(TorchvisionWeights("v2-1.0-224-torchvision2", "v2", "7ebf99e0", 13.598, 232));
  table.push_back(TimmAtGithub("v2-0.5-224-timm", "mobilenetv2_050", "3d30d450", 1'987'224));
  table.push_back(TimmAtGithub("v2-1.0-224-timm", "mobilenetv2_100_ra", "b33bc2c4", 3'538'984));
  table.push_back(TimmAtGithub("v2-110d-224-timm", "mobilenetv2_110d_ra", "77090ade", 4'564'008));
  table.push_back(TimmAtGithub("v2-120d-224-timm", "mobilenetv2_120d_ra", "5987e2ed", 5'894'920));
  table.push_back(TimmAtGithub("v2-1.4-224-timm", "mobilenetv2_140_ra", "21a4e913", 6'156'712));
}

void AddV3(Table& table) {
  table.push_back(TorchvisionWeights("v3-large-1.0-224-torchvision1", "v3_large", "8738ca79", 21.114, 256));
  table.push_back(TorchvisionWeights("v3-large-1.0-224-torchvision2", "v3_large", "5c1a4163", 21.107, 232));
  table.push_back(TorchvisionWeights("v3-small-1.0-224-torchvision1", "v3_small", "047dcff4", 9.829, 256));
  table.push_back(TimmAtGithub("v3-large-1.0-224-timm", "mobilenetv3_large_100_ra", "f55367f5", 5'507'432));
  table.push_back(
      TimmAtGithub("v3-small-0.5-224-timm", "mobilenetv3_small_050_lambc", "4b7bbe87", 1'599'720));
  table.push_back(
      TimmAtGithub("v3-small-0.75-224-timm", "mobilenetv3_small_075_lambc", "384766db", 2'051'552));
  table.push_back(TimmAtGithub("v3-small-1.0-224-timm", "mobilenetv3_small_100_lamb", "266a294c", 2'554'968));
  table.push_back(FromSlim(TimmAtGithub("v3-large-minimalistic-1.0-224-timm",
                                        "tf_mobilenetv3_large_minimal_100", "8596ae28", 3'948'688)));
  table.push_back(FromSlim(TimmAtGithub("v3-small-minimalistic-1.0-224-timm",
                                        "tf_mobilenetv3_small_minimal_100", "922a7843", 2'056'848)));
}

void AddV4(Table& table) {
  constexpr std::uint64_t kMedium = 9'783'416;
  constexpr std::uint64_t kLarge = 32'740'416;
  table.push_back(Inception(TimmAtHuggingFace("v4-conv-small-0.5-224-timm",
                                              "mobilenetv4_conv_small_050.e3000_r224_in1k", 2'252'808)));
  table.push_back(
      TimmAtHuggingFace("v4-conv-small-1.0-224-timm", "mobilenetv4_conv_small.e2400_r224_in1k", 3'799'112));
  for (const auto& [name, model, resolution, values] :
       {std::tuple{"v4-conv-medium-1.0-224-timm", "mobilenetv4_conv_medium.e500_r224_in1k", 224, kMedium},
        std::tuple{"v4-conv-medium-1.0-256-timm", "mobilenetv4_conv_medium.e500_r256_in1k", 256, kMedium},
        std::tuple{"v4-conv-large-1.0-256-timm", "mobilenetv4_conv_large.e500_r256_in1k", 256, kLarge},
        std::tuple{"v4-conv-large-1.0-384-timm", "mobilenetv4_conv_large.e600_r384_in1k", 384, kLarge}})
    table.push_back(Wide(TimmAtHuggingFace(name, model, values), resolution));
}

Table MakeTable() {
  Table table;
  AddKerasV1(table);
  table.push_back(
      Inception(TimmAtHuggingFace("v1-1.0-224-timm", "mobilenetv1_100.ra4_e3600_r224_in1k", 4'253'864)));
  AddKerasV2(table);
  AddV2OfOthers(table);
  AddV3(table);
  AddV4(table);
  return table;
}

// A version by itself is its network of alpha 1 at the resolution that it was designed for.
std::string_view FullName(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kFull = {
      {{"v1", "v1-1.0-224"},
       {"v2", "v2-1.0-224"},
       {"v3-large", "v3-large-1.0-224-timm"},
       {"v3-small", "v3-small-1.0-224-timm"},
       {"v3-large-minimalistic", "v3-large-minimalistic-1.0-224-timm"},
       {"v3-small-minimalistic", "v3-small-minimalistic-1.0-224-timm"},
       {"v4-conv-small", "v4-conv-small-1.0-224-timm"},
       {"v4-conv-medium", "v4-conv-medium-1.0-256-timm"},
       {"v4-conv-large", "v4-conv-large-1.0-384-timm"}}};
  const auto* const found =
      std::ranges::find(kFull, name, &std::pair<std::string_view, std::string_view>::first);
  return found == kFull.end() ? name : found->second;
}

}  // namespace

std::span<const PublishedWeights> AllPublishedWeights() {
  static const Table table = MakeTable();
  return table;
}

const PublishedWeights* FindPublishedWeights(std::string_view name) {
  const auto all = AllPublishedWeights();
  const auto found = std::ranges::find(all, FullName(name), &PublishedWeights::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace mobilenet
