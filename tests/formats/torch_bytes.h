// PyTorch's checkpoints as bytes, written operation by operation, so that tests can write wrong ones, too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/zip_bytes.h"
#include "mobilenet/tensor.h"

namespace mobilenet {

// A pickle under construction. Every function puts one object down, or makes one of those that lie there.
class PickleBytes {
 public:
  PickleBytes() : bytes_("\x80\x02") {}

  PickleBytes& Raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  PickleBytes& Global(std::string_view module, std::string_view name);
  PickleBytes& Text(std::string_view text);
  PickleBytes& Number(std::int64_t value);
  PickleBytes& Numbers(const std::vector<std::int64_t>& values);  // a tuple
  PickleBytes& Storage(std::string_view type, std::string_view key, std::int64_t count);
  // A tensor of `shape`, in order where there are no strides.
  PickleBytes& Tensor(std::string_view type, std::string_view key, std::int64_t count,
                      const std::vector<std::int64_t>& shape, std::vector<std::int64_t> strides = {},
                      std::int64_t offset = 0);
  // The whole, stopped.
  [[nodiscard]] std::string Take() const { return bytes_ + "."; }

 private:
  std::string bytes_;
};

// A checkpoint: its pickle, and the bytes of its storages by their keys.
struct Checkpoint {
  std::string pickle;
  std::map<std::string, std::string> storages;
};

// A dictionary of tensors under prefix + name, stored as "FloatStorage", "HalfStorage", "BFloat16Storage" or
// "DoubleStorage". With `turned`, what has four dimensions lies as channels last does.
Checkpoint CheckpointOf(const Weights& tensors, std::string_view storage = "FloatStorage",
                        std::string_view prefix = "", bool turned = false);

std::string TorchArchive(const Checkpoint& checkpoint, const std::vector<ZipMember>& more = {});
std::string OldTorchFile(const Checkpoint& checkpoint);

}  // namespace mobilenet
