#include "formats/torch_bytes.h"

#include <algorithm>
#include <cstring>

#include "base/bfloat16.h"
#include "base/float16.h"

namespace mobilenet {
namespace {

template <typename T>
void Put(T value, std::string& bytes) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

std::string Stored(const std::vector<float>& values, std::string_view storage) {
  std::string bytes;
  for (const float value : values) {
    if (storage == "HalfStorage") {
      Put(RoundToF16(value), bytes);
    } else if (storage == "BFloat16Storage") {
      Put(RoundToBf16(value), bytes);
    } else if (storage == "DoubleStorage") {
      Put(double{value}, bytes);
    } else {
      Put(value, bytes);
    }
  }
  return bytes;
}

// [a, b, rows, columns] as [a, rows, columns, b].
std::vector<float> Turned(const Tensor& tensor) {
  std::vector<float> turned;
  const auto b = static_cast<std::size_t>(tensor.shape[1]);
  const auto area = static_cast<std::size_t>(tensor.shape[2] * tensor.shape[3]);
  for (std::size_t o = 0; o < tensor.values.size(); o += b * area) {
    for (std::size_t p = 0; p < area; ++p) {
      for (std::size_t i = 0; i < b; ++i) turned.push_back(tensor.values[o + i * area + p]);
    }
  }
  return turned;
}

}  // namespace

PickleBytes& PickleBytes::Global(std::string_view module, std::string_view name) {
  return Raw("c").Raw(module).Raw("\n").Raw(name).Raw("\n");
}

PickleBytes& PickleBytes::Text(std::string_view text) {
  return Raw("X").Raw(LittleEndian(text.size(), 4)).Raw(text);
}

PickleBytes& PickleBytes::Number(std::int64_t value) {
  if (value >= 0 && value < 256) return Raw("K").Raw(LittleEndian(static_cast<std::uint64_t>(value), 1));
  return Raw("\x8A\x08").Raw(LittleEndian(static_cast<std::uint64_t>(value), 8));
}

PickleBytes& PickleBytes::Numbers(const std::vector<std::int64_t>& values) {
  Raw("(");
  for (const std::int64_t value : values) Number(value);
  return Raw("t");
}

PickleBytes& PickleBytes::Storage(std::string_view type, std::string_view key, std::int64_t count) {
  return Raw("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Number(count).Raw("tQ");
}

PickleBytes& PickleBytes::Tensor(std::string_view type, std::string_view key, std::int64_t count,
                                 const std::vector<std::int64_t>& shape, std::vector<std::int64_t> strides,
                                 std::int64_t offset) {
  if (strides.empty() && !shape.empty()) {
    strides.assign(shape.size(), 1);
    for (std::size_t d = shape.size() - 1; d-- > 0;) strides[d] = strides[d + 1] * shape[d + 1];
  }
  Global("torch._utils", "_rebuild_tensor_v2").Raw("(").Storage(type, key, count).Number(offset);
  return Numbers(shape).Numbers(strides).Raw("\x89").Global("collections", "OrderedDict").Raw(")RtR");
}

Checkpoint CheckpointOf(const Weights& tensors, std::string_view storage, std::string_view prefix,
                        bool turned) {
  Checkpoint checkpoint;
  PickleBytes pickle;
  pickle.Global("collections", "OrderedDict").Raw(")R(");
  for (const auto& [name, tensor] : tensors) {
    const std::string key = std::to_string(checkpoint.storages.size());
    const bool turn = turned && tensor.shape.size() == 4;
    std::vector<std::int64_t> strides;
    if (turn) {
      const std::int64_t b = tensor.shape[1];
      strides = {b * tensor.shape[2] * tensor.shape[3], 1, b * tensor.shape[3], b};
    }
    pickle.Text(std::string(prefix) + name);
    pickle.Tensor(storage, key, static_cast<std::int64_t>(tensor.values.size()), tensor.shape, strides);
    checkpoint.storages[key] =
        Stored(turn ? Turned(tensor) : std::vector(tensor.values.begin(), tensor.values.end()), storage);
  }
  checkpoint.pickle = pickle.Raw("u").Take();
  return checkpoint;
}

std::string TorchArchive(const Checkpoint& checkpoint, const std::vector<ZipMember>& more) {
  std::vector<ZipMember> members = {{"weights/data.pkl", checkpoint.pickle}, {"weights/version", "3\n"}};
  for (const auto& [key, bytes] : checkpoint.storages) members.push_back({"weights/data/" + key, bytes});
  members.insert(members.end(), more.begin(), more.end());
  if (std::ranges::find(more, "weights/byteorder", &ZipMember::name) == more.end())
    members.push_back({"weights/byteorder", "little"});
  return ZipOf(members);
}

std::string OldTorchFile(const Checkpoint& checkpoint) {
  std::string bytes("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.", 15);
  bytes += PickleBytes().Raw(std::string_view("M\xE9\x03", 3)).Take();
  bytes += PickleBytes().Raw("}").Text("little_endian").Raw("\x88s").Take();
  bytes += checkpoint.pickle;
  PickleBytes keys;
  keys.Raw("](");
  for (const auto& [key, unused] : checkpoint.storages) keys.Text(key);
  bytes += keys.Raw("e").Take();
  // The tests' storages are of float32.
  for (const auto& [unused, storage] : checkpoint.storages)
    bytes += LittleEndian(storage.size() / 4, 8) + storage;
  return bytes;
}

}  // namespace mobilenet
