#include "fetch/http.h"

#include <curl/curl.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#include "base/fail.h"
#include "fetch/shared_library.h"
#include "fetch/shown_url.h"
#include "mobilenet/version.h"

namespace mobilenet {
namespace {

constexpr long kMostRedirects = 5;

struct Curl {
  SharedLibrary library{"libcurl.so.4", "libcurl4"};
  template <typename F>
  [[nodiscard]] F* Function(const char* name) const {
    return library.Function<F>(name);
  }
  decltype(curl_easy_init)* init = Function<decltype(curl_easy_init)>("curl_easy_init");
  decltype(curl_easy_cleanup)* cleanup = Function<decltype(curl_easy_cleanup)>("curl_easy_cleanup");
  decltype(curl_easy_perform)* perform = Function<decltype(curl_easy_perform)>("curl_easy_perform");
  decltype(curl_easy_setopt)* setopt = Function<decltype(curl_easy_setopt)>("curl_easy_setopt");
  decltype(curl_easy_getinfo)* getinfo = Function<decltype(curl_easy_getinfo)>("curl_easy_getinfo");
  decltype(curl_easy_header)* header = Function<decltype(curl_easy_header)>("curl_easy_header");
  decltype(curl_easy_strerror)* strerror = Function<decltype(curl_easy_strerror)>("curl_easy_strerror");
  decltype(curl_slist_append)* append = Function<decltype(curl_slist_append)>("curl_slist_append");
  decltype(curl_slist_free_all)* free_list = Function<decltype(curl_slist_free_all)>("curl_slist_free_all");

  Curl() { Function<decltype(curl_global_init)>("curl_global_init")(CURL_GLOBAL_DEFAULT); }
};

const Curl& TheCurl() {
  static const Curl curl;
  return curl;
}

// While it lives, a write to a connection that is gone ends no process: OpenSSL writes without asking for
// that, and libcurl would change what the whole process does about it.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec at_once{};
    while (!was_pending_ && sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

class Transfer {
 public:
  explicit Transfer(const HttpRequest& request)
      : request_(request), easy_(TheCurl().init(), TheCurl().cleanup), lines_(nullptr, TheCurl().free_list) {
    if (easy_ == nullptr) throw OutOfMemory(ShownUrl(request.url) + ": there is not enough memory");
    SetAddress();
    SetLimits();
    SetRange();
    Set(CURLOPT_USERAGENT, "mobilenet.cpp/" MOBILENET_VERSION);
    Set(CURLOPT_ERRORBUFFER, why_.data());
    Set(CURLOPT_WRITEFUNCTION, &Transfer::Write);
    Set(CURLOPT_WRITEDATA, this);
    if (const char* trusted = std::getenv("SSL_CERT_FILE"); trusted != nullptr) Set(CURLOPT_CAINFO, trusted);
  }

  std::optional<std::string> Run() {
    const CURLcode code = Perform();
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    if (code == CURLE_OK) {
      if (!began_) request_.on_head(Head());  // of an answer without a body
      return std::nullopt;
    }
    const std::string why = why_[0] != '\0' ? why_.data() : TheCurl().strerror(code);
    if (IsCut(code)) return why;
    Fail(ShownUrl(request_.url), ": can't be fetched: ", WhyOf(code, why));
  }

 private:
  template <typename T>
  void Set(CURLoption option, T value) {
    if (const CURLcode code = TheCurl().setopt(easy_.get(), option, value); code != CURLE_OK)
      Fail("libcurl refuses the option ", option, ": ", TheCurl().strerror(code));
  }

  // What follows an address of https must be https, and nothing else than HTTP is followed at all: neither a
  // file of this machine nor another protocol.
  void SetAddress() {
    const bool secure = request_.url.starts_with("https://");
    Set(CURLOPT_URL, request_.url.c_str());
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    Set(CURLOPT_FOLLOWLOCATION, 1L);
    Set(CURLOPT_MAXREDIRS, kMostRedirects);
  }

  void SetLimits() {
    const auto seconds = static_cast<long>(request_.patience.count());
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_CONNECTTIMEOUT, seconds);
    Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    Set(CURLOPT_LOW_SPEED_TIME, seconds);
  }

  void SetRange() {
    if (request_.from == 0) return;
    Set(CURLOPT_RANGE, Concat(request_.from, "-").c_str());
    lines_.reset(TheCurl().append(nullptr, ("If-Range: " + request_.if_range).c_str()));
    Set(CURLOPT_HTTPHEADER, lines_.get());
  }

  CURLcode Perform() {
    const WithoutSigpipe guard;
    return TheCurl().perform(easy_.get());
  }

  [[nodiscard]] static bool IsCut(CURLcode code) {
    switch (code) {
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
      case CURLE_GOT_NOTHING:
      case CURLE_HTTP2:
      case CURLE_HTTP2_STREAM:
      case CURLE_OPERATION_TIMEDOUT:
        return true;
      default:
        return false;
    }
  }

  [[nodiscard]] static std::string WhyOf(CURLcode code, const std::string& why) {
    if (code == CURLE_UNSUPPORTED_PROTOCOL)
      return why + " (an address, or a redirect from https, must be https; nothing but HTTP is followed)";
    if (code == CURLE_COULDNT_RESOLVE_HOST)
      return why + " (is there a network? behind a proxy, https_proxy must name it)";
    return why;
  }

  // All lines of a header, parted by commas: of the last answer or, where `all`, of the redirects before it,
  // too.
  [[nodiscard]] std::string Header(const char* name, bool all = false) const {
    std::string text;
    for (int answer = all ? 0 : -1; answer <= (all ? kMostRedirects : -1); ++answer) {
      curl_header* line = nullptr;
      for (std::size_t i = 0;
           TheCurl().header(easy_.get(), name, i, CURLH_HEADER, answer, &line) == CURLHE_OK; ++i) {
        if (!text.empty()) text += ',';
        text += line->value;
      }
    }
    return text;
  }

  [[nodiscard]] HttpHead Head() const {
    HttpHead head;
    TheCurl().getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &head.status);
    const std::string length = Header("Content-Length");
    std::uint64_t bytes = 0;
    if (std::from_chars(length.data(), length.data() + length.size(), bytes).ec == std::errc())
      head.length = bytes;
    head.range = Header("Content-Range");
    head.type = Header("Content-Type");
    head.encoding = Header("Content-Encoding");
    head.etag = Header("ETag");
    head.modified = Header("Last-Modified");
    head.linked_etag = Header("X-Linked-Etag", true);
    head.goog_hash = Header("X-Goog-Hash", true);
    return head;
  }

  // Nothing may be thrown through libcurl, which is C.
  static std::size_t Write(const char* data, std::size_t /*one*/, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    try {
      if (!std::exchange(transfer.began_, true)) transfer.request_.on_head(transfer.Head());
      transfer.request_.on_body({reinterpret_cast<const std::uint8_t*>(data), size});
      return size;
    } catch (...) {
      transfer.thrown_ = std::current_exception();
      return size + 1;  // another count ends the transfer
    }
  }

  const HttpRequest& request_;
  std::unique_ptr<CURL, void (*)(CURL*)> easy_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> lines_;
  std::array<char, CURL_ERROR_SIZE> why_{};
  bool began_ = false;
  std::exception_ptr thrown_;
};

}  // namespace

std::optional<std::string> HttpGet(const HttpRequest& request) { return Transfer(request).Run(); }

}  // namespace mobilenet
