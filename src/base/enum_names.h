// Enumerators by the names that NameOf gives them, which is the one place where they stand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet {

// All of them: numbered from 0, and NameOf of what is none is empty.
template <typename Enum>
std::vector<Enum> AllOf() {
  std::vector<Enum> all;
  while (!NameOf(static_cast<Enum>(all.size())).empty()) all.push_back(static_cast<Enum>(all.size()));
  return all;
}

template <typename Enum>
std::optional<Enum> FromName(std::string_view name) {
  for (const Enum value : AllOf<Enum>()) {
    if (NameOf(value) == name) return value;
  }
  return std::nullopt;
}

template <typename Enum>
std::vector<std::string> NamesOf() {
  std::vector<std::string> names;
  for (const Enum value : AllOf<Enum>()) names.emplace_back(NameOf(value));
  return names;
}

}  // namespace mobilenet
