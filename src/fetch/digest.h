// Checksums of files, by OpenSSL's libcrypto.
#pragma once

#include <filesystem>
#include <string>

namespace mobilenet {

struct Digests {
  std::string sha256;  // 64 hexadecimal digits
  std::string md5;     // in base64, as HTTP headers have it
};

// Of a file's content. Throws Error where it can't be read or libcrypto is not there.
Digests DigestsOf(const std::filesystem::path& path);

}  // namespace mobilenet
