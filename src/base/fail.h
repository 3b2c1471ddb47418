// Building an Error's message from its parts.
#pragma once

#include <sstream>
#include <string>

#include "mobilenet/error.h"

namespace mobilenet {

// "a", 1, "b" -> "a1b".
template <typename... Parts>
std::string Concat(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

// Throws Error with the parts written one after the other.
template <typename... Parts>
[[noreturn]] void Fail(const Parts&... parts) {
  throw Error(Concat(parts...));
}

}  // namespace mobilenet
