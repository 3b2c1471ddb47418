// ONNX's additions, multiplications and their like: sums of two maps; constants, which become a part of the
// layer before them or of the preprocessing; and shapes.
#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "formats/batch_norms.h"
#include "formats/onnx_reader.h"
#include "formats/pixel_scaling.h"

namespace mobilenet {
namespace {

// a[i] by operation with b[i], where one number stands for as many as the other has.
template <typename T, typename Operation>
std::vector<T> Elementwise(const std::vector<T>& a, const std::vector<T>& b, const Operation& operation) {
  std::vector<T> result(a.size() == 1 ? b.size() : a.size());
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = operation(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
  return result;
}

double At(const std::vector<double>& values, std::size_t channel) {
  return values[values.size() == 1 ? 0 : channel];
}

}  // namespace

void OnnxReader::AddElements() {
  if (node_->input_size() != 2) Bad("reads ", node_->input_size(), " values, expected two");
  const Value a = ValueAt(0);
  const Value b = ValueAt(1);
  const bool constant_first = std::holds_alternative<Constant>(a);
  const bool constant_last = std::holds_alternative<Constant>(b);
  if (constant_first && constant_last) return ComputeShape(std::get<Constant>(a), std::get<Constant>(b));
  const Map map = MapAt(constant_first ? 1 : 0);
  if (!constant_first && !constant_last) return AddMaps(map, MapAt(1));
  Rescale(map, AffineOf(map, constant_first, std::get<Constant>(constant_first ? a : b)));
}

void OnnxReader::AddMaps(const Map& a, const Map& b) {
  if (type_ == "Mul") return MultiplyMaps(a, b);
  if (type_ != "Add" && type_ != "Sum")
    Bad("works on two maps, expected a constant, an addition or a multiplication");
  const auto alike = [&](Axis x, Axis y) {
    const auto one = [](const Map& map, Axis axis) {
      return axis == Axis::kOne || (map.shape.height == 1 && map.shape.width == 1 && axis != Axis::kBatch &&
                                    axis != Axis::kChannels);
    };
    return x == y || (one(a, x) && one(b, y));
  };
  if (!std::ranges::equal(a.axes, b.axes, alike))
    Bad("adds a map of ", TextOf(a), " and one of ", TextOf(b), ", expected the same axes");
  Append(op::Add(), {a, b}, a);
}

// Of the same size, or one of them of a pixel: a gate for each channel.
void OnnxReader::MultiplyMaps(const Map& a, const Map& b) {
  const auto pixel = [](const Map& map) { return map.shape.height == 1 && map.shape.width == 1; };
  const bool gate_first = pixel(a) && !pixel(b);
  const Map& map = gate_first ? b : a;
  const Map& by = gate_first ? a : b;
  const auto alike = [&](Axis x, Axis y) { return x == y || (pixel(by) && y == Axis::kOne); };
  if (!std::ranges::equal(map.axes, by.axes, alike))
    Bad("multiplies a map of ", TextOf(a), " and one of ", TextOf(b), ", expected the same axes");
  Append(op::Multiply(), {a, b}, map);
}

// The constant's values for the map's channels: one for all, or one each.
std::vector<double> OnnxReader::ByChannel(const Map& map, const Constant& constant) {
  const std::size_t rank = map.axes.size();
  bool fits = constant.shape.size() <= rank;
  for (std::size_t i = 0; fits && i < constant.shape.size(); ++i) {
    const std::int64_t n = constant.shape[i];
    const Axis axis = map.axes[rank - constant.shape.size() + i];
    fits =
        n == 1 || (axis == Axis::kChannels && (map.shape.channels == 0 ? n == 3 : n == map.shape.channels));
  }
  if (!fits)
    Bad("has a constant of shape ", ShapeText(constant.shape), " for a map of ", TextOf(map),
        ", expected one number, or one for each channel");
  const std::vector<float> values = OrBad([&] { return tensors_.Floats(constant); });
  return {values.begin(), values.end()};
}

OnnxReader::Affine OnnxReader::AffineOf(const Map& map, bool constant_first, const Constant& constant) {
  std::vector<double> values = ByChannel(map, constant);
  if (type_ == "Mul") return {.scale = values};
  if (type_ == "Div") {
    if (constant_first) Bad("divides a constant by a map, which is not read");
    for (double& value : values) value = 1 / value;
    return {.scale = values};
  }
  if (type_ == "Sub" && constant_first) return {.scale = {-1.0}, .shift = values};
  if (type_ == "Sub") std::ranges::transform(values, values.begin(), std::negate<>());
  return {.shift = values};
}

bool OnnxReader::IsLinear(int node) const {
  const op::Any& operation = graph_.nodes[static_cast<std::size_t>(node)].operation;
  return std::holds_alternative<op::Convolution>(operation) ||
         std::holds_alternative<op::Depthwise>(operation) || std::holds_alternative<op::Dense>(operation) ||
         std::holds_alternative<op::Norm>(operation);
}

// As a node of its own: perhaps a part of a hard-swish, or a batch norm before the layer that takes it in.
void OnnxReader::PassOn(const Map& map, const Affine& affine) {
  if (affine.scale.size() == 1 && affine.shift.size() == 1) {
    const double scale = affine.scale.front();
    const double shift = affine.shift.front();
    return Append(op::Rescale{{scale, scale, scale}, {shift, shift, shift}}, {map}, map);
  }
  ChannelAffine channels;
  for (std::size_t c = 0; c < static_cast<std::size_t>(map.shape.channels); ++c) {
    channels.scale.push_back(At(affine.scale, c));
    channels.offset.push_back(At(affine.shift, c));
  }
  Append(NormOf(channels), {map}, map);
}

// Becomes a part of what made the map, once all is read: weights are multiplied once.
void OnnxReader::Rescale(const Map& map, const Affine& affine) {
  constexpr int kMostSteps = 16;  // each of which costs as many values as the layer has channels
  const auto all = [](const std::vector<double>& values, double n) {
    return std::ranges::count(values, n) == std::ssize(values);
  };
  if (all(affine.scale, 1) && all(affine.shift, 0)) return Set(map);
  if (map.node == kNetworkInput && !map.sole) Bad("changes a map that others read as it is");
  if (map.node != kNetworkInput && (!map.sole || !IsLinear(map.node))) return PassOn(map, affine);
  Affine& sum = affines_[map.node];
  if (++sum.steps > kMostSteps) Bad("is one of more than ", kMostSteps, " that scale or shift the same map");
  sum.scale = Elementwise(sum.scale, affine.scale, std::multiplies<>());
  sum.shift =
      Elementwise(Elementwise(sum.shift, affine.scale, std::multiplies<>()), affine.shift, std::plus<>());
  Set(map);
}

// Of the same number of integers, or one and many.
void OnnxReader::ComputeShape(const Constant& a, const Constant& b) {
  if (a.tensor != nullptr && b.tensor != nullptr && a.tensor->data_type() == onnx_type::kFloat32)
    Bad("computes with constants alone, expected an export with its constants folded");
  const auto x = OrBad([&] { return tensors_.Integers(a); });
  const auto y = OrBad([&] { return tensors_.Integers(b); });
  if (x.size() != y.size() && x.size() != 1 && y.size() != 1)
    Bad("works on ", x.size(), " and ", y.size(), " integers, expected as many");
  Constant result = ListOf(Elementwise(x, y, [&](std::int64_t m, std::int64_t n) -> std::int64_t {
    if (m == kAnything || n == kAnything) return kAnything;
    std::int64_t value = 0;
    const bool wrong = type_ == "Mul"   ? __builtin_mul_overflow(m, n, &value)
                       : type_ == "Sub" ? __builtin_sub_overflow(m, n, &value)
                       : type_ == "Div" ? n == 0 || n == -1
                                        : __builtin_add_overflow(m, n, &value);
    if (wrong) Bad("computes with ", m, " and ", n, ", which is no shape");
    return type_ == "Div" ? m / n : value;
  }));
  result.shape = a.shape.size() < b.shape.size() ? b.shape : a.shape;
  Set(std::move(result));
}

// What the file does to its input is our preprocessing.
void OnnxReader::AddInputRescale() {
  const Affine& affine = affines_.at(kNetworkInput);
  op::Rescale files;
  for (std::size_t c = 0; c < files.scale.size(); ++c) {
    files.scale[c] = At(affine.scale, c);
    files.offset[c] = At(affine.shift, c);
  }
  const PixelScaling scaling = ScalingOfPixels(files);
  graph_.provenance["preprocessing"] = scaling.note;
  rescaled_ = graph_.Append({"the scaling of the input", "", "", {kNetworkInput}, scaling.rescale});
}

namespace {

void Multiply(const std::vector<double>& scale, Tensor& weight) {
  std::vector<float> values(weight.values.begin(), weight.values.end());
  const auto channels = static_cast<std::size_t>(weight.shape.back());
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(values[i] * At(scale, i % channels));
  weight = Tensor::Of(weight.shape, std::move(values));
}

// values * scale + shift, of as many channels; of zeros where there are no values.
void Move(const std::vector<double>& scale, const std::vector<double>& shift, std::size_t channels,
          std::vector<float>& values) {
  if (values.empty()) values.resize(channels);
  for (std::size_t c = 0; c < values.size(); ++c)
    values[c] = static_cast<float>(values[c] * At(scale, c) + At(shift, c));
}

}  // namespace

// The output channels are the last axis of each weight.
void OnnxReader::ApplyAffines() {
  for (const auto& [node, affine] : affines_) {
    if (node == kNetworkInput) continue;
    const auto apply = [&scale = affine.scale, &shift = affine.shift](auto& operation) {
      using Operation = std::decay_t<decltype(operation)>;
      if constexpr (std::is_same_v<Operation, op::Norm>) {
        if (operation.gamma.empty()) operation.gamma.assign(operation.mean.size(), 1.0F);
        Move(scale, {0.0}, operation.mean.size(), operation.gamma);
        Move(scale, shift, operation.mean.size(), operation.beta);
      } else if constexpr (requires { operation.weight; }) {
        const auto channels = static_cast<std::size_t>(operation.weight.shape.back());
        Multiply(scale, operation.weight);
        Move(scale, shift, channels, operation.bias);
      }
    };
    std::visit(apply, graph_.nodes[static_cast<std::size_t>(node)].operation);
  }
}

}  // namespace mobilenet
