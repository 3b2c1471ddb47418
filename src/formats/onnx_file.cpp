// The messages of an ONNX file, and how much they may be.
#include "formats/onnx_file.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <array>

#include "base/fail.h"

namespace mobilenet {
namespace {

using google::protobuf::io::CodedInputStream;

// Far above any network of ours. Parsed, a message of 2 bytes takes up to 200, text of 2 bytes 40: this
// bounds what they take together to a few megabytes.
constexpr std::size_t kMostFields = 100'000;

enum class Message { kModel, kGraph, kNode, kAttribute, kTensor, kValueInfo, kType, kTensorType, kShape };

// The fields that hold messages with repeated fields of their own.
struct Child {
  Message parent;
  int field;
  Message message;
};
constexpr std::array kChildren = {
    Child{Message::kModel, 7, Message::kGraph},      Child{Message::kGraph, 1, Message::kNode},
    Child{Message::kGraph, 5, Message::kTensor},     Child{Message::kGraph, 11, Message::kValueInfo},
    Child{Message::kGraph, 12, Message::kValueInfo}, Child{Message::kNode, 5, Message::kAttribute},
    Child{Message::kAttribute, 5, Message::kTensor}, Child{Message::kValueInfo, 2, Message::kType},
    Child{Message::kType, 1, Message::kTensorType},  Child{Message::kTensorType, 2, Message::kShape}};

// Packed integers of a byte take eight: dimensions and integers of tensors, and integers of attributes.
bool IsPacked(Message message, int field) {
  return (message == Message::kTensor && (field == 1 || field == 7)) ||
         (message == Message::kAttribute && field == 8);
}

// Counts the fields of the messages that are parsed, which are never deeper than the table above.
class Counter {
 public:
  Counter(std::span<const std::uint8_t> bytes, std::string_view file)
      : stream_(bytes.data(), static_cast<int>(bytes.size())), file_(file) {}

  // NOLINTNEXTLINE(misc-no-recursion)
  void Count(Message message, int end) {
    while (stream_.CurrentPosition() < end) {
      const std::uint32_t tag = stream_.ReadTag();
      Add(1);
      std::uint32_t length = 0;
      switch (tag & 7U) {
        case 0:
          std::uint64_t value;
          Check(stream_.ReadVarint64(&value));
          break;
        case 1:
          Check(stream_.Skip(8));
          break;
        case 2:
          Check(stream_.ReadVarint32(&length) &&
                length <= static_cast<std::uint32_t>(std::max(end - stream_.CurrentPosition(), 0)));
          CountWithin(message, static_cast<int>(tag >> 3), static_cast<int>(length));
          break;
        case 5:
          Check(stream_.Skip(4));
          break;
        default:
          Check(false);
      }
    }
    Check(stream_.CurrentPosition() == end);
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion)
  void CountWithin(Message message, int field, int length) {
    const auto* child = std::ranges::find_if(
        kChildren, [&](const Child& c) { return c.parent == message && c.field == field; });
    if (child != kChildren.end()) return Count(child->message, stream_.CurrentPosition() + length);
    if (IsPacked(message, field)) Add(static_cast<std::size_t>(length));
    Check(stream_.Skip(length));
  }

  void Add(std::size_t fields) {
    fields_ += fields;
    if (fields_ > kMostFields)
      Fail(file_, ": is an ONNX file of more than ", kMostFields,
           " nodes, tensors and their fields, far more than any network that is read");
  }

  void Check(bool condition) const {
    if (!condition)
      Fail(file_, ": is a damaged ONNX file: its messages don't hold together at byte ",
           stream_.CurrentPosition());
  }

  CodedInputStream stream_;
  std::string_view file_;
  std::size_t fields_ = 0;
};

}  // namespace

onnx::Model ParseOnnx(std::span<const std::uint8_t> bytes, std::string_view file) {
  constexpr std::size_t kMostBytes = std::numeric_limits<int>::max();
  if (bytes.size() > kMostBytes)
    Fail(file, ": is an ONNX file of ", bytes.size(), " bytes, expected at most ", kMostBytes);
  const int size = static_cast<int>(bytes.size());
  Counter(bytes, file).Count(Message::kModel, size);
  onnx::Model model;
  if (!model.ParseFromArray(bytes.data(), size))
    Fail(file, ": is a damaged ONNX file: its messages don't hold together");
  return model;
}

}  // namespace mobilenet
