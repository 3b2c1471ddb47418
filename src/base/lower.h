// Comparing names without regard to case.
#pragma once

#include <string>
#include <string_view>

namespace mobilenet {

// With the letters of ASCII in lower case, whatever the locale.
inline std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

}  // namespace mobilenet
