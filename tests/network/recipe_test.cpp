// What recipes have in common, and V2.
#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "mobilenet/cost.h"
#include "mobilenet/network.h"

namespace mobilenet {
namespace {

TEST(V2, HasThePublishedSize) {
  const Network network = V2();
  EXPECT_EQ(CostOf(network).params, 3'504'872);
  EXPECT_EQ(CostOf(network).macs, 300'774'272);
  EXPECT_EQ(network.output(), (Shape{1, 1, 1000}));
  EXPECT_NO_THROW(CheckNetwork(network));
}

// Keras's list of the authors' checkpoints: millions of parameters and of mult-adds at 224 x 224.
TEST(V2, HasTheSizesOfTheAuthorsCheckpoints) {
  struct Checkpoint {
    double alpha;
    double params;
    double macs;
  };
  for (const Checkpoint& c :
       {Checkpoint{1.4, 6.06, 582}, Checkpoint{1.3, 5.34, 509}, Checkpoint{0.75, 2.61, 209},
        Checkpoint{0.5, 1.95, 97}, Checkpoint{0.35, 1.66, 59}}) {
    const Cost cost = CostOf(V2({.alpha = c.alpha}));
    EXPECT_NEAR(static_cast<double>(cost.params) * 1e-6, c.params, 0.06) << c.alpha;
    EXPECT_NEAR(static_cast<double>(cost.macs) * 1e-6, c.macs, 0.6) << c.alpha;
  }
}

TEST(V2, ChannelsAreMultiplesOfEight) {
  EXPECT_EQ(V2Channels(1, 32), 32);
  EXPECT_EQ(V2Channels(0.35, 16), 8);
  EXPECT_EQ(V2Channels(0.35, 24), 8);
  EXPECT_EQ(V2Channels(0.35, 32), 16);  // 11.2 to 8 would lose more than a tenth
  EXPECT_EQ(V2Channels(0.5, 24), 16);   // 12: halves go up
  EXPECT_EQ(V2Channels(0.1, 16), 8);
  EXPECT_EQ(V2Channels(1.4, 320), 448);
  // The last convolution is widened above 1 alone.
  const auto last = [](double alpha) {
    const Network network = V2({.alpha = alpha});
    return network.layers[network.layers.size() - 3].output.channels;
  };
  EXPECT_EQ(last(0.5), 1280);
  EXPECT_EQ(last(1), 1280);
  EXPECT_EQ(last(1.4), 1792);
}

TEST(V2, SkipsGoAroundBlocksThatKeepTheirShape) {
  const Network network = V2();
  std::string with;
  for (const Layer& layer : network.layers) {
    if (layer.kind != LayerKind::kAdd) continue;
    with += layer.name.substr(5, layer.name.find('.') - 5) + " ";
    const Layer& other = network.layers[static_cast<std::size_t>(layer.inputs[1])];
    EXPECT_EQ(other.output, layer.output);
    EXPECT_TRUE(other.name.ends_with(".project") || other.name.ends_with(".add")) << other.name;
  }
  EXPECT_EQ(with, "3 5 6 8 9 10 12 13 15 16 ");
}

// Parameters as timm 1.0.31, torchvision and Keras 3 have them.
TEST(V3, HasEverybodysSizes) {
  struct Size {
    V3Options options;
    std::int64_t params;
  };
  constexpr auto kSmall = V3Variant::kSmall;
  constexpr auto kKeras = V3Widths::kKeras;
  constexpr auto kTorchvision = V3Widths::kTorchvision;
  for (const Size& size :
       {Size{{}, 5'483'032}, Size{{.variant = kSmall}, 2'542'856},
        Size{{.variant = V3Variant::kLargeMinimalistic}, 3'924'288},
        Size{{.variant = V3Variant::kSmallMinimalistic}, 2'044'736},
        Size{{.alpha = 0.75, .widths = V3Widths::kTimm}, 3'993'528},
        Size{{.variant = kSmall, .alpha = 0.75, .widths = V3Widths::kTimm}, 2'041'872},
        Size{{.variant = kSmall, .alpha = 0.5, .widths = V3Widths::kTimm}, 1'593'224},
        Size{{.alpha = 0.75, .widths = kTorchvision}, 3'377'576},
        Size{{.alpha = 0.35, .widths = kTorchvision}, 997'064},
        Size{{.variant = kSmall, .alpha = 0.75, .widths = kTorchvision}, 1'653'920},
        Size{{.variant = kSmall, .alpha = 0.35, .widths = kTorchvision}, 558'744},
        Size{{.alpha = 0.35, .widths = kKeras}, 2'132'216},
        Size{{.alpha = 1.25, .widths = kKeras}, 8'255'784},
        Size{{.variant = kSmall, .alpha = 0.35, .widths = kKeras}, 1'350'344},
        Size{{.variant = kSmall, .alpha = 1.25, .widths = kKeras}, 3'645'312},
        Size{{.variant = V3Variant::kSmallMinimalistic, .alpha = 1.25, .widths = kKeras}, 2'870'880}}) {
    const Network network = V3(size.options);
    CheckNetwork(network);
    EXPECT_EQ(CostOf(network).params, size.params) << TitleOf(network);
  }
}

TEST(V3, MinimalisticNetworksHaveNoneOfTheNewParts) {
  for (const V3Variant variant : {V3Variant::kLargeMinimalistic, V3Variant::kSmallMinimalistic}) {
    for (const Layer& layer : V3({.variant = variant}).layers) {
      EXPECT_LE(layer.kernel, 3) << layer.name;
      EXPECT_NE(layer.kind, LayerKind::kScale) << layer.name;
      EXPECT_TRUE(layer.activation == Activation::kRelu || layer.activation == Activation::kNone)
          << layer.name;
    }
  }
}

// A gate is made of the average of the map that it scales.
TEST(V3, AGateReadsTheAverageOfItsMap) {
  const Network network = V3({.variant = V3Variant::kSmall});
  int gates = 0;
  for (const Layer& scale : network.layers) {
    if (scale.kind != LayerKind::kScale) continue;
    ++gates;
    const auto before = [&](const Layer& layer, std::size_t input = 0) -> const Layer& {
      return network.layers[static_cast<std::size_t>(layer.inputs[input])];
    };
    const Layer& excite = before(scale, 1);
    const Layer& squeeze = before(excite);
    EXPECT_EQ(excite.activation, Activation::kHardSigmoid);
    EXPECT_EQ(squeeze.output.channels, V2Channels(0.25, scale.input.channels));
    EXPECT_EQ(&before(before(squeeze)), &before(scale));
  }
  EXPECT_EQ(gates, 9);
}

// timm 1.0.31's counts: its parameters, and what its convolutions and linear layers multiply.
TEST(V4, HasTimmsSizes) {
  struct Size {
    V4Options options;
    std::int64_t params;
    std::int64_t macs;
  };
  for (const Size& size :
       {Size{{.alpha = 0.35}, 1'905'384, 47'723'040}, Size{{.alpha = 0.5}, 2'238'952, 64'741'408},
        Size{{}, 3'774'024, 186'005'568}, Size{{.variant = V4Variant::kConvMedium}, 9'715'512, 827'649'984},
        Size{{.variant = V4Variant::kConvLarge, .resolution = 384}, 32'590'864, 6'376'220'672}}) {
    const Network network = V4(size.options);
    CheckNetwork(network);
    EXPECT_EQ(CostOf(network).params, size.params) << TitleOf(network);
    EXPECT_EQ(CostOf(network).macs, size.macs) << TitleOf(network);
  }
}

TEST(V4, TheStrideIsThatOfTheSecondDepthwiseLayerWhereThereIsOne) {
  const Network network = V4({.variant = V4Variant::kConvMedium});
  const auto layer = [&](const char* name) { return *std::ranges::find(network.layers, name, &Layer::name); };
  EXPECT_EQ(layer("block2.start").stride, 1);
  EXPECT_EQ(layer("block2.depthwise").stride, 2);
  EXPECT_EQ(layer("block2.start").activation, Activation::kNone);
  EXPECT_EQ(layer("block2.depthwise").activation, Activation::kRelu);
  EXPECT_EQ(layer("block3.add").inputs[1], layer("block3.start").inputs[0]);
  EXPECT_EQ(std::ranges::count(network.layers, LayerKind::kAdd, &Layer::kind), 18);
}

TEST(Recipe, StridesAreDroppedFromTheFirst) {
  for (const Recipe& recipe :
       {Recipe(V1Options{.resolution = 64, .output_stride = 8}),
        Recipe(V2Options{.resolution = 64, .output_stride = 8}),
        Recipe(V3Options{.resolution = 64, .output_stride = 8}),
        Recipe(V3Options{.variant = V3Variant::kSmallMinimalistic, .resolution = 64, .output_stride = 8}),
        Recipe(V4Options{.resolution = 64, .output_stride = 8}),
        Recipe(V4Options{.variant = V4Variant::kConvLarge, .resolution = 64, .output_stride = 8})}) {
    const Network network = Build(recipe);
    const auto pool = std::ranges::find(network.layers.rbegin(), network.layers.rend(),
                                        LayerKind::kGlobalAveragePool, &Layer::kind);
    EXPECT_EQ(pool->input.height, 8);
    EXPECT_EQ(network.layers.front().stride, 1);
  }
}

TEST(Recipe, HasANameAndATitle) {
  EXPECT_EQ(NameOf(Recipe(V2Options())), "v2");
  EXPECT_TRUE(std::holds_alternative<V2Options>(*RecipeNamed("v2")));
  EXPECT_EQ(TitleOf(V1({.alpha = 0.5, .resolution = 160})), "MobileNet V1, alpha 0.5, 160 x 160");
  EXPECT_EQ(TitleOf(V1({.separable = false, .shallow = true})),
            "MobileNet V1 shallow of standard convolutions, alpha 1, 224 x 224");
  EXPECT_EQ(TitleOf(V2({.resolution = {128, 160}})), "MobileNet V2, alpha 1, 128 x 160");
  EXPECT_EQ(TitleOf(V3({.variant = V3Variant::kSmallMinimalistic, .alpha = 0.75})),
            "MobileNet V3-Small minimalistic, alpha 0.75, 224 x 224");
  EXPECT_EQ(TitleOf(V4({.alpha = 0.5})), "MobileNet V4 Conv-S, alpha 0.5, 224 x 224");
  EXPECT_EQ(TitleOf(V4({.variant = V4Variant::kConvLarge, .classes = 0})),
            "MobileNet V4 Conv-L without a classifier, alpha 1, 224 x 224");
  Network custom = V2({.resolution = {96, 128}});
  custom.recipe.reset();
  EXPECT_EQ(TitleOf(custom), "custom network, 96 x 128");
  EXPECT_EQ(VersionOf(custom), "custom");
}

TEST(Recipe, ANetworkTakesOtherInputsAndClasses) {
  for (const Recipe& recipe :
       {Recipe(V1Options{.alpha = 0.25, .resolution = 96}),
        Recipe(V2Options{.alpha = 0.35, .resolution = 96, .padding = PaddingStyle::kSymmetric}),
        Recipe(V3Options{.variant = V3Variant::kSmall, .alpha = 0.35, .resolution = 96}),
        Recipe(V4Options{.alpha = 0.35, .resolution = 96, .padding = PaddingStyle::kSame})}) {
    Network network = Build(recipe);
    const Network named = WithClasses(WithResolution(network, {75, 130}), 7);
    ASSERT_TRUE(named.recipe.has_value());
    EXPECT_EQ(named.layers, Build(*named.recipe).layers);
    EXPECT_EQ(named.input, (Shape{75, 130, 3}));
    EXPECT_EQ(named.classes(), 7);
    // Without its recipe it is given the same layers, one by one.
    network.recipe.reset();
    EXPECT_EQ(WithClasses(WithResolution(network, {75, 130}), 7).layers, named.layers);
  }
}

// Zeros below and right of depthwise strides alone; the first convolution is padded as "same" is.
TEST(Recipe, KerasPadsBelowAndRightBeforeDepthwiseStrides) {
  for (const int side : {224, 96, 32})
    EXPECT_EQ(V1({.resolution = side, .padding = PaddingStyle::kKeras}).layers,
              V1({.resolution = side}).layers);
  const Network network = V1({.alpha = 0.25, .resolution = {101, 100}, .padding = PaddingStyle::kKeras});
  EXPECT_EQ(network.layers[0].padding, (Padding{1, 1, 0, 1}));
  EXPECT_EQ(network.layers[0].output, (Shape{51, 50, 8}));
  EXPECT_EQ(network.layers[1].padding, (Padding{1, 1, 1, 1}));
  EXPECT_EQ(network.layers[3].padding, (Padding{0, 1, 0, 1}));
  EXPECT_EQ(network.layers[3].output, (Shape{25, 25, 16}));
  EXPECT_EQ(network.layers[7].output, (Shape{12, 12, 32}));
  for (int side = 32; side < 70; ++side) {
    Network other = WithResolution(network, side);
    CheckNetwork(other);
    EXPECT_EQ(std::get<V1Options>(*other.recipe).padding, PaddingStyle::kKeras);
    // Without its recipe an odd one is still known.
    Network custom = network;
    custom.recipe.reset();
    EXPECT_EQ(WithResolution(custom, side).layers, other.layers);
  }
}

TEST(Recipe, OfNoClassesEndsWithItsAverage) {
  for (const Recipe& recipe : {Recipe(V1Options{.alpha = 0.25, .resolution = 96}),
                               Recipe(V2Options{.alpha = 0.35, .resolution = 96})}) {
    Network network = Build(recipe);
    const Network features = WithClasses(network, 0);
    EXPECT_FALSE(HasClassifier(features));
    EXPECT_TRUE(HasClassifier(network));
    EXPECT_EQ(features.classes(), 0);
    EXPECT_EQ(features.layers.back().kind, LayerKind::kGlobalAveragePool);
    EXPECT_EQ(RecipeOf(features), features.recipe);
    EXPECT_EQ(WithClasses(features, 1000).layers, network.layers);
    network.recipe.reset();
    EXPECT_EQ(WithClasses(network, 0).layers, features.layers);
    EXPECT_EQ(WithClasses(WithClasses(network, 0), 0).layers, features.layers);
    EXPECT_EQ(WithClasses(WithClasses(network, 0), 1000).layers, network.layers);
  }
  EXPECT_EQ(TitleOf(V2({.alpha = 0.5, .classes = 0})),
            "MobileNet V2 without a classifier, alpha 0.5, 224 x 224");
}

TEST(Recipe, OneThatMakesOtherLayersCountsForNothing) {
  Network network = V2({.alpha = 0.35, .resolution = 32, .classes = 5});
  network.layers[5].activation = Activation::kRelu;
  EXPECT_FALSE(RecipeOf(network).has_value());
  EXPECT_EQ(VersionOf(network), "custom");
  const Network other = WithClasses(WithResolution(network, 48), 7);
  EXPECT_EQ(other.layers[5].activation, Activation::kRelu);
  EXPECT_EQ(other.input.height, 48);
  EXPECT_EQ(other.classes(), 7);
  EXPECT_FALSE(other.recipe.has_value());
  network = V1({.alpha = 0.25, .resolution = 32});
  EXPECT_TRUE(StandardTwin(network).has_value());
  network.recipe = V1Options{.alpha = 5};
  EXPECT_FALSE(RecipeOf(network).has_value());
  EXPECT_FALSE(StandardTwin(network).has_value());
}

TEST(Recipe, NamesAreOfAll) {
  EXPECT_THAT(RecipeNames(), testing::ElementsAre("v1", "v2", "v3-large", "v3-small", "v3-large-minimalistic",
                                                  "v3-small-minimalistic", "v4-conv-small", "v4-conv-medium",
                                                  "v4-conv-large"));
  for (const std::string& name : RecipeNames()) EXPECT_EQ(NameOf(*RecipeNamed(name)), name);
}

// What V4's classifier reads is no classifier itself.
TEST(Recipe, V4OfNoClassesEndsWithItsFeatures) {
  Network network = V4({.alpha = 0.35, .resolution = 96});
  const Network features = WithClasses(network, 0);
  EXPECT_FALSE(HasClassifier(features));
  EXPECT_EQ(features.classes(), 0);
  EXPECT_EQ(features.output(), (Shape{1, 1, 1280}));
  EXPECT_EQ(WithClasses(features, 1000).layers, network.layers);
  network.recipe.reset();
  EXPECT_EQ(WithClasses(network, 0).layers, features.layers);
  EXPECT_EQ(WithClasses(WithClasses(network, 0), 0).layers, features.layers);
  EXPECT_EQ(WithClasses(WithClasses(network, 0), 1000).layers, network.layers);
}

// Zeros right and below alone are "same" for an even map and stride 2, and not for an odd one.
TEST(Recipe, OtherPaddingsStayAsTheyAre) {
  Network network;
  network.input = {33, 33, 3};
  Layer layer;
  layer.name = "a";
  layer.inputs = {kNetworkInput};
  layer.input = network.input;
  layer.kernel = 3;
  layer.stride = 2;
  layer.padding = {0, 1, 0, 1};
  layer.output = {16, 16, 4};
  network.layers = {layer};
  CheckNetwork(network);
  const Network other = WithResolution(network, 65);
  EXPECT_EQ(other.layers[0].padding, layer.padding);
  EXPECT_EQ(other.layers[0].output, (Shape{32, 32, 4}));
  // Also where the next layer's would be "same" at this size: a network has one convention.
  Layer next = layer;
  next.name = "b";
  next.inputs = {0};
  next.input = layer.output;
  next.output = {8, 8, 4};
  network.layers.push_back(next);
  CheckNetwork(network);
  EXPECT_EQ(WithResolution(network, 69).layers[1].padding, layer.padding);
}

}  // namespace
}  // namespace mobilenet
