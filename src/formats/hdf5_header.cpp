#include "formats/hdf5_header.h"

#include <algorithm>
#include <string_view>

#include "base/fail.h"

namespace mobilenet::hdf5 {
namespace {

constexpr std::size_t kMaxMessages = 4096;  // in one header
constexpr std::string_view kHeader = "an object's header";

// A header is a run of messages, with further runs where one is a continuation.
class HeaderReader {
 public:
  HeaderReader(const File& file, Address object) : file_(file), object_(object) {
    const Bytes begin = file.At(object, 6, "an object");
    if (BeginsWith(begin, "OHDR"))
      BeginVersion2(begin[4], begin[5]);
    else
      BeginVersion1(begin[0]);
  }

  std::vector<Message> Read() {
    for (std::size_t run = 0; run < runs_.size(); ++run) ReadRun(runs_[run]);
    return std::move(messages_);
  }

 private:
  void BeginVersion1(unsigned version) {
    if (version != 1) Fail("the object at ", object_, " has a header of version ", version, ", expected 1");
    constexpr std::uint64_t kPrefix = 16;
    Cursor prefix(file_.At(object_, kPrefix, kHeader));
    prefix.Skip(8);
    runs_.push_back(file_.At(object_ + kPrefix, prefix.Take(4), kHeader));
  }

  void BeginVersion2(unsigned version, unsigned flags) {
    if (version != 2) Fail("the object at ", object_, " has a header of version ", version, ", expected 2");
    constexpr unsigned kOrdered = 0x04;  // each message says when it was made
    constexpr unsigned kPhases = 0x10;   // how many attributes are many
    constexpr unsigned kTimes = 0x20;
    version2_ = true;
    ordered_ = (flags & kOrdered) != 0;
    const unsigned width = 1U << (flags & 3U);
    const std::uint64_t before = 6 + ((flags & kTimes) != 0 ? 16 : 0) + ((flags & kPhases) != 0 ? 4 : 0);
    Cursor prefix(file_.At(object_, before + width, kHeader));
    prefix.Skip(before);
    const std::uint64_t size = prefix.Take(width);
    if (size > file_.size()) Fail(kHeader, " at ", object_, " takes ", size, " bytes, more than the file");
    runs_.push_back(file_.Checked(object_, before + width + size + kSum, kHeader).subspan(before + width));
  }

  void ReadRun(Bytes run) {
    const std::size_t shortest = version2_ ? (ordered_ ? 6 : 4) : 8;
    Cursor cursor(run);
    while (cursor.rest().size() >= shortest) {  // fewer are a gap
      const Message message = version2_ ? TakeVersion2(cursor) : TakeVersion1(cursor);
      if (!cursor.good() || messages_.size() > kMaxMessages) Fail("the object at ", object_, " is damaged");
      if (message.type == message::kContinuation) Continue(message.data);
      messages_.push_back(message);
    }
  }

  static constexpr unsigned kShared = 2;

  static Message TakeVersion1(Cursor& cursor) {
    Message message;
    message.type = static_cast<unsigned>(cursor.Take(2));
    const std::uint64_t length = cursor.Take(2);
    message.shared = (cursor.Take(1) & kShared) != 0;
    cursor.Skip(3);
    message.data = cursor.TakeBytes(length);
    return message;
  }

  [[nodiscard]] Message TakeVersion2(Cursor& cursor) const {
    Message message;
    message.type = static_cast<unsigned>(cursor.Take(1));
    const std::uint64_t length = cursor.Take(2);
    message.shared = (cursor.Take(1) & kShared) != 0;
    cursor.Skip(ordered_ ? 2 : 0);
    message.data = cursor.TakeBytes(length);
    return message;
  }

  void Continue(Bytes data) {
    if (runs_.size() > kMaxMessages) Fail("the object at ", object_, " is damaged: its header has no end");
    Cursor where(data);
    const Address address = where.Take(8);
    const std::uint64_t size = where.Take(8);
    if (!version2_) return runs_.push_back(file_.At(address, size, kHeader));
    constexpr std::string_view kSignature = "OCHK";
    const Bytes run = file_.Checked(address, size, kHeader);
    if (!BeginsWith(run, kSignature)) Fail(kHeader, " at ", object_, " does not go on at ", address);
    runs_.push_back(run.subspan(kSignature.size()));
  }

  const File& file_;
  Address object_;
  bool version2_ = false;
  bool ordered_ = false;
  std::vector<Bytes> runs_;
  std::vector<Message> messages_;
};

}  // namespace

std::vector<Message> MessagesOf(const File& file, Address object) {
  if (object == kNowhere) Fail("a link leads to no object of the file");
  return HeaderReader(file, object).Read();
}

const Message* FindMessage(const std::vector<Message>& messages, unsigned type) {
  const auto found = std::ranges::find(messages, type, &Message::type);
  if (found == messages.end()) return nullptr;
  if (found->shared) Fail("is of a shared type, or one that has a name, which is not read");
  return &*found;
}

DenseStorage DenseStorageOf(const std::vector<Message>& messages, unsigned type) {
  const Message* info = FindMessage(messages, type);
  if (info == nullptr) return {};
  Cursor cursor(info->data);
  if (const std::uint64_t version = cursor.Take(1); version != 0)
    Fail("its links or attributes are stored in version ", version, ", expected 0");
  constexpr unsigned kOrdered = 1;
  const std::size_t width = type == message::kLinkInfo ? 8 : 2;
  cursor.Skip((cursor.Take(1) & kOrdered) != 0 ? width : 0);  // the next one's number
  DenseStorage storage;
  storage.heap = cursor.Take(8);
  storage.names = cursor.Take(8);
  if (!cursor.good()) Fail("what says where its links or attributes lie was cut off");
  return storage;
}

}  // namespace mobilenet::hdf5
