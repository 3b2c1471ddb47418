// JSON from files that nobody vouches for. nlohmann's parser and printer are compiled once, in json.cpp.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace mobilenet {

// The value, or a discarded one (which is no object, no list, nothing) for text that is not JSON, or in which
// brackets nest deeper than in any file of ours or of Keras's.
nlohmann::json ParseJson(std::string_view text);

// The value as text; in its strings, bytes that are not UTF-8 become U+FFFD.
std::string Dumped(const nlohmann::json& value);

// The same; throws nlohmann::json::exception where a string is not UTF-8.
std::string DumpedStrictly(const nlohmann::json& value);

// Whether JSON can hold the text as it is.
bool IsUtf8(const std::string& text);

// The text that an object has under `key`; `fallback` where there is no object, key or text.
std::string TextOr(const nlohmann::json& object, const char* key, const std::string& fallback);

// The beginning of a value, for messages.
std::string Shown(const nlohmann::json& value);

}  // namespace mobilenet
