// MobileNet V3 under timm's and torchvision's names: the same numbers come out as there.
#include <string>
#include <vector>

#include "complaint.h"
#include "formats/safetensors.h"
#include "formats/torch_tensors.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

class TorchV3 : public testing::Test {
 protected:
  Model Load(const Weights& tensors) const {
    WriteSafetensors(directory_.path() / "w.safetensors", {}, tensors);
    return Model::Load(directory_.path() / "w.safetensors");
  }

  // The logits for the pixels of which tests/data/torch_logits.py says what timm and torchvision make.
  void ExpectLogits(const V3Options& options, TorchNames names, const std::vector<float>& expected) const {
    SCOPED_TRACE(TitleOf(V3(options)));
    const Model model = Load(NamedTensors(V3(options), names));
    EXPECT_EQ(VersionOf(model.network), NameOf(options.variant));
    EXPECT_EQ(model.network.layers, V3(options).layers);
    model.Save(directory_.path() / "ours.safetensors");
    const Network again = Model::Load(directory_.path() / "ours.safetensors").network;
    EXPECT_EQ(again.layers, model.network.layers);
    EXPECT_EQ(RecipeOf(again), RecipeOf(model.network));
    EXPECT_THAT(LogitsOfPattern(model, expected.size()),
                testing::Pointwise(testing::FloatNear(1e-4F), expected));
  }

  TemporaryDirectory directory_;
};

V3Options Timm(V3Variant variant, double alpha = 1) {
  return {.variant = variant,
          .alpha = alpha,
          .classes = 3,
          .widths = V3Widths::kTimm,
          .padding = PaddingStyle::kSymmetric,
          .epsilon = 1e-5F};
}

V3Options Torchvision(V3Variant variant, double alpha = 1) {
  return {.variant = variant,
          .alpha = alpha,
          .classes = 3,
          .widths = V3Widths::kTorchvision,
          .padding = PaddingStyle::kSymmetric};
}

// Of timm 1.0.31 and PyTorch 2.15.
TEST_F(TorchV3, LogitsAreTimms) {
  ExpectLogits(Timm(V3Variant::kLarge), TimmV3LargeNames, {0.103716F, -0.114132F, 0.156165F});
  ExpectLogits(Timm(V3Variant::kSmall), TimmV3SmallNames, {-0.142689F, -0.346181F, -0.118237F});
  ExpectLogits(Timm(V3Variant::kSmall, 0.35), TimmV3SmallNames, {-0.078276F, -0.121535F, -0.079713F});
  ExpectLogits(Timm(V3Variant::kSmall, 0.75), TimmV3SmallNames, {-0.091876F, -0.335212F, -0.080152F});
  // TensorFlow's padding and epsilon.
  ExpectLogits({.variant = V3Variant::kLargeMinimalistic, .classes = 3}, TimmV3LargeNames,
               {0.065090F, -0.268631F, 0.498841F});
  ExpectLogits({.variant = V3Variant::kSmallMinimalistic, .classes = 3}, TimmV3SmallNames,
               {-0.103398F, -0.542497F, -0.232355F});
}

// Of torchvision, with the same PyTorch.
TEST_F(TorchV3, LogitsAreTorchvisions) {
  ExpectLogits(Torchvision(V3Variant::kLarge, 0.35), TorchvisionV3LargeNames,
               {-0.015781F, 0.231958F, 0.105104F});
  ExpectLogits(Torchvision(V3Variant::kLarge), TorchvisionV3LargeNames, {-0.440674F, -0.114086F, 0.115930F});
  ExpectLogits(Torchvision(V3Variant::kSmall, 0.35), TorchvisionV3SmallNames,
               {-0.062060F, 0.260030F, 0.042688F});
  ExpectLogits(Torchvision(V3Variant::kSmall), TorchvisionV3SmallNames, {-0.147478F, 0.109901F, 0.076963F});
}

TEST_F(TorchV3, WhatIsAssumedIsTold) {
  const Model timm = Load(TorchTensors(V3(Timm(V3Variant::kSmall, 0.1)), TimmV3SmallNames));
  EXPECT_THAT(timm.provenance.at("padding"), HasSubstr("tf_ models have the same names"));
  EXPECT_EQ(PresetName(timm.preprocessing), "pytorch");
  EXPECT_EQ(timm.preprocessing.filter, ResizeFilter::kBicubic);
  const Model torchvision =
      Load(TorchTensors(V3(Torchvision(V3Variant::kSmall, 0.1)), TorchvisionV3SmallNames));
  EXPECT_THAT(torchvision.provenance.at("padding"),
              HasSubstr("epsilon 1e-3: known from torchvision's names"));
  EXPECT_THAT(torchvision.provenance.at("preprocessing"), HasSubstr("the names are torchvision's"));
}

TEST_F(TorchV3, WeightsMayHaveNoClassifier) {
  V3Options options = Timm(V3Variant::kLarge, 0.1);
  options.classes = 0;
  const Model model = Load(TorchTensors(V3(options), TimmV3LargeNames));
  EXPECT_EQ(model.network.layers, V3(options).layers);
  EXPECT_EQ(model.network.output().channels, 1280);
}

TEST_F(TorchV3, WhatIsMissingIsNamed) {
  const auto complaint = [&](auto edit) {
    Weights tensors = TorchTensors(V3(Timm(V3Variant::kSmall, 0.1)), TimmV3SmallNames);
    edit(tensors);
    return Complaint([&] { Load(tensors); });
  };
  EXPECT_THAT(complaint([](Weights& t) { t.erase("blocks.2.0.se.conv_expand.bias"); }),
              HasSubstr("the tensor blocks.2.0.se.conv_expand.bias is missing"));
  EXPECT_THAT(complaint([](Weights& t) { t["blocks.3.6.conv_pwl.weight"] = Tensor::Of({1}, {1}); }),
              HasSubstr("blocks.3.6.conv_pwl.weight belongs to no layer of timm's MobileNet V3"));
}

}  // namespace
}  // namespace mobilenet
