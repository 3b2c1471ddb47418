#include "formats/hdf5.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "base/fail.h"

namespace mobilenet {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMaxName = 1024;      // of an object, in bytes
constexpr std::size_t kMaxMessages = 4096;  // in one header

// Message types in object headers.
constexpr unsigned kDataspace = 0x01;
constexpr unsigned kDatatype = 0x03;
constexpr unsigned kLayout = 0x08;
constexpr unsigned kFilters = 0x0B;
constexpr unsigned kAttribute = 0x0C;
constexpr unsigned kContinuation = 0x10;
constexpr unsigned kSymbolTable = 0x11;

constexpr unsigned kSharedFlag = 2;  // the message lies elsewhere in the file

// Classes of datatypes.
constexpr unsigned kFloatingPoint = 1;
constexpr unsigned kString = 3;
constexpr unsigned kVariableLength = 9;

// Reads little-endian numbers off the front of bytes. Where they run out, numbers are 0 and `good` turns
// false.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  std::uint64_t Take(std::size_t size) {
    std::uint64_t value = 0;
    const Bytes part = TakeBytes(size);
    for (std::size_t i = 0; i < part.size(); ++i) value |= std::uint64_t{part[i]} << (8 * i);
    return value;
  }

  Bytes TakeBytes(std::uint64_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const Bytes part = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return part;
  }

  void Skip(std::uint64_t size) { TakeBytes(size); }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] Bytes rest() const { return bytes_; }

 private:
  Bytes bytes_;
  bool good_ = true;
};

std::uint64_t PaddedToEight(std::uint64_t size) { return (size + 7) / 8 * 8; }

std::string UpToZero(Bytes bytes) {
  const auto end = std::ranges::find(bytes, std::uint8_t{0});
  return {bytes.begin(), end};
}

bool BeginsWith(Bytes bytes, std::string_view signature) {
  return bytes.size() >= signature.size() &&
         std::memcmp(bytes.data(), signature.data(), signature.size()) == 0;
}

}  // namespace

bool Hdf5::Recognises(std::span<const std::uint8_t> bytes) { return BeginsWith(bytes, "\x89HDF\r\n\x1A\n"); }

Hdf5::Hdf5(std::span<const std::uint8_t> bytes, std::string_view name) : bytes_(bytes), name_(name) {
  if (!Recognises(bytes)) Fail(name_, ": is not an HDF5 file");
  Cursor cursor(bytes);
  cursor.Skip(8);  // the signature
  const std::uint64_t version = cursor.Take(1);
  if (version > 1)
    Fail(name_, ": has the HDF5 superblock version ", version,
         " (libver=\"latest\"), expected 0 or 1, as Keras writes");
  cursor.Skip(4);
  const std::uint64_t address_size = cursor.Take(1);
  const std::uint64_t length_size = cursor.Take(1);
  if (address_size != 8 || length_size != 8) {
    Fail(name_, ": has addresses of ", address_size, " and lengths of ", length_size, " bytes, expected 8");
  }
  cursor.Skip(version == 0 ? 9 : 13);
  const std::uint64_t base = cursor.Take(8);
  cursor.Skip(8);
  const std::uint64_t end = cursor.Take(8);
  cursor.Skip(16);  // driver information, and the root's name
  root_ = cursor.Take(8);
  if (!cursor.good()) Fail(name_, ": was cut off in its superblock");
  if (base != 0) Fail(name_, ": its HDF5 data begin at byte ", base, ", expected 0");
  if (end > bytes.size()) Fail(name_, ": was cut off: it has ", bytes.size(), " bytes, expected ", end);
}

std::span<const std::uint8_t> Hdf5::At(Address address, std::uint64_t size, const char* what) const {
  if (address > bytes_.size() || size > bytes_.size() - address) {
    Fail(name_, ": ", what, " lies at ", address, " and takes ", size, " bytes, outside the file's ",
         bytes_.size());
  }
  return bytes_.subspan(address, size);
}

