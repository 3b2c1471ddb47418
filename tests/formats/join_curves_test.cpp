// Hard-swish and hard-sigmoid as other people spell them.
#include <string>
#include <vector>

#include "formats/chain.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

op::Rescale Scalar(double scale, double offset) { return {{scale, scale, scale}, {offset, offset, offset}}; }

// x relu6(x + 3) / 6, with the division before the product or behind it.
TEST(FoldGraph, HardSwishMayBeSpelledOut) {
  const auto shifted = [] {
    return Chain().Then("plus", Scalar(1, 3), {0}).Then("clip", op::Activate{Activation::kRelu6});
  };
  const op::Rescale sixth = Scalar(1.0 / 6, 0);
  const auto first = [](const Network& network) { return network.layers[0].activation; };
  EXPECT_EQ(first(shifted().Then("sixth", sixth).Then("times", op::Multiply(), {0, 3}).Head().Build()),
            Activation::kHardSwish);
  EXPECT_EQ(first(shifted().Then("times", op::Multiply(), {2, 0}).Then("sixth", sixth).Head().Build()),
            Activation::kHardSwish);
  EXPECT_EQ(first(shifted().Then("sixth", sixth).Head().Build()), Activation::kHardSigmoid);
  EXPECT_EQ(first(shifted().Then("x/6", sixth, {0}).Then("times", op::Multiply(), {2, 3}).Head().Build()),
            Activation::kHardSwish);
  EXPECT_EQ(first(shifted()
                      .Then("nothing", op::Identity())
                      .Then("sixth", sixth)
                      .Then("x", op::Identity(), {0})
                      .Then("times", op::Multiply(), {5, 4})
                      .Head()
                      .Build()),
            Activation::kHardSwish);
  EXPECT_EQ(first(Chain()
                      .Then("a", op::Activate{Activation::kHardSigmoid})
                      .Then("times", op::Multiply(), {1, 0})
                      .Head()
                      .Build()),
            Activation::kHardSwish);
  EXPECT_THAT(shifted().Depthwise("d", 1).Complains(), HasSubstr("plus rescales values within the network"));
  EXPECT_THAT(shifted().Then("times", op::Multiply(), {0, 2}).Depthwise("d", 1).Complains(),
              HasSubstr("plus rescales values within the network"));
  EXPECT_THAT(shifted().Then("sixth", sixth).Then("sum", op::Add(), {2, 3}).Complains(),
              HasSubstr("rescales values within"))
      << "what a curve is made of has another reader";
  EXPECT_THAT(shifted().Then("half", Scalar(0.5, 0)).Complains(),
              HasSubstr("plus rescales values within the network"));
  EXPECT_THAT(Chain()
                  .Depthwise("d", 1)
                  .Then("plus", Scalar(1, 3), {0})
                  .Then("clip", op::Activate{Activation::kRelu6})
                  .Then("times", op::Multiply(), {1, 3})
                  .Complains(),
              HasSubstr("rescales values within"))
      << "of another map than x";
}

// Long chains of what does nothing are walked once.
TEST(FoldGraph, CurvesBehindLongChainsAreFoundInNoTime) {
  Chain chain;
  for (int i = 0; i < 100'000; ++i) chain.Then("nothing", op::Identity());
  for (int i = 0; i < 20'000; ++i) chain.Then("times", op::Multiply(), {100'000, 100'000});
  EXPECT_THAT(chain.Complains(), HasSubstr("times multiplies a map of 12 x 18 x 2 with one of 12 x 18 x 2"));
}

// What a layer's bias has taken in, or what is steeper, is undone by its weights.
TEST(FoldGraph, HardSigmoidsOfOthersBecomeOurs) {
  const auto made = [](const op::Any& operation, bool sixth) {
    Chain chain = Chain().Then("pool", op::Average());
    chain.Then("gate", op::Dense{Tensor::Of({2, 2}, {1, 2, 3, 4}), {5, 6}}).Then("a", operation);
    if (sixth) chain.Then("sixth", Scalar(1.0 / 6, 0));
    return chain.Load();
  };
  const auto values = [](const Model& model, const char* name) {
    const auto of = model.weights.at(name).values;
    return std::vector<float>(of.begin(), of.end());
  };
  const Model shifted = made(op::Activate{Activation::kRelu6}, true);
  EXPECT_EQ(shifted.network.layers.back().activation, Activation::kHardSigmoid);
  EXPECT_EQ(values(shifted, "gate.bias"), (std::vector<float>{2, 3}));
  const Model steep = made(op::Activate{Activation::kHardSigmoid, 2}, false);
  EXPECT_EQ(values(steep, "gate.weight"), (std::vector<float>{2, 4, 6, 8}));
  EXPECT_EQ(values(steep, "gate.bias"), (std::vector<float>{10, 12}));
}

}  // namespace
}  // namespace mobilenet
