// Tensors of a TensorFlow Lite file: shapes, names, and the values of constants.
#include <algorithm>
#include <cstring>

#include "formats/tflite_floats.h"
#include "formats/tflite_names.h"
#include "formats/tflite_reader.h"

namespace mobilenet {

// The i-th entry of a list of tensor indices, checked.
int TfliteReader::Index(const flatbuffers::Vector<std::int32_t>* list, Number i, const char* what) const {
  if (list == nullptr || list->size() <= i) Bad("lacks its ", what, " ", i);
  const int index = list->Get(i);
  if (index < 0 || static_cast<std::size_t>(index) >= graph_->tensors()->size()) {
    Bad("names tensor ", index, " as its ", what, ", expected 0 to ", graph_->tensors()->size() - 1);
  }
  return index;
}

const tflite::Tensor& TfliteReader::TensorAt(int index) const {
  return *graph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

int TfliteReader::InputOf(Number number) const { return Index(op_->inputs(), number, "input"); }

int TfliteReader::OutputOf() const { return Index(op_->outputs(), 0, "output"); }

// The node whose output the tensor is.
int& TfliteReader::WriterOf(int tensor) { return writers_[static_cast<std::size_t>(tensor)]; }

bool TfliteReader::IsWritten(int tensor) const {
  return writers_[static_cast<std::size_t>(tensor)] != kNobody || rescaled_.contains(tensor) ||
         parts_.contains(tensor);
}

// Whether there are values in the file.
bool TfliteReader::IsConstant(int tensor) const {
  if (IsWritten(tensor)) return false;
  return constants_[static_cast<std::size_t>(tensor)] != kNobody || !BytesOf(TensorAt(tensor)).empty();
}

TfliteReader::Shape64 TfliteReader::ShapeOf(const tflite::Tensor& tensor) const {
  Shape64 shape;
  if (tensor.shape() != nullptr) shape.assign(tensor.shape()->begin(), tensor.shape()->end());
  for (const std::int64_t n : shape) {
    if (n < 1) Bad("has a tensor of shape ", ShapeText(shape), ", expected sizes from 1");
  }
  return shape;
}

// Where sizes may be any, the file's shapes hold 1 in their place. The batch is one image here in any case.
bool TfliteReader::AnySize(const tflite::Tensor& tensor) {
  const auto* signature = tensor.shape_signature();
  return signature != nullptr && signature->size() > 0 &&
         std::any_of(signature->begin() + 1, signature->end(), [](int n) { return n < 0; });
}

// A converter names a tensor after all that became one operator, with ; in between.
std::string TfliteReader::NameOfOutput() const {
  const auto* name = TensorAt(OutputOf()).name();
  const std::string text = name == nullptr ? "" : name->str();
  return text.substr(0, text.find(';'));
}

// The bytes of a constant tensor.
std::span<const std::uint8_t> TfliteReader::BytesOf(const tflite::Tensor& tensor) const {
  if (tensor.sparsity() != nullptr) Bad("has sparse weights, expected whole ones");
  if (tensor.buffer() >= model_.buffers()->size())
    Bad("names buffer ", tensor.buffer(), " of ", model_.buffers()->size());
  const auto* data = model_.buffers()->Get(tensor.buffer())->data();
  if (data == nullptr) return {};
  return {data->data(), data->size()};
}

// How many values a tensor has, which its bytes must be enough for.
std::size_t TfliteReader::CountOf(const Shape64& shape, std::size_t bytes, std::size_t bytes_each) const {
  std::size_t count = 1;
  for (const std::int64_t n : shape) {
    if (count > bytes / static_cast<std::size_t>(n))
      Bad("has a weight of shape ", ShapeText(shape), " in ", bytes, " bytes");
    count *= static_cast<std::size_t>(n);
  }
  if (count * bytes_each != bytes)
    Bad("has a weight of ", bytes, " bytes, expected ", count * bytes_each, " for ", ShapeText(shape));
  return count;
}

// The values of a constant tensor.
std::pair<TfliteReader::Shape64, std::vector<float>> TfliteReader::Floats(Number input) {
  const int index = InputOf(input);
  const int source = constants_[static_cast<std::size_t>(index)];
  const tflite::Tensor& tensor = TensorAt(source == kNobody ? index : source);
  const std::size_t bytes_each = BytesOfTfliteValue(tensor.type());
  if (bytes_each == 0)
    Bad("has weights of ", NameOfTfliteType(tensor.type()), ", expected float32, float16 or int8");
  auto shape = ShapeOf(tensor);
  const auto bytes = BytesOf(tensor);
  const std::size_t count = CountOf(shape, bytes.size(), bytes_each);
  if (count > values_left_) Bad("is one of too many that have the same weights");
  values_left_ -= count;
  auto values = FloatsOfTflite(tensor, shape, bytes);
  if (!values)
    Bad("has weights of ", NameOfTfliteType(tensor.type()), " whose scales don't fit ", ShapeText(shape));
  NoteWeights(tensor.type());
  return {std::move(shape), *std::move(values)};
}

// The same, where the shape must have `rank` dimensions.
std::pair<TfliteReader::Shape64, std::vector<float>> TfliteReader::Floats(Number input, std::size_t rank) {
  auto floats = Floats(input);
  if (floats.first.size() != rank)
    Bad("has a weight of shape ", ShapeText(floats.first), ", expected ", rank, " dimensions");
  return floats;
}

void TfliteReader::NoteWeights(int type) {
  if (type == kTfliteFloat32) return;
  const bool half = type == kTfliteFloat16;
  network_.provenance["weights"] =
      half ? "float16 in the file"
           : NameOfTfliteType(type) +
                 " in the file (dynamic range): TensorFlow Lite rounds what they multiply, too, and answers "
                 "a little differently";
}

// The int32 values of a constant tensor.
std::vector<std::int32_t> TfliteReader::Integers(Number input, std::size_t count) const {
  const tflite::Tensor& tensor = TensorAt(InputOf(input));
  if (tensor.type() != kTfliteInt32)
    Bad("has a parameter of ", NameOfTfliteType(tensor.type()), ", expected int32");
  const auto bytes = BytesOf(tensor);
  if (bytes.size() != count * sizeof(std::int32_t))
    Bad("has a parameter of ", bytes.size(), " bytes, expected ", count * sizeof(std::int32_t));
  std::vector<std::int32_t> values(count);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::vector<float> TfliteReader::BiasOf() {
  if (op_->inputs()->size() < 3 || op_->inputs()->Get(2) < 0) return {};
  return Floats(2, 1).second;
}

}  // namespace mobilenet
