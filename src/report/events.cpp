#include "report/events.h"

#include <array>
#include <bit>
#include <chrono>
#include <cstring>

#include "base/fail.h"
#include "base/file.h"

namespace mobilenet {
namespace {

constexpr const char* kPrefix = "events.out.tfevents.";
constexpr const char* kEnding = ".mobilenet";

constexpr std::array<std::uint32_t, 256> Crc32cTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}

template <typename T>
void AppendFixed(T value, std::string& to) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to += static_cast<char>(value >> (8 * i) & 0xFF);
}

void AppendVarint(std::uint64_t value, std::string& to) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

// Fields of a message: its number, and how the value is stored (1: eight bytes, 2: bytes with their length,
// 5: four bytes, 0: a varint).
void AppendKey(int field, int kind, std::string& to) {
  AppendVarint(static_cast<std::uint64_t>(field << 3 | kind), to);
}
void AppendBytes(int field, const std::string& bytes, std::string& to) {
  AppendKey(field, 2, to);
  AppendVarint(bytes.size(), to);
  to += bytes;
}

// tensorflow.Event: wall_time = 1, step = 2, file_version = 3, summary = 5.
std::string EventOf(std::int64_t step, double seconds, int field, const std::string& content) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::string event;
  AppendKey(1, 1, event);
  AppendFixed(std::bit_cast<std::uint64_t>(now.count() + seconds), event);
  AppendKey(2, 0, event);
  AppendVarint(static_cast<std::uint64_t>(step), event);
  AppendBytes(field, content, event);
  return event;
}

// TFRecord: length, its checksum, the data, its checksum.
std::string RecordOf(const std::string& data) {
  std::string record;
  AppendFixed<std::uint64_t>(data.size(), record);
  AppendFixed(MaskedCrc32c(record), record);
  record += data;
  AppendFixed(MaskedCrc32c(data), record);
  return record;
}

}  // namespace

std::uint32_t MaskedCrc32c(const std::string& bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = Crc32cTable();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

void EventFile::Clear(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && name.find(kEnding) != std::string::npos)
      std::filesystem::remove(entry.path(), ignored);
  }
}

void EventFile::Add(std::int64_t step, double seconds, const std::vector<Scalar>& scalars) {
  if (records_.empty()) records_ += RecordOf(EventOf(0, seconds, 3, "brain.Event:2"));
  // tensorflow.Summary: value = 1, of which tag = 1 and simple_value = 2.
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;
    AppendBytes(1, scalar.tag, value);
    AppendKey(2, 5, value);
    AppendFixed(std::bit_cast<std::uint32_t>(scalar.value), value);
    AppendBytes(1, value, summary);
  }
  records_ += RecordOf(EventOf(step, seconds, 5, summary));
}

void EventFile::Write() {
  if (file_.empty()) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    file_ = folder_ / Concat(kPrefix, now.count(), kEnding);
  }
  WriteFileWhole(file_, records_);
}

}  // namespace mobilenet
