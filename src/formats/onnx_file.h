// ONNX files as they are stored: messages, and the numbers of tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "formats/onnx.pb.h"

namespace mobilenet {

// The numbers of ONNX's tensor types.
namespace onnx_type {
constexpr int kFloat32 = 1;
constexpr int kUint8 = 2;
constexpr int kInt32 = 6;
constexpr int kInt64 = 7;
constexpr int kBool = 9;
constexpr int kFloat16 = 10;
constexpr int kFloat64 = 11;
constexpr int kBfloat16 = 16;
}  // namespace onnx_type

// The messages in the bytes. Throws Error where they are damaged, or so many that they would take much more
// memory than the file.
onnx::Model ParseOnnx(std::span<const std::uint8_t> bytes, std::string_view file);

// Among the integers of a shape: whatever fits, as the size of a batch.
constexpr std::int64_t kAnything = std::numeric_limits<std::int64_t>::min();

// A constant: the values of a tensor in the file, seen through strides, or integers that shape arithmetic
// made.
struct OnnxConstant {
  std::vector<std::int64_t> shape;
  const onnx::Tensor* tensor = nullptr;
  std::vector<std::int64_t> strides = {};   // in values, of the tensor
  std::vector<std::int64_t> integers = {};  // where there is no tensor

  [[nodiscard]] std::int64_t size() const;
};

// The numbers of tensors, in the file or in files beside it. Throws Error, without saying where, for all that
// does not hold together, and where tensors are read so often that they take much more memory than the files.
class OnnxTensors {
 public:
  OnnxTensors(std::size_t file_size, const std::filesystem::path* folder);

  // The tensor as a constant.
  static OnnxConstant Whole(const onnx::Tensor& tensor);
  // How far apart the values along each axis are where they lie in order.
  static std::vector<std::int64_t> Strides(const std::vector<std::int64_t>& shape);

  // The constant's values as float32, its axes in another order: axis i of the result is axis order[i].
  std::vector<float> Floats(const OnnxConstant& constant, const std::vector<int>& order);
  // In the order that it has.
  std::vector<float> Floats(const OnnxConstant& constant);

  // The constant's values, which must be a few integers.
  std::vector<std::int64_t> Integers(const OnnxConstant& constant);

 private:
  std::span<const std::uint8_t> BytesOf(const onnx::Tensor& tensor);
  std::span<const std::uint8_t> External(const onnx::Tensor& tensor);
  std::span<const std::uint8_t> Opened(const std::string& location);
  void Spend(std::size_t bytes);

  const std::filesystem::path* folder_;
  std::map<std::string, SharedBytes, std::less<>> files_;  // beside the file, by name
  std::size_t budget_;                                     // bytes that may still be read
};

}  // namespace mobilenet
