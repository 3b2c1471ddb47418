#include "formats/keras_weights.h"

#include <utility>

#include "base/fail.h"

namespace mobilenet {

// Keras repeats a layer's name within its group, a model within a model has its own group around its layers
// (but not in TensorFlow.js), and older versions call the inner group as they like.
KerasLayerWeights::KerasLayerWeights(std::string_view file, const KerasWeights& weights,
                                     const std::string& model, const std::string& layer)
    : file_(file), layer_(layer) {
  const std::string path = model + layer;
  for (const std::string& group : {Concat(path, "/", layer), path, layer}) {
    if (const auto found = weights.find(group); found != weights.end()) {
      group_ = &found->second;
      return;
    }
  }
  const std::string begin = path + "/";
  for (auto each = weights.lower_bound(begin); each != weights.end() && each->first.starts_with(begin);
       ++each) {
    if (group_ != nullptr)
      Fail(file_, ": the layer ", layer_, " has weights in several groups, such as ", each->first);
    group_ = &each->second;
  }
}

const Tensor& KerasLayerWeights::Weight(std::string_view name) const {
  if (!found()) Fail(file_, ": the layer ", layer_, " is missing");
  const auto tensor = group_->find(name);
  if (tensor == group_->end()) Fail(file_, ": the layer ", layer_, " has no ", name);
  return tensor->second;
}

std::vector<float> KerasLayerWeights::Values(std::string_view name) const {
  const Tensor& tensor = Weight(name);
  return {tensor.values.begin(), tensor.values.end()};
}

const Tensor& KerasLayerWeights::Weight(std::string_view name, std::size_t rank) const {
  const Tensor& tensor = Weight(name);
  if (tensor.shape.size() != rank)
    Fail(file_, ": the layer ", layer_, " has a ", name, " of shape ", ShapeText(tensor.shape), ", expected ",
         rank, " dimensions");
  return tensor;
}

std::vector<float> KerasLayerWeights::OptionalVector(std::string_view name) const {
  if (!found() || !group_->contains(name)) return {};
  const Tensor& tensor = Weight(name, 1);
  return {tensor.values.begin(), tensor.values.end()};
}

op::Convolution KerasLayerWeights::Convolution() const {
  return {{Weight("kernel", 4), OptionalVector("bias")}};
}

op::Depthwise KerasLayerWeights::Depthwise() const {
  // Keras 3 calls it as all others.
  const bool keras3 = found() && !group_->contains("depthwise_kernel") && group_->contains("kernel");
  const Tensor& kernel = Weight(keras3 ? "kernel" : "depthwise_kernel", 4);
  const auto& shape = kernel.shape;
  if (shape[3] != 1)
    Fail(file_, ": the layer ", layer_, " has a depth multiplier of ", shape[3], ", expected 1");
  return {{{{shape[0], shape[1], shape[2]}, kernel.values, kernel.owner}, OptionalVector("bias")}};
}

op::Dense KerasLayerWeights::Dense() const { return {Weight("kernel", 2), OptionalVector("bias")}; }

op::Norm KerasLayerWeights::Norm() const {
  return {OptionalVector("gamma"), OptionalVector("beta"), OptionalVector("moving_mean"),
          OptionalVector("moving_variance")};
}

}  // namespace mobilenet
