#include "formats/tflite_floats.h"

#include <cmath>
#include <cstring>

#include "base/float16.h"

namespace mobilenet {
namespace {

std::vector<float> Copied(std::span<const std::uint8_t> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

std::vector<float> Widened(std::span<const std::uint8_t> bytes) {
  std::vector<float> values;
  values.reserve(bytes.size() / 2);
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    values.push_back(FromF16(static_cast<std::uint16_t>(bytes[i] | bytes[i + 1] << 8)));
  return values;
}

// Scales and zero points, and how the values run through them.
struct Steps {
  std::vector<float> scales;
  std::vector<double> zeros;
  std::size_t run = 1;  // of values that have the same

  [[nodiscard]] std::size_t at(std::size_t value) const { return value / run % scales.size(); }
};

std::optional<Steps> StepsOf(const tflite::Quantization* q, const std::vector<std::int64_t>& shape) {
  if (q == nullptr || q->scale() == nullptr || q->scale()->size() == 0) return std::nullopt;
  Steps steps = {{q->scale()->begin(), q->scale()->end()}, {}};
  if (q->zero_point() != nullptr) steps.zeros.assign(q->zero_point()->begin(), q->zero_point()->end());
  if (steps.zeros.empty()) steps.zeros.resize(steps.scales.size());
  for (const float scale : steps.scales) {
    if (!std::isfinite(scale) || scale <= 0) return std::nullopt;
  }
  if (steps.zeros.size() != steps.scales.size()) return std::nullopt;
  if (steps.scales.size() == 1) return steps;
  const int dimension = q->quantized_dimension();
  if (dimension < 0 || static_cast<std::size_t>(dimension) >= shape.size()) return std::nullopt;
  const auto along = static_cast<std::size_t>(dimension);
  if (steps.scales.size() != static_cast<std::size_t>(shape[along])) return std::nullopt;
  for (std::size_t i = along + 1; i < shape.size(); ++i) steps.run *= static_cast<std::size_t>(shape[i]);
  return steps;
}

}  // namespace

std::size_t BytesOfTfliteValue(int type) {
  switch (type) {
    case kTfliteFloat32:
      return 4;
    case kTfliteFloat16:
      return 2;
    case kTfliteUint8:
    case kTfliteInt8:
      return 1;
    default:
      return 0;
  }
}

std::optional<std::vector<float>> FloatsOfTflite(const tflite::Tensor& tensor,
                                                 const std::vector<std::int64_t>& shape,
                                                 std::span<const std::uint8_t> bytes) {
  if (tensor.type() == kTfliteFloat32) return Copied(bytes);
  if (tensor.type() == kTfliteFloat16) return Widened(bytes);
  const std::optional<Steps> steps = StepsOf(tensor.quantization(), shape);
  if (!steps) return std::nullopt;
  std::vector<float> values(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int number = tensor.type() == kTfliteInt8 ? static_cast<std::int8_t>(bytes[i]) : bytes[i];
    const std::size_t step = steps->at(i);
    values[i] = steps->scales[step] * static_cast<float>(number - steps->zeros[step]);
  }
  return values;
}

}  // namespace mobilenet
