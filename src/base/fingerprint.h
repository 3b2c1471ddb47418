// Telling whether bytes are those that were seen before.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/fail.h"

namespace mobilenet {

// A number for all that was added, the same on every machine (FNV-1a). Not for keeping secrets.
class Fingerprint {
 public:
  void Add(std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) Mix(byte);
    Mix(0xFF);  // so that "ab", "c" is not "a", "bc"
  }
  void Add(std::string_view text) { Add({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); }

  [[nodiscard]] std::uint64_t value() const { return hash_; }
  [[nodiscard]] std::string Text() const { return Concat(std::hex, hash_); }

 private:
  void Mix(std::uint8_t byte) { hash_ = (hash_ ^ byte) * 1099511628211U; }

  std::uint64_t hash_ = 14695981039346656037U;
};

}  // namespace mobilenet
