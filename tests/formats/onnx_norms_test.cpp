// ONNX's arithmetic by channel where no layer that it could join lies before it.
#include <algorithm>
#include <string>
#include <vector>

#include "as_onnx.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
using Nodes = std::vector<onnx::Node>;

Model SmallModel() { return RandomModel(V1Options{.alpha = 0.1, .resolution = 32, .classes = 3}); }

// The file of a small network with these nodes between the average and what reads it.
onnx::Model WithBehindAverage(const Nodes& nodes) {
  onnx::Model file = OnnxFileOf(SmallModel());
  AddFloats(file, "twos", {1, 102, 1, 1}, std::vector<float>(102, 2));
  AddFloats(file, "threes", {1, 102, 1, 1}, std::vector<float>(102, 3));
  AddFloats(file, "two", {}, {2});
  Replace(file, "GlobalAveragePool", [&](onnx::Node node) {
    Nodes all = {node};
    all[0].set_output(0, "average");
    all.insert(all.end(), nodes.begin(), nodes.end());
    all.back().set_output(0, node.output(0));
    return all;
  });
  return file;
}

// W (2 x + 3) is 2 W x + 3 W.
TEST(Onnx, ConstantsByChannelBehindTheAverageGoIntoTheClassifier) {
  const Model plain = SmallModel();
  const Model model = Read(WithBehindAverage(
      {NodeOf("Mul", {"average", "twos"}, "scaled"), NodeOf("Add", {"threes", "scaled"}, "shifted")}));
  EXPECT_EQ(model.network.layers.size(), plain.network.layers.size());
  const auto before = plain.weights.at("classifier.weight").values;
  const auto after = model.weights.at("classifier.weight").values;
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_EQ(after[i], 2 * before[i]) << i;
  for (std::size_t c = 0; c < 3; ++c) {
    double bias = plain.weights.at("classifier.bias").values[c];
    for (std::size_t i = c; i < before.size(); i += 3) bias += 3 * before[i];
    EXPECT_NEAR(model.weights.at("classifier.bias").values[c], bias, 1e-5) << c;
  }
}

TEST(Onnx, OneNumberBehindTheAverageIsNoBatchNorm) {
  EXPECT_THAT(ComplaintAbout(WithBehindAverage({NodeOf("Mul", {"average", "two"}, "scaled")})),
              HasSubstr("rescales values within the network"));
}

}  // namespace
}  // namespace mobilenet
