#include "formats/hdf5_links.h"

#include <algorithm>

#include "base/fail.h"
#include "formats/hdf5_header.h"
#include "formats/hdf5_heaps.h"
#include "formats/hdf5_trees.h"

namespace mobilenet::hdf5 {
namespace {

constexpr std::size_t kMaxName = 1024;  // of an object, in bytes
constexpr std::uint64_t kSoftSymbol = 2;
constexpr std::uint64_t kSoftLink = 1;
constexpr std::uint64_t kExternalLink = 64;

using Links = std::map<std::string, Address>;

[[noreturn]] void FailSoft(const std::string& name) {
  Fail("the link ", name, " is a soft one, to a name, which is not read");
}

// A node of symbols, each a name's place in the group's heap, and an object.
void AddSymbols(const File& file, Address node, Bytes names, Links& links) {
  constexpr std::uint64_t kHeader = 8;
  constexpr std::uint64_t kSymbol = 40;
  Cursor header(file.At(node, kHeader, "a symbol table"));
  if (!BeginsWith(header.TakeBytes(4), "SNOD")) Fail("the symbol table at ", node, " is damaged");
  header.Skip(2);
  Cursor symbols(file.At(node + kHeader, header.Take(2) * kSymbol, "a symbol table"));
  while (!symbols.rest().empty()) {
    file.Step();
    Cursor symbol(symbols.TakeBytes(kSymbol));
    const std::uint64_t offset = symbol.Take(8);
    if (offset >= names.size()) Fail("the symbol table at ", node, " names a child outside its heap");
    const Bytes name = names.subspan(offset);
    const std::string text = UpToZero(name.first(std::min(kMaxName, name.size())));
    links[text] = symbol.Take(8);
    if (symbol.Take(4) == kSoftSymbol) FailSoft(text);
  }
}

void AddSymbolTable(const File& file, Bytes message, Links& links) {
  Cursor cursor(message);
  const Address tree = cursor.Take(8);
  const Bytes names = LocalHeap(file, cursor.Take(8));
  WalkTree(file, tree, kGroupTree, 8, [&](Bytes, Address node) { AddSymbols(file, node, names, links); });
}

// A link message: a name, and where it leads.
void AddLink(Bytes message, Links& links) {
  Cursor cursor(message);
  const std::uint64_t version = cursor.Take(1);
  const std::uint64_t flags = cursor.Take(1);
  if (version != 1) Fail("a link is of version ", version, ", expected 1");
  const std::uint64_t kind = (flags & 0x08) != 0 ? cursor.Take(1) : 0;
  cursor.Skip((flags & 0x04) != 0 ? 8 : 0);  // when it was made
  cursor.Skip((flags & 0x10) != 0 ? 1 : 0);  // its name's encoding
  const Bytes name = cursor.TakeBytes(cursor.Take(std::size_t{1} << (flags & 3)));
  const std::string text = UpToZero(name.first(std::min(kMaxName, name.size())));
  if (cursor.good() && kind == kSoftLink) FailSoft(text);
  if (cursor.good() && kind != 0)
    Fail("the link ", text, " is of kind ", kind, kind == kExternalLink ? ", to another file" : "",
         ", expected 0, one to an object of this file");
  const Address object = cursor.Take(8);
  if (!cursor.good()) Fail("a link was cut off");
  links[text] = object;
}

void AddDenseLinks(const File& file, const DenseStorage& storage, Links& links) {
  const FractalHeap heap(file, storage.heap);
  constexpr std::uint64_t kHash = 4;
  WalkRecords(file, storage.names, kLinkNames, kHash + heap.id_size(),
              [&](Bytes record) { AddLink(heap.Object(record.subspan(kHash)), links); });
}

}  // namespace

Links LinksOf(const File& file, Address object) {
  Links links;
  const auto messages = MessagesOf(file, object);
  for (const Message& message : messages) {
    if (message.type == message::kSymbolTable) AddSymbolTable(file, message.data, links);
    if (message.type == message::kLink) AddLink(message.data, links);
  }
  if (const DenseStorage storage = DenseStorageOf(messages, message::kLinkInfo); storage.used())
    AddDenseLinks(file, storage, links);
  return links;
}

}  // namespace mobilenet::hdf5
