// The numbers of an ONNX file's tensors.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <numeric>
#include <optional>

#include "base/bfloat16.h"
#include "base/fail.h"
#include "base/float16.h"
#include "formats/onnx_file.h"
#include "mobilenet/tensor.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMostRank = 8;
constexpr std::int64_t kMostIntegers = 64;  // in shapes, pads and axes
constexpr std::size_t kMostFiles = 64;      // beside the file
constexpr std::size_t kSpare = 1'000'000;   // bytes of constants that several nodes read

std::string NameOf(const onnx::Tensor& tensor) {
  return tensor.name().empty() ? "its constant" : Concat("the tensor ", tensor.name());
}

std::size_t SizeOfType(int type) {
  switch (type) {
    case onnx_type::kUint8:
    case onnx_type::kBool:
      return 1;
    case onnx_type::kFloat16:
    case onnx_type::kBfloat16:
      return 2;
    case onnx_type::kFloat32:
    case onnx_type::kInt32:
      return 4;
    case onnx_type::kInt64:
    case onnx_type::kFloat64:
      return 8;
    default:
      return 0;
  }
}

template <typename T>
Bytes BytesIn(const T& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(values[0])};
}

template <typename T>
T At(Bytes bytes, std::int64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

// Integers, and numbers of half precision by their bits, may stand one by one in varints.
template <typename T>
std::vector<T> Unpacked(std::string_view packed) {
  std::vector<T> values;
  values.reserve(static_cast<std::size_t>(std::ranges::count_if(packed, [](char c) { return c >= 0; })));
  std::uint64_t value = 0;
  int shift = 0;
  for (const char c : packed) {
    if (shift < 64) value |= static_cast<std::uint64_t>(c & 0x7F) << shift;
    shift = std::min(shift + 7, 64);
    if (c < 0) continue;
    values.push_back(static_cast<T>(value));
    value = 0;
    shift = 0;
  }
  return values;
}

// Copies values[sum of index x stride] in the order of the axes. `Read` makes a float of one.
template <typename Read>
void Gather(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
            const Read& read, std::vector<float>& result) {
  const std::size_t last = shape.size() - 1;
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t start = 0;
  for (std::size_t to = 0; to < result.size();) {
    for (std::int64_t i = 0; i < shape[last]; ++i) result[to++] = read(start + i * strides[last]);
    for (std::size_t axis = last; axis-- > 0;) {
      start += strides[axis];
      if (++index[axis] < shape[axis]) break;
      start -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

void GatherFloats(Bytes bytes, int type, const std::vector<std::int64_t>& shape,
                  const std::vector<std::int64_t>& strides, std::vector<float>& result) {
  const auto read = [&](auto convert) { Gather(shape, strides, convert, result); };
  if (type == onnx_type::kFloat32) read([&](std::int64_t i) { return At<float>(bytes, i); });
  if (type == onnx_type::kFloat16) read([&](std::int64_t i) { return FromF16(At<std::uint16_t>(bytes, i)); });
  if (type == onnx_type::kBfloat16)
    read([&](std::int64_t i) { return FromBf16(At<std::uint16_t>(bytes, i)); });
  if (type == onnx_type::kFloat64)
    read([&](std::int64_t i) { return static_cast<float>(At<double>(bytes, i)); });
}

std::vector<std::int64_t> ShapeOf(const onnx::Tensor& tensor) {
  return {tensor.dims().begin(), tensor.dims().end()};
}

std::size_t ValuesIn(const onnx::Tensor& tensor) {
  return static_cast<std::size_t>(OnnxConstant{.shape = ShapeOf(tensor)}.size());
}

[[noreturn]] void FailSize(const onnx::Tensor& tensor, std::size_t found, std::string_view what,
                           std::size_t expected) {
  Fail("reads ", NameOf(tensor), " of ", found, " ", what, ", expected ", expected, " for the shape ",
       ShapeText(ShapeOf(tensor)));
}

std::optional<std::uint64_t> NumberIn(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

std::string EntryOf(const onnx::Tensor& tensor, std::string_view key, std::string fallback) {
  for (const onnx::Entry& entry : tensor.external_data()) {
    if (entry.key() == key) return entry.value();
  }
  return fallback;
}

bool LiesIn(const fs::path& folder, const fs::path& path) {
  return std::ranges::mismatch(folder, path).in1 == folder.end();
}

}  // namespace

std::int64_t OnnxConstant::size() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

OnnxTensors::OnnxTensors(std::size_t file_size, const fs::path* folder)
    : folder_(folder), budget_(file_size + kSpare) {}

OnnxConstant OnnxTensors::Whole(const onnx::Tensor& tensor) {
  OnnxConstant constant = {ShapeOf(tensor), &tensor, {}, {}};
  const auto& shape = constant.shape;
  if (shape.size() > kMostRank)
    Fail("reads ", NameOf(tensor), " of ", shape.size(), " axes, expected at most ", kMostRank);
  std::int64_t count = 1;
  for (const std::int64_t n : shape) {
    if (n < 0 || (n > 0 && count > std::numeric_limits<int>::max() / n))
      Fail("reads ", NameOf(tensor), " of shape ", ShapeText(shape),
           ", expected sizes from 0 and below 2^31 values");
    count *= n;
  }
  constant.strides = Strides(shape);
  return constant;
}

std::vector<std::int64_t> OnnxTensors::Strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

std::vector<float> OnnxTensors::Floats(const OnnxConstant& constant) {
  std::vector<int> order(constant.shape.size());
  std::iota(order.begin(), order.end(), 0);
  return Floats(constant, order);
}

std::vector<float> OnnxTensors::Floats(const OnnxConstant& constant, const std::vector<int>& order) {
  if (constant.tensor == nullptr) Fail("reads a shape of the network as weights, expected constant ones");
  const onnx::Tensor& tensor = *constant.tensor;
  const int type = tensor.data_type();
  if (type != onnx_type::kFloat32 && type != onnx_type::kFloat16 && type != onnx_type::kBfloat16 &&
      type != onnx_type::kFloat64)
    Fail("reads ", NameOf(tensor), " of the type ", type, ", expected float32 (1) or float16 (10)");
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  for (const int axis : order) {
    shape.push_back(constant.shape[static_cast<std::size_t>(axis)]);
    strides.push_back(constant.strides[static_cast<std::size_t>(axis)]);
  }
  if (shape.empty()) {  // one number
    shape = {1};
    strides = {1};
  }
  const auto count = static_cast<std::size_t>(constant.size());
  if (count == 0)
    Fail("reads ", NameOf(tensor), " of shape ", ShapeText(constant.shape), ", expected values");
  const auto gather = [&](Bytes bytes) {
    std::vector<float> values(count);
    GatherFloats(bytes, type, shape, strides, values);
    return values;
  };
  if (tensor.int32_data().empty() || SizeOfType(type) != sizeof(std::uint16_t))
    return gather(BytesOf(tensor));
  Spend(tensor.int32_data().size());
  const auto halves = Unpacked<std::uint16_t>(tensor.int32_data());
  if (halves.size() != ValuesIn(tensor)) FailSize(tensor, halves.size(), "values", ValuesIn(tensor));
  return gather(BytesIn(halves));
}

std::vector<std::int64_t> OnnxTensors::Integers(const OnnxConstant& constant) {
  if (constant.tensor == nullptr) return constant.integers;
  const onnx::Tensor& tensor = *constant.tensor;
  const int type = tensor.data_type();
  if (type != onnx_type::kInt64 && type != onnx_type::kInt32 && type != onnx_type::kBool)
    Fail("reads ", NameOf(tensor), " of the type ", type, ", expected int64 (7) or int32 (6)");
  constexpr std::size_t kMostPacked = 10 * kMostIntegers;  // ten bytes hold any
  if (constant.size() > kMostIntegers || tensor.int32_data().size() > kMostPacked)
    Fail("reads ", NameOf(tensor), " of shape ", ShapeText(constant.shape), ", expected at most ",
         kMostIntegers, " integers");
  std::vector<std::int64_t> integers;
  if (type != onnx_type::kInt64 && !tensor.int32_data().empty()) {
    integers = Unpacked<std::int64_t>(tensor.int32_data());
    if (integers.size() != ValuesIn(tensor)) FailSize(tensor, integers.size(), "values", ValuesIn(tensor));
    return integers;
  }
  const Bytes bytes = BytesOf(tensor);
  for (std::int64_t i = 0; i < constant.size(); ++i) {
    if (type == onnx_type::kInt64) integers.push_back(At<std::int64_t>(bytes, i));
    if (type == onnx_type::kInt32) integers.push_back(At<std::int32_t>(bytes, i));
    if (type == onnx_type::kBool) integers.push_back(At<std::uint8_t>(bytes, i));
  }
  return integers;
}

// The tensor's values, little-endian as they are here.
Bytes OnnxTensors::BytesOf(const onnx::Tensor& tensor) {
  constexpr int kElsewhere = 1;
  const std::size_t size = ValuesIn(tensor) * SizeOfType(tensor.data_type());
  Bytes bytes = BytesIn(tensor.raw_data());
  if (tensor.data_location() == kElsewhere) {
    bytes = External(tensor);
  } else if (tensor.float_data_size() > 0 && tensor.data_type() == onnx_type::kFloat32) {
    bytes = BytesIn(tensor.float_data());
  } else if (tensor.double_data_size() > 0 && tensor.data_type() == onnx_type::kFloat64) {
    bytes = BytesIn(tensor.double_data());
  } else if (tensor.int64_data_size() > 0 && tensor.data_type() == onnx_type::kInt64) {
    bytes = BytesIn(tensor.int64_data());
  }
  if (bytes.size() != size) FailSize(tensor, bytes.size(), "bytes", size);
  Spend(size);
  return bytes;
}

Bytes OnnxTensors::External(const onnx::Tensor& tensor) {
  const std::string location = EntryOf(tensor, "location", "");
  const Bytes file = Opened(location);
  const auto offset = NumberIn(EntryOf(tensor, "offset", "0"));
  if (!offset || *offset > file.size())
    Fail("reads ", NameOf(tensor), " from byte ", EntryOf(tensor, "offset", "0"), " of ", location,
         ", which has ", file.size());
  const std::size_t rest = file.size() - *offset;
  const auto length = NumberIn(EntryOf(tensor, "length", std::to_string(rest)));
  if (!length || *length > rest)
    Fail("reads ", NameOf(tensor), " of ", EntryOf(tensor, "length", ""), " bytes from byte ", *offset,
         " of ", location, ", which has ", file.size());
  return file.subspan(*offset, *length);
}

// A file beside this one. Whatever links lie on the way, it must be within the folder.
Bytes OnnxTensors::Opened(const std::string& location) {
  const auto found = files_.find(location);
  if (found != files_.end()) return found->second.bytes;
  if (folder_ == nullptr)
    Fail("has its weights in another file, ", location, ", which these bytes come without: expected a file");
  if (files_.size() == kMostFiles)
    Fail("has its weights in more than ", kMostFiles, " other files: ", location);
  std::error_code error;
  const fs::path folder = fs::canonical(folder_->empty() ? "." : *folder_, error);
  if (location.empty() || fs::path(location).is_absolute())
    Fail("has its weights in \"", location, "\", expected the name of a file beside it");
  const fs::path path = fs::weakly_canonical(folder / location, error);
  if (error || !LiesIn(folder, path))
    Fail("has its weights in ", location, ", which is not in the folder of the file, ", folder.string());
  if (!fs::is_regular_file(path, error))
    Fail("has its weights in ", location, ", which is missing beside it: bring both files");
  SharedBytes file = OpenFile(path, true);
  budget_ += file.bytes.size();
  return files_.emplace(location, std::move(file)).first->second.bytes;
}

// Weights that many nodes share would be in memory many times.
void OnnxTensors::Spend(std::size_t bytes) {
  if (bytes > budget_) Fail("reads weights that other nodes read, too, expected its own");
  budget_ -= bytes;
}

}  // namespace mobilenet
