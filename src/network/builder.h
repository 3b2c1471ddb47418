// Writing down layers one after the other, as all recipes do.
#pragma once

#include <string>

#include "mobilenet/network.h"

namespace mobilenet {

// What the layers of one network have in common.
struct LayerStyle {
  PaddingStyle padding;
  bool batch_norm;
  float epsilon;
  int output_stride;  // that of the paper is 32; smaller ones drop strides, the earliest first
};

template <typename Options>
LayerStyle StyleOf(const Options& o) {
  return {o.padding, o.batch_norm, o.epsilon, o.output_stride};
}

// Appends layers to a network, each reading the one before it unless said otherwise.
class Builder {
 public:
  Builder(const Shape& input, const LayerStyle& style);

  // With batch norm, or a bias in its place. A depthwise layer keeps its channels.
  void Convolution(const std::string& name, LayerKind kind, int kernel, int stride, int channels,
                   Activation activation);
  // The sum of the last map and that of layer `other`.
  void Add(const std::string& name, int other);
  // The layer `map` times the last one, which is of 1 x 1.
  void Scale(const std::string& name, int map);
  void Pool(const std::string& name = "pool");
  // Fully connected, with a bias and no batch norm.
  void Dense(const std::string& name, int channels, Activation activation);
  void Classifier(int classes);

  // The index of the last layer, or kNetworkInput, and the shape of its map.
  [[nodiscard]] int last() const { return static_cast<int>(network_.layers.size()) - 1; }
  [[nodiscard]] const Shape& shape() const {
    return network_.layers.empty() ? network_.input : network_.layers.back().output;
  }
  // Where a stride is dropped, this one is 1.
  [[nodiscard]] int StrideFor(int stride);

  Network Take(const Recipe& recipe);

 private:
  Layer Next(const std::string& name, LayerKind kind, int channels) const;

  LayerStyle style_;
  int strides_to_drop_ = 0;
  Network network_;
};

}  // namespace mobilenet
