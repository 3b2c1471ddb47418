// Building an Error's message from its parts.
#pragma once

#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

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

// What `work` returns. An Error that it throws says where: the text begins with `where`, once.
template <typename Work>
auto InContext(std::string_view where, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(where)) throw;
    const std::string text = std::string(where) + ": " + error.what();
    if (dynamic_cast<const OutOfMemory*>(&error) != nullptr) throw OutOfMemory(text);
    throw Error(text);
  }
}

// What `work` returns. Where memory runs out, OutOfMemory says for what. (Its text is made without a stream,
// which would take more, and cut it off.)
template <typename Work>
auto OrOutOfMemory(std::string_view what, const Work& work) -> decltype(work()) {
  const auto text = [what] { return std::string(what) + ": there is not enough memory"; };
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(text());
  } catch (const std::length_error&) {
    throw OutOfMemory(text());
  }
}

}  // namespace mobilenet
