#include "network/builder.h"

#include <utility>

#include "network/kinds.h"
#include "network/shapes.h"

namespace mobilenet {

Builder::Builder(const Shape& input, const LayerStyle& style) : style_(style) {
  constexpr int kPaperOutputStride = 32;
  for (int s = style.output_stride; s < kPaperOutputStride; s *= 2) ++strides_to_drop_;
  network_.input = input;
}

Layer Builder::Next(const std::string& name, LayerKind kind, int channels) const {
  Layer layer;
  layer.name = name;
  layer.kind = kind;
  layer.inputs = {last()};
  layer.input = shape();
  layer.output.channels = channels;
  return layer;
}

void Builder::Convolution(const std::string& name, LayerKind kind, int kernel, int stride, int channels,
                          Activation activation) {
  Layer layer = Next(name, kind, channels);
  layer.kernel = kernel;
  layer.stride = stride;
  layer.batch_norm = style_.batch_norm;
  layer.bias = !style_.batch_norm;
  layer.epsilon = style_.epsilon;
  layer.activation = activation;
  PlaceWindow(style_.padding, layer);
  network_.layers.push_back(std::move(layer));
}

void Builder::Add(const std::string& name, int other) {
  Layer layer = Next(name, LayerKind::kAdd, shape().channels);
  layer.inputs.push_back(other);
  layer.output = layer.input;
  network_.layers.push_back(std::move(layer));
}

void Builder::Scale(const std::string& name, int map) {
  Layer layer = Next(name, LayerKind::kScale, shape().channels);
  layer.inputs.insert(layer.inputs.begin(), map);
  layer.input = layer.output = network_.layers[static_cast<std::size_t>(map)].output;
  network_.layers.push_back(std::move(layer));
}

void Builder::Pool(const std::string& name) {
  Layer layer = Next(name, LayerKind::kGlobalAveragePool, shape().channels);
  layer.output = OutputOf(layer);
  network_.layers.push_back(std::move(layer));
}

void Builder::Classifier(int classes) { Dense("classifier", classes, Activation::kNone); }

void Builder::Dense(const std::string& name, int channels, Activation activation) {
  Layer layer = Next(name, LayerKind::kFullyConnected, channels);
  layer.output = OutputOf(layer);
  layer.bias = true;
  layer.activation = activation;
  network_.layers.push_back(std::move(layer));
}

int Builder::StrideFor(int stride) {
  if (stride == 1 || strides_to_drop_ == 0) return stride;
  --strides_to_drop_;
  return 1;
}

Network Builder::Take(const Recipe& recipe) {
  network_.recipe = recipe;
  return std::move(network_);
}

}  // namespace mobilenet
