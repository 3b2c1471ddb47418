#include "formats/hdf5_attributes.h"

#include <algorithm>
#include <optional>

#include "base/fail.h"
#include "formats/hdf5_header.h"
#include "formats/hdf5_heaps.h"
#include "formats/hdf5_trees.h"
#include "formats/hdf5_types.h"

namespace mobilenet::hdf5 {
namespace {

struct Attribute {
  std::string name;
  bool shared;  // its type or shape lies elsewhere
  Bytes type;
  Bytes value;
};

Attribute ReadAttribute(Bytes message) {
  Cursor cursor(message);
  const std::uint64_t version = cursor.Take(1);
  if (version < 1 || version > 3) Fail("an attribute has the version ", version, ", expected 1 to 3");
  const bool shared = cursor.Take(1) != 0 && version > 1;
  const std::uint64_t name_size = cursor.Take(2);
  const std::uint64_t type_size = cursor.Take(2);
  const std::uint64_t space_size = cursor.Take(2);
  cursor.Skip(version == 3 ? 1 : 0);           // the name's encoding
  const auto part = [&](std::uint64_t size) {  // version 1 pads each part
    const Bytes bytes = cursor.TakeBytes(size);
    cursor.Skip(version == 1 ? PaddedToEight(size) - size : 0);
    return bytes;
  };
  Attribute attribute = {
      .name = UpToZero(part(name_size)), .shared = shared, .type = part(type_size), .value = {}};
  part(space_size);
  if (!cursor.good()) Fail("the attribute ", attribute.name, " was cut off");
  attribute.value = cursor.rest();
  return attribute;
}

std::string TextOf(const File& file, const Attribute& attribute) {
  if (attribute.shared) Fail("the attribute ", attribute.name, " is of a shared type, which is not read");
  const Datatype type = ReadDatatype(attribute.type);
  if (type.kind == kVariableLength) return GlobalHeapText(file, attribute.value);
  if (type.kind != kString) Fail("the attribute ", attribute.name, " is not a text");
  return UpToZero(attribute.value.first(std::min<std::uint64_t>(type.size, attribute.value.size())));
}

// Those that lie in a heap, sorted by hashes of their names.
std::optional<std::string> FindDense(const File& file, const DenseStorage& storage, std::string_view name) {
  const FractalHeap heap(file, storage.heap);
  constexpr std::uint64_t kBehind = 9;  // flags, when it was made, the hash
  std::optional<std::string> text;
  WalkRecords(file, storage.names, kAttributeNames, heap.id_size() + kBehind, [&](Bytes record) {
    constexpr unsigned kShared = 2;
    if ((record[heap.id_size()] & kShared) != 0) Fail("an attribute is shared, which is not read");
    const Attribute attribute = ReadAttribute(heap.Object(record.first(heap.id_size())));
    if (attribute.name == name) text = TextOf(file, attribute);
  });
  return text;
}

}  // namespace

std::string TextAttribute(const File& file, Address object, std::string_view name) {
  const auto messages = MessagesOf(file, object);
  for (const Message& message : messages) {
    if (message.type != message::kAttribute) continue;
    if (message.shared) Fail("an attribute is shared, which is not read");
    const Attribute attribute = ReadAttribute(message.data);
    if (attribute.name == name) return TextOf(file, attribute);
  }
  const DenseStorage storage = DenseStorageOf(messages, message::kAttributeInfo);
  return storage.used() ? FindDense(file, storage, name).value_or("") : "";
}

}  // namespace mobilenet::hdf5
