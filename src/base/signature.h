// Telling files apart by their first bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mobilenet {

// Whether `magic` stands at `offset`.
bool HasAt(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view magic);

// What CheckReplaceable asks of a file: whether it begins with this text, which must outlive the answer.
inline auto BeginsWith(std::string_view text) {
  return [text](std::span<const std::uint8_t> begin) { return HasAt(begin, 0, text); };
}

constexpr std::size_t kSafetensorsLength = 8;  // bytes, of the length of the header

// Whether the bytes begin as a safetensors file does, which may be cut off or damaged behind that: with the
// length of a header, and a brace.
bool LooksLikeSafetensors(std::span<const std::uint8_t> bytes);

// Whether they begin as one whose metadata has `key`, which the files that we write have within the first
// KiB.
bool LooksLikeSafetensorsWith(std::string_view key, std::span<const std::uint8_t> bytes);

// Whether the bytes begin as an ONNX file does. It has no signature, but the version of the format, of one
// byte, and one of the fields behind that. (Of versions before 3 nobody has files.)
bool LooksLikeOnnx(std::span<const std::uint8_t> bytes);

// Whether the bytes carry TFLite's file identifier.
bool LooksLikeTflite(std::span<const std::uint8_t> bytes);

// The first bytes for a message: as text where they are text, in hexadecimal otherwise.
std::string Beginning(std::span<const std::uint8_t> bytes);

}  // namespace mobilenet
