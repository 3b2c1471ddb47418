// Weights from the cache or, where they are not in it, from their publisher.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/lower.h"
#include "fetch/digest.h"
#include "fetch/http.h"
#include "fetch/part_file.h"
#include "fetch/shown_url.h"
#include "mobilenet/published_weights.h"

namespace mobilenet {
namespace {

// Checksums of a whole file that a server told; empty where it told none.
struct ToldSums {
  std::string sha256;  // hexadecimal
  std::string md5;     // base64
};

// "\"HEX\"" of 64 digits: what is kept by Git LFS is named by its SHA-256.
std::string Sha256In(std::string etag) {
  std::erase(etag, '"');
  etag = Lower(etag);
  const bool hex = etag.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hex && etag.size() == 64 ? etag : "";
}

// "crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ=="
std::string Md5In(std::string_view hashes) {
  constexpr std::string_view kKey = "md5=";
  const auto begin = hashes.find(kKey);
  if (begin == std::string_view::npos) return "";
  const std::string_view rest = hashes.substr(begin + kKey.size());
  return std::string(rest.substr(0, rest.find_first_of(", ")));
}

// What If-Range can compare: an ETag that stands for each byte, or else the date.
std::string ValidatorOf(const HttpHead& head) {
  return head.etag.starts_with('"') ? head.etag : head.modified;
}

std::string ExpectedSize(const PublishedWeights& weights) {
  return weights.least_bytes == weights.most_bytes ? Concat(weights.least_bytes)
                                                   : Concat(weights.least_bytes, " to ", weights.most_bytes);
}

bool HasRightSize(const PublishedWeights& weights, std::uint64_t bytes) {
  return bytes >= weights.least_bytes && bytes <= weights.most_bytes;
}

// One file on its way into its part.
class Fetch {
 public:
  Fetch(const PublishedWeights& weights, const GetOptions& options, std::string url, PartFile& part)
      : weights_(weights), options_(options), url_(std::move(url)), part_(part) {}

  // Until it is whole; a connection that was cut is made again, as long as something comes.
  void Run() {
    constexpr int kMostConnections = 10;
    for (int connections = 1;; ++connections) {
      asked_ = part_.size();
      const std::optional<std::string> cut = HttpGet(Request());
      if (!cut && !again_) break;
      if (cut && (part_.size() <= asked_ || connections == kMostConnections)) FailCut(*cut);
      if (part_.validator().empty()) part_.Restart("");
    }
    if (!HasRightSize(weights_, part_.size()))
      Refuse("has ", part_.size(), " bytes, expected ", ExpectedSize(weights_));
  }

  [[nodiscard]] const ToldSums& told() const { return told_; }

  // What was fetched is not what was asked for: nothing of it stays.
  template <typename... Why>
  [[noreturn]] void Refuse(const Why&... why) {
    part_.Discard();
    Fail(ShownUrl(url_), ": ", why..., "; it is not kept");
  }

 private:
  HttpRequest Request() {
    return {url_,
            asked_,
            part_.validator(),
            options_.patience,
            [this](const HttpHead& head) { OnHead(head); },
            [this](std::span<const std::uint8_t> bytes) { OnBody(bytes); }};
  }

  [[noreturn]] void FailCut(const std::string& why) {
    const std::string rest = part_.validator().empty() || part_.size() == 0
                                 ? "what came can't be gone on from"
                                 : Concat("what came is kept, and the next time it goes on from there");
    Fail(ShownUrl(url_), ": the connection was cut at ", part_.size(), " of ",
         total_ ? Concat(*total_) : "an unknown number of", " bytes: ", why, "; ", rest);
  }

  void OnHead(const HttpHead& head) {
    constexpr long kOk = 200;
    constexpr long kPart = 206;
    constexpr long kNoSuchPart = 416;
    again_ = head.status == kNoSuchPart && asked_ > 0;
    if (again_) return part_.Restart("");
    if (head.status != kOk && head.status != kPart) FailStatus(head.status);
    if (Lower(head.type).starts_with("text/html")) RefuseWebPage();
    if (!head.encoding.empty() && head.encoding != "identity")
      Refuse("comes compressed (", head.encoding, "), which nobody asked for");
    if (head.status == kPart) {
      CheckRange(head);
    } else {
      part_.Restart(ValidatorOf(head));
    }
    told_ = {Sha256In(head.linked_etag), Md5In(head.goog_hash)};
    total_ = std::nullopt;
    if (head.length) total_ = part_.size() + *head.length;
    CheckTotal();
  }

  [[noreturn]] void FailStatus(long status) const {
    std::string_view what = "the server can't give it";
    if (status == 404 || status == 410) what = "there is no such file";
    if (status == 401 || status == 403 || status == 407) what = "the server or a proxy forbids it";
    if (status == 429 || status >= 500) what = "the server can't give it now: try again later";
    Fail(ShownUrl(url_), ": ", what, " (HTTP ", status, ")");
  }

