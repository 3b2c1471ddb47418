// The state dictionary in an unpickled checkpoint, wherever its storages lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "formats/pickle.h"
#include "formats/torch_file.h"

namespace mobilenet {

// How values are stored, by the class of their storage.
struct TorchType {
  std::string_view storage;  // "FloatStorage"
  std::string_view type;     // as safetensors call it: "F32"
  std::size_t size;          // bytes of a value
};

// Throws Error, naming `file`, for a class that is not read.
const TorchType& TorchTypeOf(const Pickle& pickle, const Pickle::Storage& storage, std::string_view file);

// The bytes of a storage, by its key, which live as long as what is in `owner`. Throws Error where there is
// none.
using TorchStorages = std::function<std::span<const std::uint8_t>(const std::string& key)>;

// The dictionary's tensors. `size` bounds the bytes of those that must be copied to be in order. Throws Error
// where there is no dictionary of tensors, and for tensors that don't lie in their storages.
TorchFile ReadTorchState(const Pickle& pickle, std::string_view file, std::uint64_t size,
                         const TorchStorages& storages, std::shared_ptr<const void> owner);

}  // namespace mobilenet
