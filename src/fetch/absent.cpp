// In place of libcurl and libcrypto where they were not there when the library was built.
#include "base/fail.h"
#include "fetch/digest.h"
#include "fetch/http.h"
#include "fetch/shown_url.h"

namespace mobilenet {

std::optional<std::string> HttpGet(const HttpRequest& request) {
  Fail(ShownUrl(request.url),
       ": can't be fetched: this build of the library was made without libcurl and libcrypto; fetch it by "
       "other means, into the cache");
}

Digests DigestsOf(const std::filesystem::path& /*path*/) { return {}; }

}  // namespace mobilenet
