// The safetensors container: named tensors and a map of strings. What they mean is model_file.cpp's business.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/tensor.h"

namespace mobilenet {

// A parsed file. Every entry lies inside the bytes, and its size is that of its shape and type.
struct Safetensors {
  struct Entry {
    std::string type;  // "F32", "I64", ...
    std::vector<std::int64_t> shape;
    std::span<const std::uint8_t> bytes;
  };
  std::string name;  // of the file, for messages
  std::map<std::string, Entry, std::less<>> entries;
  std::map<std::string, std::string> metadata;
  std::shared_ptr<const void> owner;  // keeps the bytes alive

  // The entry as float32: without a copy where it is that and aligned, widened where it is BF16 or F16,
  // rounded where it is F64. Throws Error where it has another type.
  [[nodiscard]] Tensor Floats(std::string_view entry) const;
};

// Parses `bytes`, which `owner` keeps alive. Throws Error, naming the file `name` and the field, for anything
// that does not hold together.
Safetensors ParseSafetensors(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner,
                             std::string_view name);

// Parses a file, mapped or read into memory.
Safetensors OpenSafetensors(const std::filesystem::path& path, bool mapped = true);

// Writes a file whole or not at all; the tensors begin on a cache line. Those named in `rounded` are rounded
// to `precision`, which is kBfloat16 or kFloat16, and come last. Throws Error where one of them holds a
// number too large for that.
void WriteSafetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                      const Weights& tensors, const std::set<std::string, std::less<>>& rounded = {},
                      Precision precision = Precision::kBfloat16);

}  // namespace mobilenet
