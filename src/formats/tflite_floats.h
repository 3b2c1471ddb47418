// The values of TensorFlow Lite's constant tensors, whatever they are stored in, as float32.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "formats/tflite_generated.h"

namespace mobilenet {

// Tensor types of the format: of weights, maps and lists of numbers.
constexpr int kTfliteFloat32 = 0;
constexpr int kTfliteFloat16 = 1;
constexpr int kTfliteInt32 = 2;
constexpr int kTfliteUint8 = 3;
constexpr int kTfliteInt16 = 7;
constexpr int kTfliteInt8 = 9;

// Bytes that a value of the type takes; 0 for types that no weight has.
std::size_t BytesOfTfliteValue(int type);

// The values of `bytes`, one for each of the shape's: integers are scale * (value - zero point), with one of
// each for the whole tensor or for each index of one dimension. Nothing where these don't fit the shape.
std::optional<std::vector<float>> FloatsOfTflite(const tflite::Tensor& tensor,
                                                 const std::vector<std::int64_t>& shape,
                                                 std::span<const std::uint8_t> bytes);

}  // namespace mobilenet
