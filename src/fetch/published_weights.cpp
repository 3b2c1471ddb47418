// The table of published weights. A family of files is a function here; what they share stands once.
#include "mobilenet/published_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
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

// torchvision 0.29, torchvision/models/mobilenetv2.py, MobileNet_V2_Weights: url, whose last digits are the
// SHA-256's first (torch/hub.py checks them so), resize_size, and _file_size in MiB to three decimals.
PublishedWeights TorchvisionWeights(const char* name, const std::string& digits, double mib, int resize) {
  constexpr double kRounding = 0.0005;
  PublishedWeights weights;
  weights.name = name;
  weights.publisher = "torchvision";
  weights.licence = "BSD-3-Clause";
  weights.file = Concat("mobilenet_v2-", digits, ".pth");
  weights.url = Concat("https://download.pytorch.org/models/", weights.file);
  weights.listed = "torchvision/models/mobilenetv2.py";
  weights.sha256 = digits;
  weights.least_bytes = static_cast<std::uint64_t>(std::floor((mib - kRounding) * kMiB));
  weights.most_bytes = static_cast<std::uint64_t>(std::ceil((mib + kRounding) * kMiB));
  weights.preprocessing = PreprocessingPreset("pytorch");
  weights.preprocessing.crop = 224.0F / static_cast<float>(resize);
  return weights;
}

// timm 1.0, timm/models/efficientnet.py, default_cfgs: resized bicubically; crop_pct 0.875 of the short side;
// ImageNet's mean and deviation, but of V1 127.5 for both. The name of a file that GitHub has ends in the
// first digits of its SHA-256, which timm/models/_hub.py checks. For what Hugging Face has the list has no
// checksum, but the server tells one (X-Linked-Etag).
PublishedWeights TimmWeights(const char* name, std::uint64_t values) {
  PublishedWeights weights;
  weights.name = name;
  weights.publisher = "timm";
  weights.licence = "Apache-2.0";
  weights.listed = "timm/models/efficientnet.py";
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

PublishedWeights TimmV1() {
  PublishedWeights weights = TimmWeights("v1-1.0-224-timm", 4'253'864);
  weights.file = "mobilenetv1_100.ra4_e3600_r224_in1k.safetensors";
  weights.url =
      "https://huggingface.co/timm/mobilenetv1_100.ra4_e3600_r224_in1k/resolve/main/model.safetensors";
  const Preprocessing inception = PreprocessingPreset("tensorflow");
  weights.preprocessing.mean = inception.mean;
  weights.preprocessing.scale = inception.scale;
  return weights;
}

Table MakeTable() {
  Table table;
  AddKerasV1(table);
  table.push_back(TimmV1());
  AddKerasV2(table);
  table.push_back(TorchvisionWeights("v2-1.0-224-torchvision1", "b0353104", 13.555, 256));
  table.push_back(TorchvisionWeights("v2-1.0-224-torchvision2", "7ebf99e0", 13.598, 232));
  table.push_back(TimmAtGithub("v2-0.5-224-timm", "mobilenetv2_050", "3d30d450", 1'987'224));
  table.push_back(TimmAtGithub("v2-1.0-224-timm", "mobilenetv2_100_ra", "b33bc2c4", 3'538'984));
  table.push_back(TimmAtGithub("v2-110d-224-timm", "mobilenetv2_110d_ra", "77090ade", 4'564'008));
  table.push_back(TimmAtGithub("v2-120d-224-timm", "mobilenetv2_120d_ra", "5987e2ed", 5'894'920));
  table.push_back(TimmAtGithub("v2-1.4-224-timm", "mobilenetv2_140_ra", "21a4e913", 6'156'712));
  return table;
}

}  // namespace

std::span<const PublishedWeights> AllPublishedWeights() {
  static const Table table = MakeTable();
  return table;
}

const PublishedWeights* FindPublishedWeights(std::string_view name) {
  const auto all = AllPublishedWeights();
  const auto found = std::ranges::find(all, name, &PublishedWeights::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace mobilenet
