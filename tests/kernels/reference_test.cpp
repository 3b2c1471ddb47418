// The plain kernels against numbers worked out by hand: everything else is compared with them.
#include "kernels/reference/reference.h"

#include <limits>
#include <vector>

#include "gmock/gmock.h"

namespace mobilenet {
namespace {

using testing::ElementsAre;

constexpr Range kAll = {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};

TEST(Reference, ConvolutionOfATwoByTwoMap) {
  // One channel in, two out: filter 0 sums its 3x3 window, filter 1 takes the pixel below the centre.
  const std::vector<float> input = {1, 2, 3, 4};
  std::vector<float> weight(18, 0.0F);
  for (int tap = 0; tap < 9; ++tap) weight[2 * tap] = 1;
  weight[2 * 7 + 1] = 1;
  const std::vector<float> bias = {0.5F, 0};
  std::vector<float> output(8);
  reference::Convolution({2, 2, 1, 2, 2, 2, 3, 1, 1, 1}, input.data(), weight.data(), bias.data(), kAll,
                         output.data());
  EXPECT_THAT(output, ElementsAre(10.5F, 3, 10.5F, 4, 10.5F, 0, 10.5F, 0));
}

TEST(Reference, DepthwiseKeepsChannelsApartAndClamps) {
  const std::vector<float> input = {1, 10, 2, 20, 3, 30};  // 1 x 3 pixels of two channels
  std::vector<float> weight(18, 0.0F);
  weight[2 * 3] = 1;      // channel 0: the pixel to the left
  weight[2 * 5 + 1] = 1;  // channel 1: the pixel to the right
  const std::vector<float> bias = {0, -1};
  std::vector<float> output(6);
  reference::Depthwise({1, 3, 2, 1, 3, 2, 3, 1, 1, 1}, input.data(), weight.data(), bias.data(), {0, 25},
                       output.data());
  EXPECT_THAT(output, ElementsAre(0, 19, 1, 25, 2, 0));
}

TEST(Reference, DepthwiseStrideTwoWithoutPaddingAbove) {
  const std::vector<float> input = {1, 2, 3, 4};  // 1 x 4 pixels
  std::vector<float> weight(9, 0.0F);
  weight[0] = 1;   // the window's first pixel
  weight[2] = 10;  // its third
  const std::vector<float> bias = {0};
  std::vector<float> output(2);
  reference::Depthwise({1, 4, 1, 1, 2, 1, 3, 2, 0, 0}, input.data(), weight.data(), bias.data(), kAll,
                       output.data());
  EXPECT_THAT(output, ElementsAre(31, 3));
}

TEST(Reference, Product) {
  const std::vector<float> a = {1, 2, 3, 4};
  const std::vector<float> b = {1, 0, -1, 0, 1, 1};
  const std::vector<float> bias = {0, 0, 10};
  std::vector<float> c(6);
  reference::Product(2, 2, 3, a.data(), b.data(), bias.data(), {0, 11}, c.data());
  EXPECT_THAT(c, ElementsAre(1, 2, 11, 3, 4, 11));
  const std::vector<float> residual = {-9, 1, -3, 0.5F, 2, -9};
  reference::Product(2, 2, 3, a.data(), b.data(), bias.data(), {0, 11}, c.data(), residual.data());
  EXPECT_THAT(c, ElementsAre(0, 3, 8, 3.5F, 6, 2));
}

TEST(Reference, Add) {
  const std::vector<float> a = {1, 2, -5, 4};
  const std::vector<float> b = {0.5F, 7, 1, -4};
  std::vector<float> sum(4);
  reference::Add(4, a.data(), b.data(), {0, 6}, sum.data());
  EXPECT_THAT(sum, ElementsAre(1.5F, 6, 0, 0));
}

TEST(Reference, AverageAndSoftmax) {
  const std::vector<float> input = {1, 10, 3, 30};
  std::vector<float> mean(2);
  reference::Average(input.data(), 2, 2, mean.data());
  EXPECT_THAT(mean, ElementsAre(2, 20));
  std::vector<float> logits = {0, std::log(3.0F)};
  reference::Softmax(logits);
  EXPECT_NEAR(logits[0], 0.25, 1e-7);
  EXPECT_NEAR(logits[1], 0.75, 1e-7);
}

}  // namespace
}  // namespace mobilenet