  [[noreturn]] void RefuseWebPage() {
    Refuse("a web page came instead of the file: the login page of a network or a proxy, perhaps");
  }

  void CheckRange(const HttpHead& head) {
    const std::string expected = Concat("bytes ", asked_, "-");
    if (asked_ == 0 || !head.range.starts_with(expected))
      Refuse("another part came than was asked for: ", head.range, ", expected ", expected);
    if (head.etag.starts_with('"') && part_.validator().starts_with('"') && head.etag != part_.validator())
      Refuse("the part that came is of another file");
  }

  // Before anything comes, as far as the server tells.
  void CheckTotal() {
    if (total_ && !HasRightSize(weights_, *total_))
      Refuse("has ", *total_, " bytes, expected ", ExpectedSize(weights_));
    const bool checked = !weights_.sha256.empty() || !told_.sha256.empty() || !told_.md5.empty();
    if (!total_ && !checked && weights_.least_bytes != weights_.most_bytes)
      Refuse("the server doesn't tell the length, nor does ", weights_.publisher,
             " a checksum: whether it is whole can't be known");
  }

  void OnBody(std::span<const std::uint8_t> bytes) {
    if (again_) return;
    if (part_.size() == 0 && !bytes.empty() && bytes.front() == '<') RefuseWebPage();
    if (bytes.size() > weights_.most_bytes - part_.size())
      Refuse("has more than ", weights_.most_bytes, " bytes, expected ", ExpectedSize(weights_));
    part_.Append(bytes);
    if (options_.on_progress) options_.on_progress(part_.size(), total_.value_or(0));
  }

  const PublishedWeights& weights_;
  const GetOptions& options_;
  std::string url_;
  PartFile& part_;
  std::uint64_t asked_ = 0;  // the first byte of the present request
  bool again_ = false;       // what was asked for isn't there: ask for all
  std::optional<std::uint64_t> total_;
  ToldSums told_;
};

std::string UrlOf(const PublishedWeights& weights, const std::string& mirror) {
  if (mirror.empty()) return weights.url;
  if (!mirror.starts_with("http://") && !mirror.starts_with("https://"))
    Fail("the mirror is ", ShownUrl(mirror), ", expected an address that begins with http:// or https://");
  return Concat(mirror, mirror.ends_with('/') ? "" : "/", weights.file);
}

std::filesystem::path RecordOf(const std::filesystem::path& path) { return path.string() + ".sha256"; }

// The SHA-256 that was written down when the file was fetched first; empty where there is none.
std::string Recorded(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::exists(RecordOf(path), none)) return "";
  const std::vector<std::string> lines = ReadLines(RecordOf(path));
  std::string sha256 = lines.empty() ? "" : Sha256In(lines.front().substr(0, lines.front().find(' ')));
  if (sha256.empty()) Fail(RecordOf(path).string(), ": is no SHA-256 as sha256sum writes it: remove it");
  return sha256;
}

// What is wrong, or nothing.
std::string Mismatch(const PublishedWeights& weights, const Digests& found, const ToldSums& told,
                     const std::string& recorded) {
  if (!found.sha256.starts_with(weights.sha256))
    return Concat("its SHA-256 is ", found.sha256, ", expected one that begins with ", weights.sha256,
                  ", as ", weights.publisher, " publishes");
  if (!told.sha256.empty() && told.sha256 != found.sha256)
    return Concat("its SHA-256 is ", found.sha256, ", expected ", told.sha256, ", as the server tells");
  if (!told.md5.empty() && !found.md5.empty() && told.md5 != found.md5)
    return Concat("its MD5 is ", found.md5, ", expected ", told.md5, ", as the server tells");
  if (!recorded.empty() && recorded != found.sha256)
    return Concat("its SHA-256 is ", found.sha256, ", but was ", recorded, " when it was fetched first");
  return "";
}

Verification VerifiedBy(const PublishedWeights& weights, const Digests& found, const ToldSums& told,
                        const std::string& recorded) {
  if (found.sha256.empty()) return Verification::kNone;
  if (!weights.sha256.empty()) return Verification::kPublished;
  if (!told.sha256.empty() || (!told.md5.empty() && !found.md5.empty())) return Verification::kServer;
  return recorded.empty() ? Verification::kNone : Verification::kRecorded;
}

void CheckSizeOf(const PublishedWeights& weights, const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) Fail(path.string(), ": can't be examined: ", error.message());
  if (!HasRightSize(weights, bytes))
    Fail(path.string(), ": has ", bytes, " bytes, expected ", ExpectedSize(weights), " for ", weights.name,
         ": remove it, to have it fetched again");
}

