#include "formats/torch_state.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/fail.h"

namespace mobilenet {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Id = Pickle::Id;

constexpr std::array kTorchTypes = {
    TorchType{"FloatStorage", "F32", 4},     TorchType{"HalfStorage", "F16", 2},
    TorchType{"BFloat16Storage", "BF16", 2}, TorchType{"DoubleStorage", "F64", 8},
    TorchType{"LongStorage", "I64", 8},      TorchType{"IntStorage", "I32", 4},
    TorchType{"ShortStorage", "I16", 2},     TorchType{"CharStorage", "I8", 1},
    TorchType{"ByteStorage", "U8", 1},       TorchType{"BoolStorage", "BOOL", 1}};

// Where training programs keep the state dictionary, the better of two first: of an average of the weights
// and the weights, the average.
constexpr std::array<std::string_view, 10> kStateKeys = {
    "state_dict_ema", "model_ema", "ema_state_dict", "state_dict", "model_state_dict",
    "model",          "net",       "network",        "params",     "weights"};

// What wrappers put before all names: DataParallel, torch.compile, Lightning.
constexpr std::array<std::string_view, 4> kPrefixes = {"module.", "_orig_mod.", "model.", "net."};

constexpr int kMostNesting = 4;

class StateReader {
 public:
  StateReader(const Pickle& pickle, std::string_view file, std::uint64_t size, const TorchStorages& storages)
      : pickle_(pickle), storages_(storages), budget_(size) {
    result_.tensors.name = file;
  }

  TorchFile Read() {
    const Pickle::Dictionary& state = Find(pickle_.root, kMostNesting);
    for (const auto& [key, value] : state.items) {
      const std::string_view name = pickle_.Text(key);
      const auto* tensor = pickle_.As<const Pickle::Tensor*>(value);
      if (tensor == nullptr) {
        ignored_.emplace(name);
      } else {
        result_.tensors.entries[std::string(name)] = EntryOf(**tensor, name);
      }
    }
    StripPrefixes();
    Note();
    return std::move(result_);
  }

  // The bytes of tensors that had to be put in order.
  std::vector<std::vector<std::uint8_t>> TakeOrdered() { return std::move(ordered_); }

 private:
  template <typename... Parts>
  [[noreturn]] void Bad(const Parts&... parts) const {
    Fail(result_.tensors.name, ": ", parts...);
  }

  [[nodiscard]] bool HasTensors(const Pickle::Dictionary& dictionary) const {
    return std::ranges::any_of(dictionary.items, [&](const auto& item) {
      return !pickle_.Text(item.first).empty() && pickle_.As<const Pickle::Tensor*>(item.second) != nullptr;
    });
  }

  // The dictionary of tensors, which may lie in another, by one of the usual names.
  const Pickle::Dictionary& Find(Id value, int nesting) {
    const auto* dictionary = pickle_.As<Pickle::Dictionary>(value);
    if (dictionary == nullptr || nesting == 0)
      Bad("holds no state dictionary: expected names and tensors, as torch.save(model.state_dict(), "
          "\"weights.pth\") writes them");
    if (HasTensors(*dictionary)) return *dictionary;
    const auto* found = dictionary->items.data();
    for (const std::string_view key : kStateKeys) {
      const auto item = std::ranges::find_if(dictionary->items,
                                             [&](const auto& i) { return pickle_.Text(i.first) == key; });
      if (item == dictionary->items.end() || pickle_.As<Pickle::Dictionary>(item->second) == nullptr)
        continue;
      found = &*item;
      taken_ += Concat(taken_.empty() ? "" : ".", key);
      for (const auto& other : dictionary->items) {
        if (&other != found) ignored_.emplace(pickle_.Text(other.first));
      }
      return Find(found->second, nesting - 1);
    }
    std::string names;
    for (const auto& [key, unused] : dictionary->items)
      names += Concat(names.empty() ? "" : ", ", pickle_.Text(key));
    Bad("holds no state dictionary under any of the usual names, such as state_dict or model, but ",
        names.empty() ? "nothing" : names);
  }

  // The number of elements, where it is one that the storage could hold.
  [[nodiscard]] std::uint64_t CountOf(const Pickle::Tensor& tensor, std::uint64_t stored,
                                      std::string_view name) const {
    const auto damaged = [&] {
      Bad("the tensor ", name, " of shape ", ShapeText(tensor.shape), " does not lie in its storage of ",
          stored, " values");
    };
    if (tensor.strides.size() != tensor.shape.size() || tensor.offset < 0) damaged();
    std::uint64_t count = 1;
    auto last = static_cast<std::uint64_t>(tensor.offset);  // the place of the last element
    for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
      if (tensor.shape[d] == 0) return 0;
      if (tensor.shape[d] < 0 || tensor.strides[d] < 0) damaged();
      const auto size = static_cast<std::uint64_t>(tensor.shape[d]);
      const auto stride = static_cast<std::uint64_t>(tensor.strides[d]);
      if (size > stored / count || (stride != 0 && size - 1 > stored / stride)) damaged();
      count *= size;
      last += (size - 1) * stride;
    }
    if (last >= stored) damaged();
    return count;
  }