// An object header of version 1: a run of messages, with further runs where one is a continuation.
std::vector<Hdf5::Message> Hdf5::Messages(Address object) const {
  constexpr std::uint64_t kPrefix = 16;
  Cursor prefix(At(object, kPrefix, "an object"));
  const std::uint64_t version = prefix.Take(1);
  if (version != 1)
    Fail(name_, ": the object at ", object, " has a header of ",
         version == 'O' ? std::string("version 2, as track_order=True writes it")
                        : Concat("version ", version),
         ", expected version 1");
  prefix.Skip(7);
  const std::uint64_t size = prefix.Take(4);
  std::vector<std::pair<Address, std::uint64_t>> runs = {{object + kPrefix, size}};
  std::vector<Message> messages;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    Cursor cursor(At(runs[run].first, runs[run].second, "an object's header"));
    while (cursor.rest().size() >= 8) {
      Message message{};
      message.type = static_cast<unsigned>(cursor.Take(2));
      const std::uint64_t length = cursor.Take(2);
      message.flags = static_cast<unsigned>(cursor.Take(1));
      cursor.Skip(3);
      message.data = cursor.TakeBytes(length);
      if (!cursor.good() || messages.size() > kMaxMessages)
        Fail(name_, ": the object at ", object, " is damaged");
      if (message.type == kContinuation) {
        Cursor where(message.data);
        const Address address = where.Take(8);
        runs.emplace_back(address, where.Take(8));
        if (runs.size() > kMaxMessages)
          Fail(name_, ": the object at ", object, " is damaged: its header has no end");
      }
      messages.push_back(message);
    }
  }
  return messages;
}

std::map<std::string, Hdf5::Address> Hdf5::Children(Address object) const {
  std::map<std::string, Address> children;
  for (const Message& message : Messages(object)) {
    if (message.type != kSymbolTable) continue;
    Cursor cursor(message.data);
    const Address tree = cursor.Take(8);
    const Address heap = cursor.Take(8);
    Cursor header(At(heap, 32, "a group's heap"));
    if (!BeginsWith(header.TakeBytes(8), "HEAP")) Fail(name_, ": the group at ", object, " has no heap");
    const std::uint64_t size = header.Take(8);
    header.Skip(8);
    const Address names = header.Take(8);
    CollectNames(tree, At(names, size, "a group's names"), children);
  }
  return children;
}

// A B-tree of version 1, whose leaves are symbol table nodes.
void Hdf5::CollectNames(Address tree, std::span<const std::uint8_t> names,
                        std::map<std::string, Address>& children) const {
  constexpr std::uint64_t kHeader = 24;
  Cursor header(At(tree, kHeader, "a group's tree"));
  if (!BeginsWith(header.TakeBytes(4), "TREE")) Fail(name_, ": a group's tree at ", tree, " is damaged");
  header.Skip(1);
  const std::uint64_t level = header.Take(1);
  const std::uint64_t entries = header.Take(2);
  Cursor cursor(At(tree + kHeader, entries * 16, "a group's tree"));
  for (std::uint64_t i = 0; i < entries; ++i) {
    cursor.Skip(8);  // the key
    const Address child = cursor.Take(8);
    if (--budget_ < 0) Fail(name_, ": its groups have no end");
    if (level > 0) {
      const Bytes below = At(child, 6, "a group's tree");
      if (below[5] >= level) Fail(name_, ": a group's tree has no end");
      CollectNames(child, names, children);
      continue;
    }
    Cursor node(At(child, 8, "a symbol table"));
    if (!BeginsWith(node.TakeBytes(4), "SNOD")) Fail(name_, ": the symbol table at ", child, " is damaged");
    node.Skip(2);
    const std::uint64_t symbols = node.Take(2);
    constexpr std::uint64_t kSymbol = 40;
    Cursor entry(At(child + 8, symbols * kSymbol, "a symbol table"));
    for (std::uint64_t s = 0; s < symbols; ++s) {
      const std::uint64_t offset = entry.Take(8);
      const Address object = entry.Take(8);
      entry.Skip(24);
      if (offset >= names.size())
        Fail(name_, ": the symbol table at ", child, " names a child outside its heap");
      if (--budget_ < 0) Fail(name_, ": its groups have no end");
      const Bytes name = names.subspan(offset);
      children[UpToZero(name.first(std::min(kMaxName, name.size())))] = object;
    }
  }
}

