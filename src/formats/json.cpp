#include "formats/json.h"

#include <cstddef>
#include <nlohmann/json.hpp>

namespace mobilenet {
namespace {

// Whether brackets outside of texts nest no deeper than any file of ours or of Keras's does. nlohmann's
// functions on values recurse, and a file of brackets alone would exhaust the stack.
bool NestsReasonably(std::string_view text) {
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

}  // namespace

nlohmann::json ParseJson(std::string_view text) {
  if (!NestsReasonably(text)) return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
}

std::string Dumped(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string DumpedStrictly(const nlohmann::json& value) { return value.dump(); }

bool IsUtf8(const std::string& text) { return ParseJson(Dumped(text)).get<std::string>() == text; }

std::string TextOr(const nlohmann::json& object, const char* key, const std::string& fallback) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return fallback;
  return object[key].get<std::string>();
}

std::string Shown(const nlohmann::json& value) {
  constexpr std::size_t kLength = 80;
  const std::string text = Dumped(value);
  return text.size() <= kLength ? text : text.substr(0, kLength) + " ...";
}

}  // namespace mobilenet
