// One file by HTTP, from a byte on, by libcurl.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace mobilenet {

// What a server says before the body of its last answer, behind all redirects.
struct HttpHead {
  long status = 0;
  std::optional<std::uint64_t> length;  // of the body
  std::string range;                    // Content-Range
  std::string type;                     // Content-Type
  std::string encoding;                 // Content-Encoding
  std::string etag;
  std::string modified;  // Last-Modified
  // Checksums of the whole file that some servers tell, on the way, too: Hugging Face's X-Linked-Etag, and
  // the lines of Google's X-Goog-Hash, parted by commas.
  std::string linked_etag;
  std::string goog_hash;
};

struct HttpRequest {
  std::string url;
  std::uint64_t from = 0;  // the first byte that is asked for
  std::string if_range;    // ... where the file still has this ETag or date
  std::chrono::seconds patience{30};
  // Called in this order. What they throw ends the transfer and is passed on.
  std::function<void(const HttpHead&)> on_head;
  std::function<void(std::span<const std::uint8_t>)> on_body;
};

// Asks for it. Returns why the connection was cut or has stalled, or nothing where the body is whole. Throws
// Error, naming the address, where there is no answer at all: no such host, another protocol than HTTP, a
// certificate that isn't trusted, a redirect from https to anything else or to where no HTTP is, too many
// redirects.
std::optional<std::string> HttpGet(const HttpRequest& request);

}  // namespace mobilenet