  Safetensors::Entry EntryOf(const Pickle::Tensor& tensor, std::string_view name) {
    const auto& storage = *pickle_.As<Pickle::Storage>(tensor.storage);
    const TorchType& type = TorchTypeOf(pickle_, storage, result_.tensors.name);
    const Bytes bytes = storages_(*pickle_.As<std::string>(storage.key));
    const std::uint64_t count = CountOf(tensor, bytes.size() / type.size, name);
    Safetensors::Entry entry = {std::string(type.type), tensor.shape, {}};
    if (count == 0) return entry;
    const Bytes from = bytes.subspan(static_cast<std::size_t>(tensor.offset) * type.size);
    entry.bytes =
        InOrder(tensor) ? from.first(count * type.size) : Ordered(tensor, from, count, type.size, name);
    return entry;
  }

  // Whether the elements lie one after the other, the last dimension first.
  static bool InOrder(const Pickle::Tensor& tensor) {
    std::int64_t expected = 1;
    for (std::size_t d = tensor.shape.size(); d-- > 0;) {
      if (tensor.shape[d] != 1 && tensor.strides[d] != expected) return false;
      expected *= tensor.shape[d];
    }
    return true;
  }

  // A copy of the elements in order. All copies together take no more than the file.
  Bytes Ordered(const Pickle::Tensor& tensor, Bytes from, std::uint64_t count, std::size_t unit,
                std::string_view name) {
    if (count * unit > budget_) Bad("its tensors hold the same values many times, such as ", name);
    budget_ -= count * unit;
    std::vector<std::uint8_t>& to = ordered_.emplace_back();
    to.reserve(count * unit);
    std::vector<std::int64_t> index(tensor.shape.size());
    for (std::uint64_t i = 0; i < count; ++i) {
      std::int64_t place = 0;
      for (std::size_t d = 0; d < index.size(); ++d) place += index[d] * tensor.strides[d];
      const auto element = from.subspan(static_cast<std::size_t>(place) * unit, unit);
      to.insert(to.end(), element.begin(), element.end());
      for (std::size_t d = index.size(); d-- > 0 && ++index[d] == tensor.shape[d];) index[d] = 0;
    }
    return to;
  }

  // Where all names have it.
  void StripPrefixes() {
    auto& entries = result_.tensors.entries;
    for (bool again = true; again;) {
      again = false;
      for (const std::string_view prefix : kPrefixes) {
        const auto has = [&](const auto& entry) { return entry.first.starts_with(prefix); };
        if (entries.empty() || !std::ranges::all_of(entries, has)) continue;
        std::map<std::string, Safetensors::Entry, std::less<>> stripped;
        for (auto& [name, entry] : entries) stripped[name.substr(prefix.size())] = std::move(entry);
        entries = std::move(stripped);
        taken_ += Concat(taken_.empty() ? "" : ".", prefix.substr(0, prefix.size() - 1));
        again = true;
      }
    }
  }

  void Note() {
    if (!taken_.empty()) result_.notes["state dictionary"] = taken_;
    std::string all;
    for (const std::string& name : ignored_) all += Concat(all.empty() ? "" : ", ", name);
    if (!all.empty()) result_.notes["ignored"] = all;
  }

  const Pickle& pickle_;
  const TorchStorages& storages_;
  std::uint64_t budget_;
  TorchFile result_;
  std::string taken_;
  std::set<std::string, std::less<>> ignored_;
  std::vector<std::vector<std::uint8_t>> ordered_;
};

// Everything that tensors lie in.
struct Owner {
  std::shared_ptr<const void> storages;
  std::vector<std::vector<std::uint8_t>> ordered;
};

}  // namespace

const TorchType& TorchTypeOf(const Pickle& pickle, const Pickle::Storage& storage, std::string_view file) {
  const std::string_view name = pickle.Text(pickle.As<Pickle::Global>(storage.type)->name);
  const auto* row = std::ranges::find(kTorchTypes, name, &TorchType::storage);
  if (row == kTorchTypes.end()) Fail(file, ": holds a ", name, ", which is not read");
  return *row;
}

TorchFile ReadTorchState(const Pickle& pickle, std::string_view file, std::uint64_t size,
                         const TorchStorages& storages, std::shared_ptr<const void> owner) {
  StateReader reader(pickle, file, size, storages);
  TorchFile read = reader.Read();
  read.tensors.owner = std::make_shared<Owner>(Owner{std::move(owner), reader.TakeOrdered()});
  return read;
}

}  // namespace mobilenet
