#include "random_model.h"

#include <algorithm>
#include <cmath>

#include "gmock/gmock.h"
#include "random.h"
#include "runtime/reference_run.h"

namespace mobilenet {

Model RandomModel(const Recipe& recipe) {
  Model model;
  model.network = Build(recipe);
  model.weights = RandomWeights(model.network, 3);
  std::uint32_t seed = 1;
  for (auto& [name, tensor] : model.weights) {
    if (name.find(".norm.") == std::string::npos && !name.ends_with(".bias")) continue;
    std::vector<float> values = RandomValues(tensor.values.size(), ++seed);
    const bool positive = name.ends_with("variance") || name.ends_with("gamma");
    for (float& value : values) value = positive ? 1 + value / 2 : value / 4;
    tensor = Tensor::Of(tensor.shape, std::move(values));
  }
  return model;
}

std::vector<float> LogitsOf(const Model& model) {
  const auto size = static_cast<std::size_t>(model.network.input.size());
  return ReferenceRun(model.network, model.weights, RandomValues(size, 7));
}

void ExpectSameAnswers(const Model& read, const Model& model) {
  const std::vector<float> expected = LogitsOf(model);
  const std::vector<float> found = LogitsOf(read);
  ASSERT_EQ(found.size(), expected.size());
  float most = 0;
  for (const float value : expected) most = std::max(most, std::abs(value));
  EXPECT_GT(most, 1e-3F);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4F * most);
}

}  // namespace mobilenet
