// Naming some of many.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace mobilenet {

// "a, b, c, d, e, ...".
inline std::string Few(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(kNamed, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kNamed ? text + ", ..." : text;
}

}  // namespace mobilenet
