// JSON from files that nobody vouches for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace mobilenet {

// Whether brackets outside of texts nest no deeper than any file of ours or of Keras's does. nlohmann's
// functions on values recurse, and a file of brackets alone would exhaust the stack.
inline bool NestsReasonably(std::string_view text) {
  constexpr int kMaxDepth = 64;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

// The value, or a discarded one (which is no object, no list, nothing) for text that is not JSON.
inline nlohmann::json ParseJson(std::string_view text) {
  if (!NestsReasonably(text)) return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
}

// The value as text; in its strings, bytes that are not UTF-8 become U+FFFD.
inline std::string Dumped(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Whether JSON can hold the text as it is.
inline bool IsUtf8(const std::string& text) { return ParseJson(Dumped(text)).get<std::string>() == text; }

// The beginning of a value, for messages.
inline std::string Shown(const nlohmann::json& value) {
  constexpr std::size_t kLength = 80;
  const std::string text = Dumped(value);
  return text.size() <= kLength ? text : text.substr(0, kLength) + " ...";
}

}  // namespace mobilenet