std::vector<std::int64_t> Hdf5::Dataspace(std::span<const std::uint8_t> data) const {
  Cursor cursor(data);
  const std::uint64_t version = cursor.Take(1);
  const std::uint64_t rank = cursor.Take(1);
  cursor.Skip(version == 1 ? 6 : 2);
  if (version < 1 || version > 2 || rank > 8)
    Fail(name_, ": a dataspace of version ", version, " is damaged");
  std::vector<std::int64_t> shape;
  for (std::uint64_t i = 0; i < rank; ++i) {
    const std::uint64_t n = cursor.Take(8);
    if (n > bytes_.size()) Fail(name_, ": a dataspace has the size ", n, ", larger than the file");
    shape.push_back(static_cast<std::int64_t>(n));
  }
  if (!cursor.good()) Fail(name_, ": a dataspace was cut off");
  return shape;
}

Hdf5::Datatype Hdf5::ReadDatatype(std::span<const std::uint8_t> data) const {
  Cursor cursor(data);
  const auto kind = static_cast<unsigned>(cursor.Take(1) & 0x0F);
  cursor.Skip(3);
  const Datatype type = {kind, cursor.Take(4), data};
  if (!cursor.good()) Fail(name_, ": a datatype was cut off");
  return type;
}

// A reference into a global heap: length, the collection's address, the object's number in it.
std::string Hdf5::GlobalHeapText(std::span<const std::uint8_t> reference) const {
  Cursor cursor(reference);
  const std::uint64_t length = cursor.Take(4);
  const Address collection = cursor.Take(8);
  const std::uint64_t wanted = cursor.Take(4);
  Cursor header(At(collection, 16, "a global heap"));
  if (!cursor.good() || !BeginsWith(header.TakeBytes(8), "GCOL")) Fail(name_, ": a global heap is damaged");
  const std::uint64_t size = header.Take(8);
  Cursor objects(At(collection, size, "a global heap"));
  objects.Skip(16);
  while (objects.good() && objects.rest().size() >= 16) {
    const std::uint64_t number = objects.Take(2);
    objects.Skip(6);
    const std::uint64_t object_size = objects.Take(8);
    if (number == 0) break;  // the free space at the end
    const Bytes data = objects.TakeBytes(object_size);
    if (number == wanted) return UpToZero(data.first(std::min<std::uint64_t>(length, data.size())));
    objects.Skip(PaddedToEight(object_size) - object_size);
  }
  Fail(name_, ": a text is missing from its global heap");
}

std::string Hdf5::ReadText(const Datatype& type, std::span<const std::uint8_t> data) const {
  if (type.kind == kString) return UpToZero(data.first(std::min<std::uint64_t>(type.size, data.size())));
  return GlobalHeapText(data);
}

