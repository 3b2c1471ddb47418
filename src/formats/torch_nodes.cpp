#include "formats/torch_nodes.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "formats/transposed.h"
#include "network/kinds.h"

namespace mobilenet {
namespace {

// [a, b, rest] -> [b, a, rest].
std::vector<float> SwappedOuter(const std::vector<float>& values, std::size_t a, std::size_t b) {
  const std::size_t rest = values.size() / a / b;
  std::vector<float> swapped;
  swapped.reserve(values.size());
  for (std::size_t j = 0; j < b; ++j) {
    for (std::size_t i = 0; i < a; ++i) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>((i * b + j) * rest);
      swapped.insert(swapped.end(), begin, begin + static_cast<std::ptrdiff_t>(rest));
    }
  }
  return swapped;
}

// Channels out come first in PyTorch, then channels in, rows and columns; ours the other way around.
Tensor Turned(const Tensor& weight, std::vector<std::int64_t> shape) {
  const std::int64_t out = weight.shape[0];
  std::vector<float> values = Transposed(weight.values, out);
  if (weight.shape.size() == 4) {
    // [in, rows x columns, out] -> [rows x columns, in, out]
    const auto in = static_cast<std::size_t>(weight.shape[1]);
    const std::size_t taps = values.size() / in / static_cast<std::size_t>(out);
    if (in > 1 && taps > 1) values = SwappedOuter(values, in, taps);
  }
  return Tensor::Of(std::move(shape), std::move(values));
}

}  // namespace

TensorNodes::TensorNodes(const Safetensors& file, const TorchStyle& style) : file_(file), style_(style) {
  graph_.file = file.name;
}

void TensorNodes::Convolution(const std::string& name, const std::string& norm, int stride, bool activated) {
  const Tensor weight = Floats(name + ".weight", 4);
  const auto& shape = weight.shape;
  op::Convolution convolution;
  convolution.weight = Turned(weight, {shape[2], shape[3], shape[1], shape[0]});
  SetWindow(shape, stride, convolution);
  Append(name, "Conv2d", std::move(convolution));
  Finish(norm, activated);
}

void TensorNodes::Depthwise(const std::string& name, const std::string& norm, int stride, bool activated) {
  const Tensor weight = Floats(name + ".weight", 4);
  const auto& shape = weight.shape;
  if (shape[1] != 1)
    Fail(file_.name, ": the tensor ", name, ".weight has the shape ", ShapeText(shape),
         ", expected that of a depthwise convolution, [channels, 1, k, k]");
  op::Depthwise depthwise;
  depthwise.weight = Turned(weight, {shape[2], shape[3], shape[0]});
  SetWindow(shape, stride, depthwise);
  Append(name, "Conv2d", std::move(depthwise));
  Finish(norm, activated);
}

void TensorNodes::Biased(const std::string& name, bool activated) {
  const Tensor weight = Floats(name + ".weight", 4);
  const auto& shape = weight.shape;
  op::Convolution convolution;
  convolution.weight = Turned(weight, {shape[2], shape[3], shape[1], shape[0]});
  convolution.bias = Vector(name + ".bias");
  SetWindow(shape, 1, convolution);
  channels_ = shape[0];
  Append(name, "Conv2d", std::move(convolution));
  if (activated) Activate(name);
}

void TensorNodes::SqueezeExcite(const std::string& squeeze, const std::string& excite) {
  const Map input = map();
  const Activation before = style_.activation;
  graph_.Append({"the average before " + squeeze, "mean", squeeze + ".pool", {}, op::Average()});
  Use(Activation::kRelu);
  Biased(squeeze, true);
  Use(Activation::kHardSigmoid);
  Biased(excite, true);
  Use(before);
  graph_.Append({"the product behind " + excite,
                 "mul",
                 excite + ".scale",
                 {input.node, graph_.output},
                 op::Multiply()});
}

