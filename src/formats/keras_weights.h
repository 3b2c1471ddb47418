// The weights of one Keras layer, as operators have them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/graph.h"
#include "formats/keras.h"

namespace mobilenet {

class KerasLayerWeights {
 public:
  // Those of the layer `layer` of the model `model`, which is "" but for models inside of others. Throws
  // Error where several groups could be meant.
  KerasLayerWeights(std::string_view file, const KerasWeights& weights, const std::string& model,
                    const std::string& layer);

  [[nodiscard]] bool found() const { return group_ != nullptr; }
  // Whether they are those of this group of the file.
  [[nodiscard]] bool Are(const std::map<std::string, Tensor, std::less<>>& group) const {
    return group_ == &group;
  }

  // Keras keeps depthwise kernels as [k, k, channels, multiplier]. All throw Error, naming the layer, for
  // weights that are missing or have another rank.
  [[nodiscard]] op::Convolution Convolution() const;
  [[nodiscard]] op::Depthwise Depthwise() const;
  [[nodiscard]] op::Dense Dense() const;
  [[nodiscard]] op::Norm Norm() const;
  [[nodiscard]] std::vector<float> Values(std::string_view name) const;  // of whatever shape

 private:
  [[nodiscard]] const Tensor& Weight(std::string_view name) const;
  [[nodiscard]] const Tensor& Weight(std::string_view name, std::size_t rank) const;
  [[nodiscard]] std::vector<float> OptionalVector(std::string_view name) const;

  std::string file_;
  std::string layer_;
  const std::map<std::string, Tensor, std::less<>>* group_ = nullptr;
};

}  // namespace mobilenet
