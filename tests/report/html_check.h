// Whether HTML is well formed.
#pragma once

#include <regex>
#include <set>
#include <string>
#include <vector>

namespace mobilenet {

// The first tag that is closed wrongly or never; empty where all are well.
inline std::string FirstUnclosed(const std::string& html) {
  static const std::set<std::string> kVoid = {"meta", "br", "img"};
  const std::regex tag(R"(<(/?)([a-z0-9]+)[^<>]*?(/?)>)");
  std::vector<std::string> open;
  for (std::sregex_iterator it(html.begin(), html.end(), tag), end; it != end; ++it) {
    const std::string name = (*it)[2];
    if ((*it)[3].length() > 0 || kVoid.contains(name)) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name) return name;
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

// How often `part` is in `text`.
inline std::size_t CountOf(const std::string& part, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace mobilenet
