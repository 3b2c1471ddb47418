// Class activation maps, beside the logits that they are made of.
#include "mobilenet/activation_map.h"

#include <numeric>

#include "classify/noise.h"
#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

std::vector<float> LogitsOf(const Model& model, const Image& image) {
  const Plan plan(model.network, model.weights);
  std::vector<float> input(static_cast<std::size_t>(plan.input().size()));
  std::vector<float> logits(static_cast<std::size_t>(plan.output().size()));
  const Shape& shape = plan.input();
  Preprocess(image, model.preprocessing, shape.width, shape.height, shape.channels, input);
  EXPECT_TRUE(Runner(plan).Run(input, logits));
  return logits;
}

// Evidence for one of two classes is evidence against the other.
TEST(ActivationMaps, OneOutputHasAMapForEachOfTwoClasses) {
  const Image image = NoisyImage(90, 70);
  Model model = RandomModel(V1({.alpha = 0.25, .resolution = 64, .classes = 1}));
  EXPECT_THAT(Complaint([&] { ActivationMapper(model).Pixels(image, 1); }), HasSubstr("no class 1"));
  model.answers = Answers::kSigmoid;
  ActivationMapper mapper(model);
  const ActivationMap no = mapper.Pixels(image, 0);
  const ActivationMap yes = mapper.Pixels(image, 1);
  EXPECT_EQ(yes.bias, -no.bias);
  float sum = 0;
  for (std::size_t i = 0; i < yes.values.size(); ++i) {
    EXPECT_EQ(yes.values[i], -no.values[i]);
    sum += yes.values[i];
  }
  EXPECT_NEAR(sum / static_cast<float>(yes.values.size()) + yes.bias, LogitsOf(model, image)[0], 1e-4);
  EXPECT_THAT(Complaint([&] { mapper.Pixels(image, 2); }), HasSubstr("no class 2, expected 0 to 1"));
}

TEST(ActivationMaps, TheirMeansAndBiasesAreTheLogits) {
  const Image image = NoisyImage(90, 70);
  for (const Network& network :
       {V1({.alpha = 0.25, .resolution = {64, 96}, .classes = 5, .output_stride = 16}),
        V1({.alpha = 0.25, .resolution = 64, .classes = 5}),
        V2({.alpha = 0.35, .resolution = 96, .classes = 5, .output_stride = 16}),
        V2({.alpha = 0.35, .resolution = 64, .classes = 5, .batch_norm = false})}) {
    const Model model = RandomModel(network);
    const std::vector<float> logits = LogitsOf(model, image);
    ActivationMapper mapper(model);
    for (int index = 0; index < 5; ++index) {
      const ActivationMap map = mapper.Pixels(image, index);
      ASSERT_EQ(map.values.size(), static_cast<std::size_t>(mapper.height()) * mapper.width());
      EXPECT_EQ(map.height, mapper.height());
      const float mean =
          std::accumulate(map.values.begin(), map.values.end(), 0.0F) / static_cast<float>(map.values.size());
      EXPECT_NEAR(mean + map.bias, logits[index], 1e-4F) << TitleOf(network) << ", class " << index;
    }
    EXPECT_EQ(mapper.width(), network.layers[network.layers.size() - 2].input.width);
  }
}

// What is at the right of a picture is at the right of its map.
TEST(ActivationMaps, LieAsThePictureDoes) {
  Model model = RandomModel(V1({.alpha = 0.25, .resolution = 64, .classes = 2, .output_stride = 8}));
  model.preprocessing.crop = 1;
  const Image image = NoisyImage(64, 64);
  Image changed = image;
  for (int y = 0; y < 8; ++y) std::fill_n(changed.pixels.begin() + (y * 64 + 56) * 3, 24, 255);
  ActivationMapper mapper(model);
  const ActivationMap before = mapper.Pixels(image, 0);
  const ActivationMap after = mapper.Pixels(changed, 0);
  std::vector<float> change;
  for (std::size_t i = 0; i < before.values.size(); ++i)
    change.push_back(std::abs(after.values[i] - before.values[i]));
  ASSERT_EQ(change.size(), 64U);
  const auto most = std::ranges::max_element(change) - change.begin();
  EXPECT_LT(most / 8, 4) << "rows from the top";
  EXPECT_GE(most % 8, 4) << "columns from the left";
}

TEST(ActivationMaps, CoverWhatPreprocessingKeeps) {
  Model model = RandomModel(V1({.alpha = 0.25, .resolution = 64, .classes = 2}));
  model.preprocessing.crop = 0.5F;
  Box part = ActivationMapper(model).Pixels(NoisyImage(100, 50), 0).part;
  EXPECT_THAT((std::vector{part.left, part.top, part.right, part.bottom}),
              testing::ElementsAre(0.25, 0.25, 0.75, 0.75));
  model.preprocessing.shape = CropShape::kSquare;
  model.preprocessing.crop = 1;
  part = ActivationMapper(model).Pixels(NoisyImage(100, 50), 0).part;
  EXPECT_THAT((std::vector{part.left, part.top, part.right, part.bottom}),
              testing::ElementsAre(0.25, 0, 0.75, 1));
}

TEST(ActivationMaps, AreRefusedWhereTheyAreNotExact) {
  Model model = RandomModel(V1({.alpha = 0.25, .resolution = 32, .classes = 3}));
  const Image image = NoisyImage(32, 32);
  for (const int index : {-1, 3})
    EXPECT_THAT(Complaint([&] { ActivationMapper(model).Pixels(image, index); }),
                HasSubstr("there is no class " + std::to_string(index) + ", expected 0 to 2"));
  Model clamped = model;
  clamped.network.layers.back().activation = Activation::kRelu;
  EXPECT_THAT(Complaint([&] { ActivationMapper{clamped}; }),
              HasSubstr("ends with classifier, expected a fully connected layer alone"));
  Network& network = model.network;
  network.layers.pop_back();
  network.recipe.reset();
  EXPECT_THAT(Complaint([&] { ActivationMapper{model}; }), HasSubstr("expected a fully connected layer"));
  // A classifier behind another: the first one's weights say nothing of the classes.
  network = V1({.alpha = 0.25, .resolution = 32, .classes = 3});
  Layer second = network.layers.back();
  second.name = "second";
  second.inputs = {static_cast<int>(network.layers.size()) - 1};
  second.input = second.output;
  network.layers.push_back(second);
  model.weights = RandomWeights(network, 1);
  EXPECT_THAT(Complaint([&] { ActivationMapper{model}; }),
              HasSubstr("the classifier reads classifier, expected the global average of a feature map"));
}

}  // namespace
}  // namespace mobilenet
