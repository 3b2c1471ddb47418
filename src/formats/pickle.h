// Python pickles as PyTorch writes them, read without running anything: tensors, their storages, and the
// containers that checkpoints use. Every other Python object is refused by its name.
//
// Sources: Python's pickletools, which describes the operations; PyTorch's torch/_weights_only_unpickler.py,
// for what a checkpoint may name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mobilenet {

// One pickled object and all that it holds. Values refer to each other by number, since one may stand in
// several places, and in itself.
struct Pickle {
  using Id = std::uint32_t;
  struct None {};
  using List = std::vector<Id>;  // a tuple, too
  struct Dictionary {
    std::vector<std::pair<Id, Id>> items;
  };
  struct Global {  // "torch", "FloatStorage"
    Id module, name;
  };
  struct Storage {
    Id type;  // a Global
    Id key;   // a text
    std::int64_t count;
  };
  struct Tensor {
    Id storage;
    std::int64_t offset;  // of elements, as the strides
    std::vector<std::int64_t> shape, strides;
  };
  using Value = std::variant<None, bool, std::int64_t, double, std::string, List, Dictionary, Global, Storage,
                             const Tensor*>;

  std::deque<Value> values;
  std::deque<Tensor> tensors;  // those that values point to
  Id root = 0;

  // The value as T, or nothing where it is another.
  template <typename T>
  [[nodiscard]] const T* As(Id id) const {
    return std::get_if<T>(&values[id]);
  }
  // A text, or "" where it is none.
  [[nodiscard]] std::string_view Text(Id id) const;
};

// Reads the pickle that begins at `position`, which moves behind it. Throws Error, naming `file`, for damage
// and for objects that are not read.
Pickle ReadPickle(std::span<const std::uint8_t> bytes, std::size_t& position, std::string_view file);

}  // namespace mobilenet
