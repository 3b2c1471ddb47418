#include "formats/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/aligned.h"
#include "base/bfloat16.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/float16.h"
#include "base/signature.h"
#include "formats/json.h"

namespace mobilenet {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = kSafetensorsLength;

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian, read in place");

std::size_t TypeSize(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 14> kSizes = {{{"BOOL", 1},
                                                                                {"U8", 1},
                                                                                {"I8", 1},
                                                                                {"F8_E5M2", 1},
                                                                                {"F8_E4M3", 1},
                                                                                {"I16", 2},
                                                                                {"U16", 2},
                                                                                {"F16", 2},
                                                                                {"BF16", 2},
                                                                                {"I32", 4},
                                                                                {"U32", 4},
                                                                                {"F32", 4},
                                                                                {"I64", 8},
                                                                                {"F64", 8}}};
  const auto* found = std::ranges::find(kSizes, type, [](const auto& item) { return item.first; });
  return found == kSizes.end() ? 0 : found->second;
}

std::uint64_t Unsigned(const json& value, std::string_view file, const std::string& what) {
  if (!value.is_number_unsigned())
    Fail(file, ": ", what, " is ", Shown(value), ", expected a whole number from 0");
  return value.get<std::uint64_t>();
}

// The number of bytes that a shape and type take; fails where it passes `limit`.
std::uint64_t SizeOf(const Safetensors::Entry& entry, std::uint64_t limit, std::string_view file,
                     const std::string& name) {
  const std::size_t unit = TypeSize(entry.type);
  if (unit == 0) Fail(file, ": tensor ", name, " has the unknown type ", entry.type);
  std::uint64_t size = unit;
  for (const std::int64_t n : entry.shape) {
    if (n == 0) return 0;
    if (size > limit / static_cast<std::uint64_t>(n)) {
      Fail(file, ": tensor ", name, " of shape ", ShapeText(entry.shape), " is larger than the file");
    }
    size *= static_cast<std::uint64_t>(n);
  }
  return size;
}

Safetensors::Entry ParseEntry(const json& value, std::span<const std::uint8_t> data, std::string_view file,
                              const std::string& name) {
  const std::string what = "tensor " + name;
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets")) {
    Fail(file, ": ", what, " is ", Shown(value), ", expected dtype, shape and data_offsets");
  }
  Safetensors::Entry entry;
  const json& type = value["dtype"];
  if (!type.is_string())
    Fail(file, ": ", what, " has the dtype ", Shown(type), ", expected a name such as F32");
  entry.type = type.get<std::string>();
  const json& shape = value["shape"];
  if (!shape.is_array()) Fail(file, ": ", what, " has the shape ", Shown(shape), ", expected a list");
  for (const json& n : shape) {
    const std::uint64_t size = Unsigned(n, file, what + "'s shape");
    if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      Fail(file, ": ", what, "'s shape holds ", size, ", which is too large");
    }
    entry.shape.push_back(static_cast<std::int64_t>(size));
  }
  const json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) {
    Fail(file, ": ", what, " has the data_offsets ", Shown(offsets), ", expected [begin, end]");
  }
  const std::uint64_t begin = Unsigned(offsets[0], file, what + "'s begin");
  const std::uint64_t end = Unsigned(offsets[1], file, what + "'s end");
  if (begin > end || end > data.size()) {
    Fail(file, ": ", what, " lies at ", begin, " to ", end, ", expected inside the ", data.size(),
         " bytes of data");
  }
  const std::uint64_t size = SizeOf(entry, data.size(), file, name);
  if (size != end - begin) {
    Fail(file, ": ", what, " has ", end - begin, " bytes, expected ", size, " for ", entry.type, " ",
         ShapeText(entry.shape));
  }
  entry.bytes = data.subspan(begin, end - begin);
  return entry;
}

void ParseMetadata(const json& value, Safetensors& file) {
  if (!value.is_object()) Fail(file.name, ": __metadata__ is not an object of strings");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) Fail(file.name, ": __metadata__ ", key, " is ", Shown(text), ", expected text");
    file.metadata[key] = text.get<std::string>();
  }
}

}  // namespace