std::string Hdf5::Text(Address object, std::string_view attribute) const {
  for (const Message& message : Messages(object)) {
    if (message.type != kAttribute) continue;
    Cursor cursor(message.data);
    const std::uint64_t version = cursor.Take(1);
    const std::uint64_t flags = cursor.Take(1);
    const std::uint64_t name_size = cursor.Take(2);
    const std::uint64_t type_size = cursor.Take(2);
    const std::uint64_t space_size = cursor.Take(2);
    if (version < 1 || version > 3)
      Fail(name_, ": an attribute has the version ", version, ", expected 1 to 3");
    if (version == 3) cursor.Skip(1);            // the name's encoding
    const auto part = [&](std::uint64_t size) {  // version 1 pads each part
      const Bytes bytes = cursor.TakeBytes(size);
      if (version == 1) cursor.Skip(PaddedToEight(size) - size);
      return bytes;
    };
    const std::string name = UpToZero(part(name_size));
    const Bytes type_bytes = part(type_size);
    part(space_size);
    if (!cursor.good()) Fail(name_, ": the attribute ", name, " was cut off");
    if (name != attribute) continue;
    if (version > 1 && flags != 0)
      Fail(name_, ": the attribute ", name, " is of a shared type, which is not read");
    const Datatype type = ReadDatatype(type_bytes);
    if (type.kind != kString && type.kind != kVariableLength)
      Fail(name_, ": the attribute ", name, " is not a text");
    return ReadText(type, cursor.rest());
  }
  return {};
}

bool Hdf5::IsDataset(Address object) const {
  return std::ranges::any_of(Messages(object), [](const Message& m) { return m.type == kLayout; });
}

// The data of a contiguous or compact layout of version 3.
std::span<const std::uint8_t> Hdf5::Contiguous(std::span<const std::uint8_t> layout,
                                               std::string_view name) const {
  Cursor cursor(layout);
  const std::uint64_t version = cursor.Take(1);
  const std::uint64_t kind = cursor.Take(1);
  if (version != 3) Fail(name_, ": the dataset ", name, " has a layout of version ", version, ", expected 3");
  if (kind == 0) return cursor.TakeBytes(cursor.Take(2));
  if (kind != 1)
    Fail(name_, ": the dataset ", name, " is chunked or compressed, which is not read: save it without");
  const Address address = cursor.Take(8);
  const std::uint64_t size = cursor.Take(8);
  if (!cursor.good()) Fail(name_, ": the dataset ", name, "'s layout was cut off");
  return At(address, size, "a dataset");
}

Tensor Hdf5::Floats(Address object, std::string_view name) const {
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<Datatype> type;
  std::optional<Bytes> data;
  for (const Message& message : Messages(object)) {
    if (message.type == kFilters)
      Fail(name_, ": the dataset ", name, " is compressed, which is not read: save it without");
    if ((message.flags & kSharedFlag) != 0)
      Fail(name_, ": the dataset ", name, " is of a shared type, which is not read");
    if (message.type == kDataspace) shape = Dataspace(message.data);
    if (message.type == kDatatype) type = ReadDatatype(message.data);
    if (message.type == kLayout) data = Contiguous(message.data, name);
  }
  if (!shape || !type || !data) Fail(name_, ": the dataset ", name, " lacks its shape, its type or its data");
  // IEEE single precision, little-endian: exponent of 8 bits at bit 23, mantissa of 23 at bit 0.
  constexpr std::array<std::uint8_t, 12> kSingle = {0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0};
  const bool single = type->kind == kFloatingPoint && type->size == sizeof(float) &&
                      type->data.size() >= 20 && (type->data[1] & 1U) == 0 &&
                      std::equal(kSingle.begin(), kSingle.end(), type->data.begin() + 8);
  if (!single) Fail(name_, ": the dataset ", name, " does not hold little-endian float32");
  std::uint64_t count = 1;
  for (const std::int64_t n : *shape) {
    if (n != 0 && count > data->size() / static_cast<std::uint64_t>(n)) {
      Fail(name_, ": the dataset ", name, " of shape ", ShapeText(*shape), " has only ", data->size(),
           " bytes");
    }
    count *= static_cast<std::uint64_t>(n);
  }
  if (count * sizeof(float) != data->size()) {
    Fail(name_, ": the dataset ", name, " has ", data->size(), " bytes, expected ", count * sizeof(float),
         " for ", ShapeText(*shape));
  }
  std::vector<float> values(count);
  std::memcpy(values.data(), data->data(), data->size());
  return Tensor::Of(std::move(*shape), std::move(values));
}

}  // namespace mobilenet