// The file that is in the cache.
WeightsFile Present(const PublishedWeights& weights, const std::filesystem::path& path) {
  CheckSizeOf(weights, path);
  const Digests found = DigestsOf(path);
  const std::string recorded = Recorded(path);
  if (const std::string wrong = Mismatch(weights, found, {}, recorded);
      !found.sha256.empty() && !wrong.empty())
    Fail(path.string(), ": ", wrong, ": remove it, to have it fetched again");
  return {path, std::filesystem::file_size(path), false, found.sha256,
          VerifiedBy(weights, found, {}, recorded)};
}

void CreateCache(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    Fail(folder.string(), ": can't be created: ", error.message(),
         ": set XDG_CACHE_HOME to a folder that can be written to");
}

WeightsFile Fetched(const PublishedWeights& weights, const GetOptions& options,
                    const std::filesystem::path& path) {
  const std::string url = UrlOf(weights, options.mirror);
  if (options.offline)
    Fail(weights.name, ": is not in ", path.parent_path().string(),
         " and is not fetched, because of --offline: `mobilenet get ", weights.name, "` fetches it, or copy ",
         weights.file, " there from ", ShownUrl(url));
  CreateCache(path.parent_path());
  PartFile part(path, options.on_wait);
  if (std::filesystem::exists(path)) {  // another process has fetched it meanwhile
    part.Discard();
    return Present(weights, path);
  }
  if (options.on_fetch) options.on_fetch();
  Fetch fetch(weights, options, url, part);
  fetch.Run();
  const Digests found = DigestsOf(part.path());
  const std::string recorded = Recorded(path);
  if (const std::string wrong = Mismatch(weights, found, fetch.told(), recorded); !wrong.empty()) {
    const std::string way =
        recorded.empty() ? ""
                         : Concat(" (if its publisher has changed it, remove ", RecordOf(path).string(), ")");
    fetch.Refuse(wrong, way);
  }
  if (recorded.empty()) WriteFileWhole(RecordOf(path), Concat(found.sha256, "  ", weights.file, "\n"));
  const std::uint64_t bytes = part.size();
  part.Commit();
  return {path, bytes, true, found.sha256, VerifiedBy(weights, found, fetch.told(), recorded)};
}

const char* Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

}  // namespace

std::string_view NameOf(Verification verification) {
  switch (verification) {
    case Verification::kPublished:
      return "published";
    case Verification::kServer:
      return "server";
    case Verification::kRecorded:
      return "recorded";
    case Verification::kNone:
      return "none";
  }
  return "";
}

std::filesystem::path WeightsCache() {
  // A relative one is to be ignored (XDG Base Directory Specification).
  const char* caches = Variable("XDG_CACHE_HOME");
  if (caches != nullptr && *caches == '/') return std::filesystem::path(caches) / "mobilenet";
  const char* home = Variable("HOME");
  if (home == nullptr) Fail("there is no place for weights: neither HOME nor XDG_CACHE_HOME is set");
  return std::filesystem::path(home) / ".cache" / "mobilenet";
}

std::filesystem::path WeightsPath(const PublishedWeights& weights, const GetOptions& options) {
  return (options.cache.empty() ? WeightsCache() : options.cache) / weights.file;
}

WeightsFile GetWeights(const PublishedWeights& weights, const GetOptions& options) {
  const std::filesystem::path path = WeightsPath(weights, options);
  std::error_code none;
  return std::filesystem::exists(path, none) ? Present(weights, path) : Fetched(weights, options, path);
}

Model LoadPublishedWeights(const PublishedWeights& weights, const GetOptions& options) {
  const std::filesystem::path path = WeightsPath(weights, options);
  std::error_code none;
  if (std::filesystem::exists(path, none)) {
    CheckSizeOf(weights, path);
  } else {
    GetWeights(weights, options);
  }
  Model model = [&] {
    try {
      return Model::Load(path);
    } catch (const Error& error) {
      Fail(error.what(), " (if it was damaged where it was fetched: remove it and ", RecordOf(path).string(),
           ", to have it fetched again)");
    }
  }();
  const std::string told = Concat("as ", weights.publisher, " tells: ", weights.listed);
  if (model.network.input.height != weights.resolution || model.network.input.width != weights.resolution)
    model.network = WithResolution(model.network, weights.resolution);
  model.provenance["resolution"] = told;
  model.preprocessing = weights.preprocessing;
  model.provenance["preprocessing"] = told;
  model.provenance["labels"] = "ImageNet's, in the order of the weights";
  model.provenance["source"] = weights.url;
  model.provenance["licence"] = weights.licence;
  return model;
}

}  // namespace mobilenet
