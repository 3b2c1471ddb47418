#include <cmath>
#include <limits>
#include <string>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/tensor.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

std::string ComplaintOf(const Network& network, const Weights& weights) {
  return Complaint([&] { CheckWeights(network, weights); });
}

class WeightsTest : public testing::Test {
 protected:
  const Network network_ = V1({.alpha = 0.25, .resolution = 32, .classes = 10});
  Weights weights_ = RandomWeights(network_, 1);
};

TEST_F(WeightsTest, RandomOnesFitAndAreTheSameForASeed) {
  EXPECT_EQ(ComplaintOf(network_, weights_), "no error");
  const Weights again = RandomWeights(network_, 1);
  const Weights other = RandomWeights(network_, 2);
  const auto values = [](const Weights& w) { return w.at("conv1.weight").values; };
  EXPECT_TRUE(std::ranges::equal(values(weights_), values(again)));
  EXPECT_FALSE(std::ranges::equal(values(weights_), values(other)));
}

TEST_F(WeightsTest, RandomOnesHaveHesDeviation) {
  const auto values = weights_.at("block13.pointwise.weight").values;
  double square = 0;
  for (const float value : values) square += double{value} * value;
  EXPECT_NEAR(std::sqrt(square / static_cast<double>(values.size())), std::sqrt(2.0 / 256), 0.001);
}

TEST_F(WeightsTest, ComplaintsNameTheTensor) {
  Weights weights = weights_;
  weights.erase("block2.pointwise.norm.beta");
  EXPECT_THAT(ComplaintOf(network_, weights), HasSubstr("block2.pointwise.norm.beta is missing"));

  weights = weights_;
  weights["conv1.weight"] = Tensor::Of({3, 3, 8, 3}, std::vector<float>(216));
  EXPECT_THAT(ComplaintOf(network_, weights), HasSubstr("[3, 3, 8, 3], expected [3, 3, 3, 8]"));

  weights = weights_;
  weights["extra"] = Tensor::Of({1}, {1});
  EXPECT_THAT(ComplaintOf(network_, weights), HasSubstr("extra belongs to no layer"));

  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    weights = weights_;
    std::vector<float> values(10, 0.0F);
    values[7] = bad;
    weights["classifier.bias"] = Tensor::Of({10}, values);
    EXPECT_THAT(ComplaintOf(network_, weights), HasSubstr("classifier.bias holds infinity or not-a-number"));
  }

  weights = weights_;
  weights["conv1.norm.variance"] = Tensor::Of({8}, {1, 1, 1, -1, 1, 1, 1, 1});
  EXPECT_THAT(ComplaintOf(network_, weights), HasSubstr("variance -1"));
}

TEST(Tensor, RefusesAWrongNumberOfValues) {
  EXPECT_THROW(Tensor::Of({2, 3}, {1, 2}), Error);
  EXPECT_THROW(Tensor::Of({std::int64_t{1} << 32, std::int64_t{1} << 32}, {}), Error);
  EXPECT_THROW(Tensor::Of({-1, -2}, {1, 2}), Error);
  EXPECT_TRUE(Tensor::Of({3, 0}, {}).values.empty());
  EXPECT_EQ(Tensor::Of({}, {7}).values[0], 7);
}

}  // namespace
}  // namespace mobilenet
