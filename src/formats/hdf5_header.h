// An HDF5 object's header: the messages that say what the object is.
#pragma once

#include <vector>

#include "formats/hdf5_file.h"

namespace mobilenet::hdf5 {

// The types of messages that are read.
namespace message {
constexpr unsigned kDataspace = 0x01;
constexpr unsigned kLinkInfo = 0x02;
constexpr unsigned kDatatype = 0x03;
constexpr unsigned kOldFill = 0x04;
constexpr unsigned kFill = 0x05;
constexpr unsigned kLink = 0x06;
constexpr unsigned kExternal = 0x07;
constexpr unsigned kLayout = 0x08;
constexpr unsigned kFilters = 0x0B;
constexpr unsigned kAttribute = 0x0C;
constexpr unsigned kContinuation = 0x10;
constexpr unsigned kSymbolTable = 0x11;
constexpr unsigned kAttributeInfo = 0x15;
}  // namespace message

struct Message {
  unsigned type = 0;
  bool shared = false;  // `data` say where it lies
  Bytes data;
};

// All messages of the object at an address, whose header is of version 1 or 2. Throws Error for one that is
// damaged or has no end.
std::vector<Message> MessagesOf(const File& file, Address object);

// The first message of a type; nullptr for none. Throws Error where it lies elsewhere, as those of types that
// have a name do.
const Message* FindMessage(const std::vector<Message>& messages, unsigned type);

// Where the names of a group's links, or an object's attributes, lie if they are many: what the messages
// kLinkInfo and kAttributeInfo say.
struct DenseStorage {
  Address heap = kNowhere;
  Address names = kNowhere;  // of the tree that is sorted by the names' hashes

  [[nodiscard]] bool used() const { return heap != kNowhere; }
};
DenseStorage DenseStorageOf(const std::vector<Message>& messages, unsigned type);

}  // namespace mobilenet::hdf5
