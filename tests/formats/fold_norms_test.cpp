// Where batch norms and activations go.
#include <array>
#include <string>
#include <vector>

#include "formats/chain.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

TEST(FoldGraph, ActivationsJoinTheLayerBeforeThem) {
  EXPECT_EQ(Chain()
                .Then("r", op::Activate{Activation::kRelu6})
                .Then("again", op::Activate{Activation::kRelu})
                .Head()
                .Build()
                .layers[0]
                .activation,
            Activation::kRelu6);
  EXPECT_THAT(Chain().Then("pool", op::Average()).Then("r", op::Activate()).Complains(),
              HasSubstr("the layer r comes right behind the average"));
  EXPECT_THAT(Chain().Then("r", op::Activate()).Then("sum", op::Add(), {0, 1}).Complains(),
              HasSubstr("the layer r changes the map of first, which others read as it is"));
  EXPECT_THAT(Chain().Depthwise("d", 2).Then("sum", op::Add(), {0, 1}).Complains(),
              HasSubstr("sum adds a map of 12 x 18 x 2 and one of 6 x 9 x 2"));
}

// 4 = 2 * 2 / sqrt(0.75 + 0.25), 0 = 2 - 1 * 2 for the first channel; 3 and 5 for the second.
const op::Norm kNorm = {{2, 3}, {2, 5}, {1, 0}, {0.75F, 0.75F}, 0.25F};

op::Dense Mixing() { return {Tensor::Of({2, 2}, {1, 2, 3, 4}), {10, 20}}; }

std::vector<float> Values(const Model& model, const char* name) {
  const auto of = model.weights.at(name).values;
  return {of.begin(), of.end()};
}

