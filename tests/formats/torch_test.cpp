// Weights under PyTorch's names, without a graph: torchvision's and timm's MobileNet V2.
#include <algorithm>
#include <string>

#include "base/fail.h"
#include "complaint.h"
#include "formats/safetensors.h"
#include "formats/torch_names.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

// [k, k, in, out] or [k, k, channels] or [in, out] as PyTorch has it, by the indices' meaning.
Tensor AsPytorch(const Layer& layer, const Tensor& weight) {
  const int k = layer.kernel;
  const int out = layer.output.channels;
  const int in = layer.kind == LayerKind::kDepthwise ? 1 : layer.input.channels;
  std::vector<float> values;
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      for (int tap = 0; tap < k * k; ++tap)
        values.push_back(weight.values[static_cast<std::size_t>((tap * in + i) * out + o)]);
    }
  }
  if (layer.kind == LayerKind::kFullyConnected) return Tensor::Of({out, in}, std::move(values));
  return Tensor::Of({out, in, k, k}, std::move(values));
}

void AddLayer(const Layer& layer, const Weights& weights, const std::string& name, const std::string& norm,
              Weights& tensors) {
  tensors[name + ".weight"] = AsPytorch(layer, weights.at(layer.name + ".weight"));
  if (layer.bias) tensors[name + ".bias"] = weights.at(layer.name + ".bias");
  if (!layer.batch_norm) return;
  tensors[norm + ".weight"] = weights.at(layer.name + ".norm.gamma");
  tensors[norm + ".bias"] = weights.at(layer.name + ".norm.beta");
  tensors[norm + ".running_mean"] = weights.at(layer.name + ".norm.mean");
  tensors[norm + ".running_var"] = weights.at(layer.name + ".norm.variance");
  tensors[norm + ".num_batches_tracked"] = Tensor::Of({1}, {1});
}

// The names of one layer and its batch norm: "conv1", "block5.expand", ...
using Names = std::pair<std::string, std::string> (*)(const std::string& layer);

std::pair<std::string, std::string> TorchvisionNames(const std::string& layer) {
  if (layer == "conv1") return {"features.0.0", "features.0.1"};
  if (layer == "conv2") return {"features.18.0", "features.18.1"};
  if (layer == "classifier") return {"classifier.1", ""};
  const int block = std::stoi(layer.substr(5));
  const std::string conv = Concat("features.", block, ".conv.");
  const int first = block == 1 ? 0 : 1;  // the first block has no expansion
  if (layer.ends_with(".expand")) return {conv + "0.0", conv + "0.1"};
  if (layer.ends_with(".depthwise")) return {Concat(conv, first, ".0"), Concat(conv, first, ".1")};
  return {Concat(conv, first + 1), Concat(conv, first + 2)};
}

std::pair<std::string, std::string> TimmNames(const std::string& layer) {
  if (layer == "conv1") return {"conv_stem", "bn1"};
  if (layer == "conv2") return {"conv_head", "bn2"};
  if (layer == "classifier") return {"classifier", ""};
  int index = std::stoi(layer.substr(5)) - 1;
  int stage = 0;
  for (const int blocks : {1, 2, 3, 4, 3, 3, 1}) {
    if (index < blocks) break;
    index -= blocks;
    ++stage;
  }
  const std::string name = Concat("blocks.", stage, ".", index, ".");
  const int first = stage == 0 ? 1 : 2;
  if (layer.ends_with(".expand")) return {name + "conv_pw", name + "bn1"};
  if (layer.ends_with(".depthwise")) return {name + "conv_dw", Concat(name, "bn", first)};
  return {name + (stage == 0 ? "conv_pw" : "conv_pwl"), Concat(name, "bn", first + 1)};
}

class Torch : public testing::Test {
 protected:
  static Weights TensorsOf(const Network& network, Names names) {
    const Weights weights = RandomWeights(network, 8);
    Weights tensors;
    for (const Layer& layer : network.layers) {
      if (layer.kind == LayerKind::kGlobalAveragePool || layer.kind == LayerKind::kAdd) continue;
      const auto [name, norm] = names(layer.name);
      AddLayer(layer, weights, name, norm, tensors);
    }
    return tensors;
  }