void TensorNodes::Skip(const Map& from, const std::string& name) {
  if (from.channels != channels_) return;
  graph_.Append({"the sum behind " + name, "add", name + ".add", {graph_.output, from.node}, op::Add()});
}

void TensorNodes::Block(const BlockNames& names, int stride) {
  const Map input = map();
  if (!names.expand.empty()) Convolution(names.expand, names.expand_norm, 1, true);
  Depthwise(names.depthwise, names.depthwise_norm, stride, true);
  Convolution(names.project, names.project_norm, 1, false);
  if (stride == 1) Skip(input, names.project);
}

void TensorNodes::Average() { graph_.Append({"the average", "mean", "pool", {}, op::Average()}); }

void TensorNodes::Classifier(const std::string& name) {
  if (Has(name + ".weight")) Dense(name);
}

void TensorNodes::Hidden(const std::string& name) {
  Dense(name);
  Activate(name);
}

void TensorNodes::Dense(const std::string& name) {
  const Tensor weight = Floats(name + ".weight", 2);
  Append(name, "Linear",
         op::Dense{Turned(weight, {weight.shape[1], weight.shape[0]}), Vector(name + ".bias")});
}

void TensorNodes::CheckWindows(std::int64_t side, std::string_view whose) const {
  for (const std::string& name : used_) {
    const auto& shape = file_.entries.find(name)->second.shape;
    if (shape.size() == 4 && shape[2] != 1 && shape[2] != side)
      Fail(file_.name, ": the tensor ", name, " is a window of ", shape[2], " x ", shape[3], ", expected ",
           side, " x ", side, " as in ", whose);
  }
}

Graph TensorNodes::Take(std::string_view whose) {
  for (const auto& [name, entry] : file_.entries) {
    if (!used_.contains(name) && !name.ends_with(".num_batches_tracked"))
      Fail(file_.name, ": the tensor ", name, " belongs to no layer of ", whose);
  }
  return std::move(graph_);
}

Tensor TensorNodes::Floats(const std::string& name, std::size_t rank) {
  if (!file_.entries.contains(name)) Fail(file_.name, ": the tensor ", name, " is missing");
  used_.insert(name);
  Tensor tensor = file_.Floats(name);
  if (tensor.shape.size() != rank || std::ranges::count(tensor.shape, 0) > 0)
    Fail(file_.name, ": the tensor ", name, " has the shape ", ShapeText(tensor.shape), ", expected ", rank,
         " dimensions from 1");
  return tensor;
}

std::vector<float> TensorNodes::Vector(const std::string& name) {
  const Tensor tensor = Floats(name, 1);
  return {tensor.values.begin(), tensor.values.end()};
}

void TensorNodes::SetWindow(const std::vector<std::int64_t>& shape, int stride, op::Window& window) const {
  window.stride = stride;
  if (style_.padded_same) return;
  const int rows = static_cast<int>(std::min<std::int64_t>(shape[2], kMostWindow) / 2);
  const int columns = static_cast<int>(std::min<std::int64_t>(shape[3], kMostWindow) / 2);
  window.padding = {rows, rows, columns, columns};
}

void TensorNodes::Append(const std::string& name, const char* type, op::Any operation) {
  graph_.Append({"the layer " + name, type, name, {}, std::move(operation)});
}

void TensorNodes::Finish(const std::string& norm, bool activated) {
  op::Norm node = {Vector(norm + ".weight"), Vector(norm + ".bias"), Vector(norm + ".running_mean"),
                   Vector(norm + ".running_var"), style_.epsilon};
  channels_ = static_cast<std::int64_t>(node.mean.size());
  Append(norm, "BatchNorm2d", std::move(node));
  if (activated) Activate(norm);
}

// Behind the layer of that name.
void TensorNodes::Activate(const std::string& name) {
  Append(name + ".activation", std::string(NameOf(style_.activation)).c_str(),
         op::Activate{style_.activation});
}

}  // namespace mobilenet