Tensor Safetensors::Floats(std::string_view entry) const {
  const auto found = entries.find(entry);
  if (found == entries.end()) Fail(name, ": the tensor ", entry, " is missing");
  const Entry& item = found->second;
  if (item.type == "BF16" || item.type == "F16") {
    std::vector<float> values(item.bytes.size() / sizeof(std::uint16_t));
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, item.bytes.data() + i * sizeof(bits), sizeof(bits));
      values[i] = item.type == "F16" ? FromF16(bits) : FromBf16(bits);
    }
    return Tensor::Of(item.shape, std::move(values));
  }
  if (item.type == "F64") {
    std::vector<float> values(item.bytes.size() / sizeof(double));
    for (std::size_t i = 0; i < values.size(); ++i) {
      double value = 0;
      std::memcpy(&value, item.bytes.data() + i * sizeof(value), sizeof(value));
      values[i] = static_cast<float>(value);
    }
    return Tensor::Of(item.shape, std::move(values));
  }
  if (item.type != "F32")
    Fail(name, ": tensor ", entry, " has the type ", item.type, ", expected F32, F64, BF16 or F16");
  const std::size_t count = item.bytes.size() / sizeof(float);
  if (reinterpret_cast<std::uintptr_t>(item.bytes.data()) % alignof(float) == 0) {
    return {item.shape, {reinterpret_cast<const float*>(item.bytes.data()), count}, owner};
  }
  std::vector<float> values(count);
  std::memcpy(values.data(), item.bytes.data(), item.bytes.size());
  return Tensor::Of(item.shape, std::move(values));
}

Safetensors ParseSafetensors(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner,
                             std::string_view name) {
  Safetensors file;
  file.name = name;
  file.owner = std::move(owner);
  if (!LooksLikeSafetensors(bytes)) {
    Fail(name, ": is not a safetensors file: expected the length of a header and a brace, found ",
         bytes.empty() ? "nothing" : "a file that starts with " + Beginning(bytes));
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > bytes.size() - kLengthBytes) {
    Fail(name, ": was cut off: its header takes ", length, " bytes, found ", bytes.size() - kLengthBytes,
         " behind its length");
  }
  const auto header = bytes.subspan(kLengthBytes, length);
  const json root = ParseJson({reinterpret_cast<const char*>(header.data()), header.size()});
  if (!root.is_object()) Fail(name, ": is not a safetensors file: its header is not a JSON object");
  const auto data = bytes.subspan(kLengthBytes + length);
  for (const auto& [key, value] : root.items()) {
    if (key == "__metadata__") {
      ParseMetadata(value, file);
    } else {
      file.entries[key] = ParseEntry(value, data, name, key);
    }
  }
  return file;
}

Safetensors OpenSafetensors(const std::filesystem::path& path, bool mapped) {
  SharedBytes file = OpenFile(path, mapped);
  return ParseSafetensors(file.bytes, std::move(file.owner), path.string());
}

void WriteSafetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                      const Weights& tensors, const std::set<std::string, std::less<>>& rounded,
                      Precision precision) {
  // The metadata first, whatever tensors are called: who looks at a file's first bytes finds what it is.
  nlohmann::ordered_json root = {{"__metadata__", metadata}};
  std::size_t offset = 0;
  std::vector<std::span<const std::uint8_t>> parts(2);
  const auto add = [&](const std::string& name, const Tensor& tensor, const char* type, const void* data,
                       std::size_t size) {
    root[name] = json{{"dtype", type}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + size}}};
    parts.emplace_back(static_cast<const std::uint8_t*>(data), size);
    offset += size;
  };
  for (const auto& [name, tensor] : tensors) {
    if (!rounded.contains(name)) add(name, tensor, "F32", tensor.values.data(), tensor.values.size_bytes());
  }
  std::vector<std::vector<std::uint16_t>> halves;
  halves.reserve(rounded.size());
  const bool bf16 = precision == Precision::kBfloat16;
  for (const auto& [name, tensor] : tensors) {
    if (!rounded.contains(name)) continue;
    std::vector<std::uint16_t>& values = halves.emplace_back();
    for (const float value : tensor.values) {
      values.push_back(bf16 ? RoundToBf16(value) : RoundToF16(value));
      if (!(bf16 ? std::isfinite(FromBf16(values.back())) : std::abs(value) <= kLargestF16)) {
        Fail(path.string(), ": can't be written: ", name, " holds ", value, ", too large for ",
             NameOf(precision));
      }
    }
    add(name, tensor, bf16 ? "BF16" : "F16", values.data(), values.size() * sizeof(std::uint16_t));
  }
  std::string header;
  try {
    header = root.dump();
  } catch (const json::exception& error) {  // a label that is not UTF-8
    Fail(path.string(), ": can't be written: ", error.what());
  }
  header.resize((kLengthBytes + header.size() + kCacheLine - 1) / kCacheLine * kCacheLine - kLengthBytes,
                ' ');
  const std::uint64_t length = header.size();
  parts[0] = {reinterpret_cast<const std::uint8_t*>(&length), kLengthBytes};
  parts[1] = {reinterpret_cast<const std::uint8_t*>(header.data()), header.size()};
  WriteFileWhole(path, parts);
}

}  // namespace mobilenet