  Model Load(const Weights& tensors) const {
    WriteSafetensors(directory_.path() / "w.safetensors", {}, tensors);
    return Model::Load(directory_.path() / "w.safetensors");
  }

  void ExpectRead(const V2Options& options, Names names) const {
    const Network network = V2(options);
    const Model model = Load(TensorsOf(network, names));
    EXPECT_EQ(model.network.recipe, network.recipe);
    for (const auto& [name, tensor] : RandomWeights(network, 8))
      EXPECT_TRUE(std::ranges::equal(model.weights.at(name).values, tensor.values)) << name;
  }

  static constexpr V2Options kOptions = {
      .alpha = 0.1, .classes = 3, .padding = PaddingStyle::kSymmetric, .epsilon = 1e-5F};
  TemporaryDirectory directory_;
};

TEST_F(Torch, TorchvisionsNamesAndLayouts) {
  ExpectRead(kOptions, TorchvisionNames);
  V2Options wide = kOptions;
  wide.alpha = 0.35;
  ExpectRead(wide, TorchvisionNames);
}

TEST_F(Torch, TimmsNamesAndLayouts) {
  ExpectRead(kOptions, TimmNames);
  const Model model = Load(TensorsOf(V2(kOptions), TimmNames));
  EXPECT_THAT(model.provenance.at("padding"), HasSubstr("assumed; timm's tf_ models"));
  EXPECT_EQ(model.preprocessing.filter, ResizeFilter::kBicubic);
  EXPECT_EQ(PresetName(model.preprocessing), "pytorch");
}

TEST_F(Torch, WeightsMayHaveNoClassifier) {
  V2Options features = kOptions;
  features.classes = 0;
  ExpectRead(features, TorchvisionNames);
  ExpectRead(features, TimmNames);
}

TEST_F(Torch, OtherFamiliesAreNamed) {
  Weights tensors = TensorsOf(V2(kOptions), TimmNames);
  tensors["blocks.3.0.se.conv_reduce.weight"] = Tensor::Of({1}, {1});
  EXPECT_THAT(Complaint([&] { Load(tensors); }),
              HasSubstr("has the tensor blocks.3.0.se.conv_reduce.weight, as timm's MobileNet V3"));
  const Tensor any = Tensor::Of({1}, {1});
  EXPECT_THAT(Complaint([&] {
                Load({{"features.0.0.weight", any}, {"features.1.block.0.0.weight", any}});
              }),
              HasSubstr("as torchvision's MobileNet V3 and EfficientNet have"));
}

TEST_F(Torch, OtherNetworksUnderTheseNamesAreRefused) {
  const auto complaint = [&](auto edit) {
    Weights tensors = TensorsOf(V2(kOptions), TorchvisionNames);
    edit(tensors);
    return Complaint([&] { Load(tensors); });
  };
  EXPECT_THAT(complaint([](Weights& t) { t.erase("features.4.conv.1.1.running_var"); }),
              HasSubstr("the tensor features.4.conv.1.1.running_var is missing"));
  EXPECT_THAT(complaint([](Weights& t) { t["features.19.0.weight"] = t["features.18.0.weight"]; }),
              HasSubstr("the tensor features.19.0.weight belongs to no layer of torchvision's MobileNet V2"));
  EXPECT_THAT(complaint([](Weights& t) {
                t["features.4.conv.1.0.weight"] = Tensor::Of({48, 1, 5, 5}, std::vector<float>(1200));
              }),
              HasSubstr("under no alpha"));
  EXPECT_THAT(complaint([](Weights& t) {
                t["features.4.conv.1.0.weight"] = Tensor::Of({48, 2, 3, 3}, std::vector<float>(864));
              }),
              HasSubstr("expected that of a depthwise convolution"));
  EXPECT_THAT(complaint([](Weights& t) {
                t["features.0.0.weight"] = Tensor::Of({8, 27}, std::vector<float>(216));
              }),
              HasSubstr("has the shape [8, 27], expected 4 dimensions"));
}

}  // namespace
}  // namespace mobilenet
