// Checkpoints of the old kind: a pickle each of a number, of the layout's version, of the machine, of the
// object, and of its storages' keys; then the storages.
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <variant>

#include "base/fail.h"
#include "base/signature.h"
#include "formats/pickle.h"
#include "formats/torch_file.h"
#include "formats/torch_state.h"

namespace mobilenet {
namespace {

using Bytes = std::span<const std::uint8_t>;

// The number, as a pickle.
constexpr std::string_view kMagic = {"\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.", 15};

void CheckMachine(const Pickle& machine, std::string_view name) {
  const auto* facts = machine.As<Pickle::Dictionary>(machine.root);
  if (facts == nullptr) Fail(name, ": is a damaged checkpoint: it doesn't say which machine wrote it");
  for (const auto& [key, value] : facts->items) {
    const auto* is = machine.As<bool>(value);
    if (machine.Text(key) == "little_endian" && is != nullptr && !*is)
      Fail(name, ": was written on a big-endian machine, which is not read");
  }
}

// The storages follow the list of their keys, each behind its length.
std::map<std::string, Bytes, std::less<>> StoragesOf(const Pickle& pickle, Bytes bytes, std::size_t position,
                                                     std::string_view name) {
  std::map<std::string_view, std::size_t> sizes;  // of a value
  for (const Pickle::Value& value : pickle.values) {
    if (const auto* storage = std::get_if<Pickle::Storage>(&value))
      sizes[pickle.Text(storage->key)] = TorchTypeOf(pickle, *storage, name).size;
  }
  const Pickle keys = ReadPickle(bytes, position, name);
  const auto* list = keys.As<Pickle::List>(keys.root);
  if (list == nullptr) Fail(name, ": is a damaged checkpoint: it lacks the list of its storages");
  std::map<std::string, Bytes, std::less<>> storages;
  for (const Pickle::Id id : *list) {
    const auto size = sizes.find(keys.Text(id));
    if (size == sizes.end())
      Fail(name, ": is a damaged checkpoint: no tensor lies in its storage ", keys.Text(id));
    std::uint64_t count = 0;
    if (bytes.size() - position < sizeof(count))
      Fail(name, ": was cut off before its storage ", keys.Text(id));
    std::memcpy(&count, bytes.data() + position, sizeof(count));
    position += sizeof(count);
    if (count > (bytes.size() - position) / size->second)
      Fail(name, ": was cut off: its storage ", keys.Text(id), " has ", count, " values, found ",
           bytes.size() - position, " bytes");
    storages[std::string(keys.Text(id))] = bytes.subspan(position, count * size->second);
    position += count * size->second;
  }
  return storages;
}

}  // namespace

bool IsTorchPickle(Bytes bytes) { return HasAt(bytes, 0, kMagic); }

TorchFile ReadTorchPickle(Bytes bytes, std::shared_ptr<const void> owner, std::string_view name) {
  std::size_t position = kMagic.size();
  ReadPickle(bytes, position, name);  // the layout's version, of which there is one
  CheckMachine(ReadPickle(bytes, position, name), name);
  const Pickle pickle = ReadPickle(bytes, position, name);
  const auto storages = StoragesOf(pickle, bytes, position, name);
  const auto find = [&](const std::string& key) {
    const auto found = storages.find(key);
    if (found == storages.end()) Fail(name, ": is a damaged checkpoint: it lacks its storage ", key);
    return found->second;
  };
  return ReadTorchState(pickle, name, bytes.size(), find, std::move(owner));
}

}  // namespace mobilenet
