#include "formats/hdf5_dataset.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "formats/hdf5_chunks.h"
#include "formats/hdf5_filters.h"
#include "formats/hdf5_header.h"
#include "formats/hdf5_layout.h"
#include "formats/hdf5_types.h"

namespace mobilenet::hdf5 {
namespace {

using Messages = std::vector<Message>;

const Message& Needed(const Messages& messages, unsigned type, const char* what) {
  const Message* message = FindMessage(messages, type);
  if (message == nullptr) Fail("lacks its ", what);
  return *message;
}

// The bytes of the value that stands where none was written; none for 0.
Bytes FillValue(const Messages& messages) {
  if (const Message* message = FindMessage(messages, message::kFill)) {
    constexpr unsigned kDefined = 0x20;
    Cursor cursor(message->data);
    const std::uint64_t version = cursor.Take(1);
    const std::uint64_t flags = cursor.Take(1);
    if (version == 3) return (flags & kDefined) != 0 ? cursor.TakeBytes(cursor.Take(4)) : Bytes{};
    cursor.Skip(1);
    return cursor.Take(1) != 0 ? cursor.TakeBytes(cursor.Take(4)) : Bytes{};
  }
  const Message* old = FindMessage(messages, message::kOldFill);
  if (old == nullptr) return {};
  Cursor cursor(old->data);
  return cursor.TakeBytes(cursor.Take(4));
}

std::vector<std::uint8_t> Filled(std::uint64_t count, std::uint64_t unit, Bytes value) {
  std::vector<std::uint8_t> bytes(count * unit);
  if (value.empty()) return bytes;
  if (value.size() != unit) Fail("has a fill value of ", value.size(), " bytes, expected ", unit);
  for (std::uint64_t i = 0; i < count; ++i)
    std::ranges::copy(value, bytes.begin() + static_cast<std::ptrdiff_t>(i * unit));
  return bytes;
}

// Copies chunks into the dataset, in bytes.
class Paste {
 public:
  Paste(const Layout& layout, const Dataspace& space, std::vector<std::uint8_t>& target)
      : layout_(layout), space_(space), target_(target), steps_(space.shape.size()), strides_(steps_) {
    std::uint64_t step = layout.unit;
    std::uint64_t stride = layout.unit;
    for (std::size_t i = space.shape.size(); i-- > 0;) {
      steps_[i] = std::exchange(step, step * layout.chunk[i]);
      strides_[i] = std::exchange(stride, stride * space.shape[i]);
    }
  }

  [[nodiscard]] bool IsInside(std::span<const std::uint64_t> place) const {
    for (std::size_t i = 0; i < place.size(); ++i) {
      if (place[i] >= PartsOf(space_.shape[i], layout_.chunk[i])) return false;
    }
    return true;
  }

  [[nodiscard]] bool IsCutOff(std::span<const std::uint64_t> place) const {
    for (std::size_t i = 0; i < place.size(); ++i) {
      if (Extent(place, i) < layout_.chunk[i]) return true;
    }
    return false;
  }

  void Copy(std::span<const std::uint64_t> place, Bytes chunk) {
    Copy(place, chunk.data(), target_.data(), 0);
  }

 private:
  // How many of the chunk's values in a dimension lie in the dataset.
  [[nodiscard]] std::uint64_t Extent(std::span<const std::uint64_t> place, std::size_t i) const {
    return std::min(layout_.chunk[i], space_.shape[i] - place[i] * layout_.chunk[i]);
  }

  void Copy(std::span<const std::uint64_t> place, const std::uint8_t* from, std::uint8_t* to,
            std::size_t dimension) {
    const std::uint64_t extent = Extent(place, dimension);
    to += place[dimension] * layout_.chunk[dimension] * strides_[dimension];
    if (dimension + 1 == place.size()) {
      std::memcpy(to, from, extent * layout_.unit);
      return;
    }
    for (std::uint64_t i = 0; i < extent; ++i)
      Copy(place, from + i * steps_[dimension], to + i * strides_[dimension], dimension + 1);
  }