TEST(FoldGraph, ANormBehindTheAverageOrAnActivationGoesIntoTheLayerThatReadsIt) {
  for (const Model& model : {
           Chain()
               .Then("pool", op::Average())
               .Then("n", kNorm)
               .Then("drop", op::Identity())
               .Then("dense", Mixing())
               .Load(),
           Chain()
               .Then("r", op::Activate())
               .Then("n", kNorm)
               .Then("pool", op::Average())
               .Then("dense", Mixing())
               .Load(),
           Chain()
               .Then("pool", op::Average())
               .Then("n", kNorm)
               .Then("flat", op::Reshape{{-1}})
               .Then("dense", op::Convolution{{Tensor::Of({1, 1, 2, 2}, {1, 2, 3, 4}), {10, 20}}})
               .Load(),
       }) {
    ASSERT_EQ(model.network.layers.size(), 3);
    EXPECT_EQ(Values(model, "dense.weight"), (std::vector<float>{2, 4, 9, 12}));
    EXPECT_EQ(Values(model, "dense.bias"), (std::vector<float>{25, 40}));
  }
  op::Dense hidden = Mixing();
  Chain chain = Chain().Then("pool", op::Average()).Then("hidden", hidden).Then("r", op::Activate());
  const Model two = chain.Then("n", kNorm).Then("dense", op::Dense{Mixing().weight, {}}).Load();
  EXPECT_EQ(Values(two, "hidden.weight"), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(two.network.layers[2].activation, Activation::kRelu);
  EXPECT_EQ(Values(two, "dense.weight"), (std::vector<float>{2, 4, 9, 12}));
  EXPECT_EQ(Values(two, "dense.bias"), (std::vector<float>{15, 20}));
}

TEST(FoldGraph, ANormGoesIntoA1x1ConvolutionBehindIt) {
  const op::Convolution mixing = {{Tensor::Of({1, 1, 2, 2}, {1, 2, 3, 4}), {}}};
  const Model sum = Chain()
                        .Depthwise("d", 1)
                        .Then("sum", op::Add(), {0, 1})
                        .Then("n", kNorm)
                        .Then("mix", mixing)
                        .Then("m", kNorm)
                        .Head()
                        .Load();
  EXPECT_EQ(Values(sum, "mix.weight"), (std::vector<float>{2, 4, 9, 12}));
  EXPECT_TRUE(sum.network.layers[3].batch_norm) << "its own, whose mean takes in the bias";
  EXPECT_EQ(Values(sum, "mix.norm.mean"), (std::vector<float>{1 - 15, 0 - 20}));
  // Two readers: one sees what the norm makes, the other what it is made of.
  const Model forked =
      Chain().Then("n", kNorm).Then("mix", mixing).Then("sum", op::Add(), {0, 2}).Head().Load();
  EXPECT_FALSE(forked.network.layers[0].batch_norm);
  EXPECT_EQ(Values(forked, "mix.weight"), (std::vector<float>{2, 4, 9, 12}));
  // One norm behind the other: 2 (2 x) + 0 and 3 (3 x + 5) + 5.
  const Model twice = Chain().Then("m", kNorm).Then("n", kNorm).Then("mix", mixing).Head().Load();
  EXPECT_EQ(Values(twice, "first.norm.gamma"), (std::vector<float>{4, 9}));
  EXPECT_EQ(Values(twice, "first.norm.beta"), (std::vector<float>{4, 20}));
  EXPECT_EQ(Values(twice, "mix.weight"), (std::vector<float>{1, 2, 3, 4}));
  const Model waiting =
      Chain().Then("r", op::Activate()).Then("m", kNorm).Then("n", kNorm).Then("mix", mixing).Head().Load();
  EXPECT_EQ(Values(waiting, "mix.weight"), (std::vector<float>{4, 8, 27, 36}));
  EXPECT_EQ(Values(waiting, "mix.bias"), (std::vector<float>{60, 80}));
}

TEST(FoldGraph, ANormThatNothingCanTakeInIsRefused) {
  const auto behind = [] { return Chain().Then("r", op::Activate()).Then("n", kNorm); };
  const auto refused =
      HasSubstr("n changes each channel as a batch norm does, but is neither right behind a");
  EXPECT_THAT(behind().Depthwise("d", 1).Complains(), refused) << "whose zeros the norm would not see";
  EXPECT_THAT(behind().Then("again", op::Activate()).Complains(), refused);
  Chain many = behind();
  for (int i = 0; i < 16; ++i) many.Then("m" + std::to_string(i), kNorm);
  EXPECT_THAT(many.Complains(), HasSubstr("m15 is one of more than 16 batch norms in a row"));
  EXPECT_THAT(behind().Then("sum", op::Add(), {1, 2}).Complains(), refused);
  EXPECT_THAT(behind().Then("pool", op::Average()).Complains(), refused) << "nothing behind it";
  EXPECT_THAT(behind().Then("end", op::Softmax()).Complains(), refused);
  op::Norm uneven = kNorm;
  uneven.beta.pop_back();
  EXPECT_THAT(Chain().Then("r", op::Activate()).Then("n", uneven).Complains(),
              HasSubstr("n has 1 values of a kind, expected 2"));
}

// Which absorbing would write past.
TEST(FoldGraph, ABiasOfAnotherLengthBehindANormIsRefused) {
  for (const std::size_t size : {1, 3, 100'000}) {
    const op::Dense dense = {Tensor::Of({2, 2}, {1, 2, 3, 4}), std::vector<float>(size)};
    EXPECT_THAT(Chain().Then("pool", op::Average()).Then("n", kNorm).Then("dense", dense).Complains(),
                HasSubstr("dense has a bias of " + std::to_string(size) + " values, expected 2"));
    const op::Convolution mix = {{Tensor::Of({1, 1, 2, 2}, {1, 2, 3, 4}), std::vector<float>(size)}};
    EXPECT_THAT(Chain().Then("r", op::Activate()).Then("n", kNorm).Then("mix", mix).Complains(),
                HasSubstr("mix has a bias of " + std::to_string(size) + " values, expected 2"));
  }
}

TEST(FoldGraph, ANormBehindTheClassifierGoesIntoItsWeights) {
  const Model model = Chain()
                          .Then("pool", op::Average())
                          .Then("dense", Mixing())
                          .Then("n", kNorm)
                          .Then("end", op::Softmax())
                          .Load();
  EXPECT_EQ(model.network.classes(), 2);
  EXPECT_EQ(Values(model, "dense.weight"), (std::vector<float>{2, 6, 6, 12}));
  EXPECT_EQ(Values(model, "dense.bias"), (std::vector<float>{20, 65})) << "2 * 10 + 0, 3 * 20 + 5";
  // Without a softmax they may be features.
  EXPECT_EQ(Chain().Then("pool", op::Average()).Then("dense", Mixing()).Then("n", kNorm).Build().classes(),
            0);
}

// Pictures of 0 to 1, of -1 to 1 and of 0 to 255, told by their mean.
TEST(FoldGraph, ANormOfTheInputIsOfPixelsWhoseRangeItsMeanTells) {
  const auto preprocessing = [](float mean, float deviation) {
    const std::vector<float> means = {mean, mean, mean + deviation / 4};
    const op::Norm norm = {{}, {}, means, std::vector<float>(3, deviation * deviation), 0};
    Chain chain;
    chain.Then("n", norm, {kNetworkInput})
        .Then("start", Chain::Window<op::Convolution>({3, 3, 3, 2}, 2))
        .Head();
    return chain.Load();
  };
  const Model unit = preprocessing(0.5F, 0.25F);
  EXPECT_NEAR(unit.preprocessing.mean[0], 127.5, 1e-3);
  EXPECT_NEAR(unit.preprocessing.scale[0], 4 / 255.0, 1e-6);
  EXPECT_THAT(unit.provenance.at("preprocessing"), HasSubstr("taken to be for pixels from 0 to 1"));
  const Model centred = preprocessing(0, 0.5F);
  EXPECT_NEAR(centred.preprocessing.mean[0], 127.5, 1e-3);
  EXPECT_NEAR(centred.preprocessing.scale[0], 2 / 127.5, 1e-6);
  EXPECT_THAT(centred.provenance.at("preprocessing"), HasSubstr("taken to be for pixels from -1 to 1"));
  const Model pixels = preprocessing(120, 60);
  EXPECT_NEAR(pixels.preprocessing.mean[0], 120, 1e-3);
  EXPECT_EQ(pixels.provenance.at("preprocessing"), "the file's own first layers");
}

// As Keras's Normalization, which has fewer parameters.
TEST(FoldGraph, ANormOfTheInputIsItsPreprocessing) {
  op::Norm norm = {{0.02F, 0.03F, 0.04F}, {2, 6, 12}, {100, 200, 300}, {0.75F, 0.75F, 0.75F}, 0.25F};
  Chain chain;
  chain.Then("n", norm, {kNetworkInput})
      .Then("start", Chain::Window<op::Convolution>({3, 3, 3, 2}, 2))
      .Head();
  const Preprocessing p = chain.Load().preprocessing;
  EXPECT_EQ(p.scale, (std::array<float, 3>{0.02F, 0.03F, 0.04F}));
  for (const float mean : p.mean) EXPECT_NEAR(mean, 0, 1e-4);
  norm.gamma[1] = -1;
  Chain turned;
  turned.Then("n", norm, {kNetworkInput})
      .Then("start", Chain::Window<op::Convolution>({3, 3, 3, 2}, 2))
      .Head();
  EXPECT_THAT(turned.Complains(), HasSubstr("expected a positive scale"));
}

}  // namespace
}  // namespace mobilenet
