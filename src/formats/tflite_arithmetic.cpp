// TensorFlow Lite's arithmetic by elements: sums of two maps; constants right behind the input, which become
// the preprocessing; and softmaxes that are written as their parts.
#include <algorithm>

#include "formats/batch_norms.h"
#include "formats/pixel_scaling.h"
#include "formats/tflite_names.h"
#include "formats/tflite_operators.h"
#include "formats/tflite_reader.h"

namespace mobilenet {

// ADD, SUB, MUL, DIV.
void TfliteReader::AddElements() {
  if (AddPart()) return;
  const bool constant_first = IsConstant(InputOf(0));
  const bool constant_last = IsConstant(InputOf(1));
  if (constant_first && constant_last) Bad("computes with constants alone, expected a map");
  if (constant_first || constant_last) return Rescale(constant_first ? 1 : 0);
  if (code_ != tflite_operator::kAdd && code_ != tflite_operator::kMul) Bad("is none that is read");
  Append(code_ == tflite_operator::kAdd ? op::Any(op::Add()) : op::Any(op::Multiply()), {Input(0), Input(1)},
         FusedActivation());
}

int TfliteReader::FusedActivation() const {
  const auto of = [](const auto* options) -> int {
    return options == nullptr ? 0 : options->fused_activation();
  };
  switch (code_) {
    case tflite_operator::kAdd:
      return of(op_->options_as_AddOptions());
    case tflite_operator::kSub:
      return of(op_->options_as_SubOptions());
    case tflite_operator::kMul:
      return of(op_->options_as_MulOptions());
    default:
      return of(op_->options_as_DivOptions());
  }
}

// One number, or one for each of three channels.
std::array<double, 3> TfliteReader::ByChannel(Number constant) {
  const auto [shape, values] = Floats(constant);
  const bool by_channel = values.size() == 3 && network_.channels == 3 && shape.back() == 3;
  if (values.size() != 1 && !by_channel)
    Bad("has a constant of shape ", ShapeText(shape), ", expected one number, or one for each channel");
  const auto at = [&values = values](std::size_t c) -> double { return values[values.size() == 1 ? 0 : c]; };
  return {at(0), at(1), at(2)};
}

// By the operator's constant, what became of the input so far, which no node does before others read it.
void TfliteReader::Rescale(Number map) {
  const int tensor = InputOf(map);
  const auto before = rescaled_.find(tensor);
  if (before == rescaled_.end() && Input(map) != kNetworkInput) return RescaleWithin(map);
  if (FusedActivation() != 0) Bad("scales or shifts the input and has an activation, expected none");
  op::Rescale sum = before == rescaled_.end() ? op::Rescale() : before->second;
  const bool constant_first = map == 1;
  const std::array<double, 3> values = ByChannel(1 - map);
  for (std::size_t c = 0; c < values.size(); ++c)
    ApplyTo(sum.scale[c], sum.offset[c], values[c], constant_first);
  rescaled_[OutputOf()] = sum;
}

// A part of a hard-swish or a hard-sigmoid, or where channels have numbers of their own, of a batch norm.
void TfliteReader::RescaleWithin(Number map) {
  const auto [shape, values] = Floats(1 - map);
  if (values.size() > 1) return NormaliseWithin(map, shape, values);
  op::Rescale rescale;
  const std::array<double, 3> numbers = ByChannel(1 - map);
  for (std::size_t c = 0; c < numbers.size(); ++c)
    ApplyTo(rescale.scale[c], rescale.offset[c], numbers[c], map == 1);
  Append(rescale, {Input(map)}, FusedActivation());
}

void TfliteReader::NormaliseWithin(Number map, const Shape64& shape, std::span<const float> values) {
  if (shape.back() != std::ssize(values))
    Bad("has a constant of shape ", ShapeText(shape), ", expected one number, or one for each channel");
  ChannelAffine affine = {std::vector(values.size(), 1.0), std::vector(values.size(), 0.0)};
  for (std::size_t c = 0; c < values.size(); ++c)
    ApplyTo(affine.scale[c], affine.offset[c], values[c], map == 1);
  Append(NormOf(affine), {Input(map)}, FusedActivation());
}

void TfliteReader::ApplyTo(double& scale, double& offset, double value, bool constant_first) const {
  switch (code_) {
    case tflite_operator::kAdd:
      offset += value;
      return;
    case tflite_operator::kSub:
      scale *= constant_first ? -1 : 1;
      offset = constant_first ? value - offset : offset - value;
      return;
    case tflite_operator::kMul:
      scale *= value;
      offset *= value;
      return;
    default:
      if (constant_first) Bad("divides a constant by the input, which is not read");
      scale /= value;
      offset /= value;
  }
}

void TfliteReader::AddRescale(int tensor) {
  PixelScaling scaling = ScalingOfPixels(rescaled_.at(tensor));
  network_.provenance["preprocessing"] = std::move(scaling.note);
  WriterOf(tensor) = network_.Append({"the scaling of the input", "", "", {kNetworkInput}, scaling.rescale});
}

// exp(x) / sum(exp(x)), or the same of x - max(x), which can't overflow.
bool TfliteReader::AddPart() {
  const int a = InputOf(0);
  const int b = InputOf(1);
  if (code_ == tflite_operator::kSub && IsPart(b, Part::kMaximum) && parts_.at(b).tensor == a) {
    Note(Part::kCentred, a);
    return true;
  }
  const bool quotient = code_ == tflite_operator::kDiv && IsPart(b, Part::kSum) && parts_.at(b).tensor == a;
  if (quotient) Append(op::Softmax(), {WriterOf(parts_.at(a).tensor)});
  return quotient;
}

void TfliteReader::Note(Part part, int tensor) { parts_[OutputOf()] = {part, tensor}; }

bool TfliteReader::IsPart(int tensor, Part part) const {
  const auto found = parts_.find(tensor);
  return found != parts_.end() && found->second.part == part;
}

// Of the channels, as in a softmax.
void TfliteReader::CheckLastAxis() const {
  const auto rank = static_cast<int>(ShapeOf(TensorAt(InputOf(0))).size());
  const int axis = Integers(1, 1)[0];
  if (axis != -1 && axis != rank - 1)
    Bad("works along the axis ", axis, ", expected the last, as a softmax does");
}

void TfliteReader::AddMaximum() {
  Input(0);
  CheckLastAxis();
  Note(Part::kMaximum, InputOf(0));
}

void TfliteReader::AddExponential() {
  const int from = InputOf(0);
  if (IsPart(from, Part::kCentred)) return Note(Part::kExponential, parts_.at(from).tensor);
  Input(0);
  Note(Part::kExponential, from);
}

void TfliteReader::AddSumOfExponentials() {
  if (!IsPart(InputOf(0), Part::kExponential)) Bad("sums up a map, expected the exponentials of a softmax");
  CheckLastAxis();
  Note(Part::kSum, InputOf(0));
}

}  // namespace mobilenet
