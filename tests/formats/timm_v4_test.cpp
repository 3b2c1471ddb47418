// MobileNet V4 under timm's names: the same numbers come out as in timm.
#include <string>
#include <vector>

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

class TimmV4 : public testing::Test {
 protected:
  Model Load(const Weights& tensors) const {
    WriteSafetensors(directory_.path() / "w.safetensors", {}, tensors);
    return Model::Load(directory_.path() / "w.safetensors");
  }

  // The logits for the pixels of which tests/data/torch_logits.py says what timm makes.
  void ExpectLogits(const V4Options& options, TorchNames names, const std::vector<float>& expected) const {
    SCOPED_TRACE(TitleOf(V4(options)));
    const Model model = Load(NamedTensors(V4(options), names));
    EXPECT_EQ(model.network.recipe, Recipe(options));
    model.Save(directory_.path() / "ours.safetensors");
    const Network again = Model::Load(directory_.path() / "ours.safetensors").network;
    EXPECT_EQ(again.layers, model.network.layers);
    EXPECT_EQ(RecipeOf(again), Recipe(options));
    EXPECT_THAT(LogitsOfPattern(model, expected.size()),
                testing::Pointwise(testing::FloatNear(1e-4F), expected));
  }

  TemporaryDirectory directory_;
};

// Of timm 1.0.31 and PyTorch 2.15.
TEST_F(TimmV4, LogitsAreTimms) {
  ExpectLogits({.alpha = 0.35, .classes = 3}, TimmV4SmallNames, {0.383953F, -0.442439F, 0.656641F});
  ExpectLogits({.alpha = 0.5, .classes = 3}, TimmV4SmallNames, {0.549121F, -0.318848F, 0.502228F});
  ExpectLogits({.classes = 3}, TimmV4SmallNames, {0.155607F, -0.375976F, 0.590279F});
  ExpectLogits({.variant = V4Variant::kConvMedium, .classes = 3}, TimmV4MediumNames,
               {1.053115F, 0.008524F, 1.222574F});
}

TEST_F(TimmV4, TheWidthTellsWhatPreprocessingIsAssumed) {
  const Model narrow = Load(TorchTensors(V4({.alpha = 0.1, .classes = 3}), TimmV4SmallNames));
  EXPECT_THAT(narrow.provenance.at("preprocessing"), HasSubstr("which timm trains its narrow V4 with"));
  EXPECT_THAT(narrow.provenance.at("padding"), HasSubstr("blur before strides"));
  EXPECT_EQ(narrow.preprocessing.filter, ResizeFilter::kBicubic);
  EXPECT_EQ(narrow.preprocessing.crop, 0.95F);
  const Model whole = Load(TorchTensors(V4({.classes = 3}), TimmV4SmallNames));
  EXPECT_THAT(whole.provenance.at("preprocessing"), HasSubstr("ImageNet's mean and deviation were assumed"));
  EXPECT_EQ(PresetName(whole.preprocessing), "pytorch");
}

TEST_F(TimmV4, WeightsMayHaveNoClassifier) {
  const Network network = V4({.alpha = 0.1, .classes = 0});
  const Model model = Load(TorchTensors(network, TimmV4SmallNames));
  EXPECT_EQ(model.network.recipe, network.recipe);
  EXPECT_EQ(model.network.output().channels, 1280);
}

TEST_F(TimmV4, WhatIsMissingOrOfAHybridIsNamed) {
  const auto complaint = [&](auto edit) {
    Weights tensors = TorchTensors(V4({.alpha = 0.1, .classes = 3}), TimmV4SmallNames);
    edit(tensors);
    return Complaint([&] { Load(tensors); });
  };
  EXPECT_THAT(complaint([](Weights& t) { t["blocks.2.6.attn.query.proj.weight"] = Tensor::Of({1}, {1}); }),
              HasSubstr("has the tensor blocks.2.6.attn.query.proj.weight, as MobileNet V4's hybrids have"));
  EXPECT_THAT(complaint([](Weights& t) { t.erase("blocks.2.0.dw_mid.bn.bias"); }),
              HasSubstr("the tensor blocks.2.0.dw_mid.bn.bias is missing"));
  EXPECT_THAT(complaint([](Weights& t) { t["blocks.3.6.pw_proj.conv.weight"] = Tensor::Of({1}, {1}); }),
              HasSubstr("blocks.3.6.pw_proj.conv.weight belongs to no layer of timm's MobileNet V4"));
}

}  // namespace
}  // namespace mobilenet
