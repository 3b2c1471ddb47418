// What a model's answers mean.
#include <cmath>

#include "mobilenet/model.h"
#include "mobilenet/runtime.h"

namespace mobilenet {
namespace {

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

std::string_view NameOf(Answers answers) {
  switch (answers) {
    case Answers::kSoftmax:
      return "softmax";
    case Answers::kSigmoid:
      return "sigmoid";
  }
  return "";
}

int Model::classes() const {
  const int outputs = network.classes();
  return answers == Answers::kSigmoid && outputs == 1 ? 2 : outputs;
}

void ToProbabilities(Answers answers, std::vector<float>& output) {
  if (answers == Answers::kSoftmax) return Softmax(output);
  // The rest of a probability near 1 would be lost in 1 - p.
  if (output.size() == 1) output.insert(output.begin(), -output.front());
  for (float& value : output) value = Sigmoid(value);
}

}  // namespace mobilenet
