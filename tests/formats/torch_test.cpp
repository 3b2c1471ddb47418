// Weights under PyTorch's names, without a graph: torchvision's and timm's MobileNet V2.
#include <algorithm>
#include <string>

#include "base/fail.h"
#include "complaint.h"
#include "formats/safetensors.h"
#include "formats/torch_tensors.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

class Torch : public testing::Test {
 protected:
  Model Load(const Weights& tensors) const {
    WriteSafetensors(directory_.path() / "w.safetensors", {}, tensors);
    return Model::Load(directory_.path() / "w.safetensors");
  }

  void ExpectRead(const V2Options& options, TorchNames names) const {
    const Network network = V2(options);
    const Model model = Load(TorchTensors(network, names));
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
  const Model model = Load(TorchTensors(V2(kOptions), TimmNames));
  EXPECT_THAT(model.provenance.at("padding"), HasSubstr("assumed; timm's tf_ models"));
  EXPECT_EQ(model.preprocessing.filter, ResizeFilter::kBicubic);
  EXPECT_EQ(PresetName(model.preprocessing), "pytorch");
}

// As timm's mobilenetv2_110d and _120d are.
TEST_F(Torch, DeeperNetworksOfTimmAreCustom) {
  Weights tensors = TorchTensors(V2(kOptions), TimmNames);
  Weights deeper = tensors;
  const std::string last = "blocks.5.2.";
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(last)) deeper["blocks.5.3." + name.substr(last.size())] = tensor;
  }
  const Model model = Load(deeper);
  EXPECT_EQ(VersionOf(model.network), "custom");
  EXPECT_EQ(model.network.layers.size(), V2(kOptions).layers.size() + 4) << "a block and its sum";
}

TEST_F(Torch, WeightsMayHaveNoClassifier) {
  V2Options features = kOptions;
  features.classes = 0;
  ExpectRead(features, TorchvisionNames);
  ExpectRead(features, TimmNames);
}

TEST_F(Torch, OtherFamiliesAreNamed) {
  Weights tensors = TorchTensors(V2(kOptions), TimmNames);
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
    Weights tensors = TorchTensors(V2(kOptions), TorchvisionNames);
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
