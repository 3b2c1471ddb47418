// Plain numbers on the command line.
#pragma once

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include "cli/command.h"

namespace mobilenet::cli {

// The numbers that an option takes; all of T where none is named.
template <typename T>
struct Bounds {
  T low = std::numeric_limits<T>::lowest();
  T high = std::numeric_limits<T>::max();
  bool above_low = false;  // `low` itself is too low
};

// The number that `text` is, in decimal digits. Throws CLI::ValidationError, which says what was expected and
// found, where it is none or out of range. For int, std::uint64_t and double.
template <typename T>
T ParseNumber(const std::string& name, const std::string& text, const Bounds<T>& bounds);

// An option that sets `value`, a T or one that may be empty, from a T's text.
template <typename T, typename Value>
CLI::Option* AddParsed(CLI::App& command, const std::string& name, Value& value,
                       const std::string& description, const Bounds<T>& bounds) {
  const auto set = [name, &value, bounds](const CLI::results_t& texts) {
    value = ParseNumber<T>(name, texts.front(), bounds);
    return true;
  };
  return command.add_option(name, set, description)->type_name(std::is_integral_v<T> ? "N" : "X");
}

// --name, with the default that `value` has.
template <typename T>
CLI::Option* AddNumber(CLI::App& command, const std::string& name, T& value, const std::string& description,
                       const Bounds<T>& bounds = {}) {
  return AddParsed<T>(command, name, value, description, bounds)->default_str(fmt::format("{}", value));
}

// The same; `value` stays empty until given.
template <typename T>
CLI::Option* AddNumber(CLI::App& command, const std::string& name, std::optional<T>& value,
                       const std::string& description) {
  return AddParsed<T>(command, name, value, description, {});
}

}  // namespace mobilenet::cli
