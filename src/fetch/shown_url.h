// Addresses in messages.
#pragma once

#include <string>

namespace mobilenet {

// The address without a user's name and password.
inline std::string ShownUrl(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const auto host = scheme + 3;
  const auto at = url.substr(0, url.find('/', host)).rfind('@');
  return at == std::string::npos || at < host ? url : url.substr(0, host) + url.substr(at + 1);
}

}  // namespace mobilenet