  const Layout& layout_;
  const Dataspace& space_;
  std::vector<std::uint8_t>& target_;
  std::vector<std::uint64_t> steps_;    // between neighbours, in a chunk
  std::vector<std::uint64_t> strides_;  // in the dataset
};

class DatasetReader {
 public:
  DatasetReader(const File& file, const Messages& messages)
      : file_(file),
        messages_(messages),
        space_(ReadDataspace(Needed(messages, message::kDataspace, "shape").data)),
        type_(FloatTypeOf(ReadDatatype(Needed(messages, message::kDatatype, "type").data))),
        layout_(ReadLayout(Needed(messages, message::kLayout, "layout").data)) {
    if (const Message* filters = FindMessage(messages, message::kFilters))
      filters_ = ReadFilters(filters->data);
    if (FindMessage(messages, message::kExternal) != nullptr) Fail("lies in another file, which is not read");
  }

  Tensor Read() {
    const std::uint64_t count = space_.Count(file_.most() / sizeof(float));
    const std::uint64_t size = count * type_.size;
    std::vector<std::uint8_t> made;
    const Bytes bytes = BytesOf(count, size, made);
    if (bytes.size() != size)
      Fail("has ", bytes.size(), " bytes, expected ", size, " for ", ShapeText(Shape()));
    std::vector<float> values(count);
    ReadFloats(type_, bytes, values);
    return Tensor::Of(Shape(), std::move(values));
  }

 private:
  [[nodiscard]] std::vector<std::int64_t> Shape() const { return {space_.shape.begin(), space_.shape.end()}; }

  // Where they lie, or in `made`.
  Bytes BytesOf(std::uint64_t count, std::uint64_t size, std::vector<std::uint8_t>& made) {
    const std::uint64_t floats = count * sizeof(float);
    switch (layout_.kind) {
      case Layout::Kind::kCompact:
        file_.Keep(floats, 0);
        return layout_.compact;
      case Layout::Kind::kContiguous:
        if (layout_.address != kNowhere) {
          file_.Keep(floats, 0);
          return file_.At(layout_.address, layout_.size, "its values");
        }
        file_.Keep(floats, size);
        break;
      case Layout::Kind::kChunked:
        return Chunks(count, size, made);
    }
    return made = Filled(count, type_.size, FillValue(messages_));
  }

  Bytes Chunks(std::uint64_t count, std::uint64_t size, std::vector<std::uint8_t>& made) {
    if (layout_.chunk.size() != space_.shape.size() || layout_.unit != type_.size)
      Fail("has chunks of ", layout_.chunk.size(), " dimensions and values of ", layout_.unit,
           " bytes, expected ", space_.shape.size(), " and ", type_.size);
    const std::uint64_t chunk_size = layout_.ChunkSize(file_.most());
    file_.Keep(count * sizeof(float), size + (filters_.empty() ? 0 : 2 * chunk_size));
    made = Filled(count, type_.size, FillValue(messages_));
    Paste paste(layout_, space_, made);
    VisitChunks(file_, layout_, space_, chunk_size, !filters_.empty(), [&](const Chunk& chunk) {
      if (paste.IsInside(chunk.place)) Add(chunk, chunk_size, paste);
    });
    return made;
  }

  void Add(const Chunk& chunk, std::uint64_t size, Paste& paste) {
    file_.Unpack(size);
    const bool raw = layout_.raw_edges && paste.IsCutOff(chunk.place);
    constexpr std::uint32_t kAll = 0xFFFFFFFF;
    paste.Copy(chunk.place, Unfiltered(filters_, file_.At(chunk.address, chunk.size, "a chunk"),
                                       raw ? kAll : chunk.skipped, size, buffer_));
  }

  const File& file_;
  const Messages& messages_;
  Dataspace space_;
  FloatType type_;
  Layout layout_;
  std::vector<Filter> filters_;
  std::vector<std::uint8_t> buffer_;  // of a chunk
};

}  // namespace

bool IsDataset(const File& file, Address object) {
  const Messages messages = MessagesOf(file, object);
  return std::ranges::any_of(messages, [](const Message& m) { return m.type == message::kLayout; });
}

Tensor ReadDataset(const File& file, Address object) {
  const Messages messages = MessagesOf(file, object);
  return DatasetReader(file, messages).Read();
}

}  // namespace mobilenet::hdf5
