// Published weights by name: fetched where they are published, checked, and kept. Part of libmobilenet.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "mobilenet/export.h"
#include "mobilenet/model.h"
#include "mobilenet/network.h"
#include "mobilenet/preprocessing.h"

namespace mobilenet {

// Weights for ImageNet's 1000 classes that somebody has published.
struct PublishedWeights {
  std::string name;       // "v1-1.0-224": version, alpha, resolution, and the publisher if it isn't Keras
  std::string publisher;  // "Keras", "torchvision" or "timm"
  std::string licence;    // as SPDX calls it
  std::string url;
  std::string file;    // what it is called in the cache and on mirrors
  std::string listed;  // where the publisher lists it: "keras/src/applications/mobilenet.py"
  std::string sha256;  // as published, in lower case hexadecimal: the first digits, or nothing at all
  // What the file may have: as the publisher tells its size, or, where it doesn't, between the values alone
  // and 1 MiB more.
  std::uint64_t least_bytes = 0;
  std::uint64_t most_bytes = 0;
  int resolution = 224;         // that they were trained at, which not all files tell
  Preprocessing preprocessing;  // that its publisher evaluates them with
};

// All that have a name here, the same in each call. They live as long as the process.
[[nodiscard]] MOBILENET_EXPORT std::span<const PublishedWeights> AllPublishedWeights();

// Those of that name; null where there are none. A version by itself, "v3-large", is short for its network of
// alpha 1 at the resolution that it was designed for.
[[nodiscard]] MOBILENET_EXPORT const PublishedWeights* FindPublishedWeights(std::string_view name);

// What a file's content was compared with. A server's own checksum shows what was damaged on the way, not
// what was exchanged on the server.
enum class Verification {
  kPublished,  // the SHA-256 that the publisher lists, or its first digits
  kServer,     // the checksum that the server told when it was fetched
  kRecorded,   // the SHA-256 that was written down when it was fetched first
  kNone,       // nothing: the publisher lists no checksum, the server told none
};

// "published", "server", "recorded", "none".
[[nodiscard]] MOBILENET_EXPORT std::string_view NameOf(Verification verification);

// Where weights are kept, and how they are fetched.
struct GetOptions {
  std::filesystem::path cache = {};  // the folder; empty: WeightsCache()
  bool offline = false;              // never connects
  // Where to look instead of at the publishers: "http://mirror.lan/weights" for files under their names
  // (PublishedWeights::file) right below it. http:// or https://.
  std::string mirror = {};
  std::chrono::seconds patience{30};  // without a connection, or a byte of an answer
  // Before something is fetched, and after each piece of it; `total` is 0 where nobody has told it. What they
  // throw is passed on.
  std::function<void()> on_fetch = nullptr;
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress = nullptr;
  std::function<void()> on_wait = nullptr;  // before waiting for another process that fetches the same
};

// A file of weights.
struct WeightsFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  bool fetched = false;  // now; else it was there
  std::string sha256;    // of the whole file, 64 digits
  Verification verification = Verification::kNone;
};

// $XDG_CACHE_HOME/mobilenet, or else ~/.cache/mobilenet. Throws Error where neither variable is set.
[[nodiscard]] MOBILENET_EXPORT std::filesystem::path WeightsCache();

// Where the file of these weights is or would be.
[[nodiscard]] MOBILENET_EXPORT std::filesystem::path WeightsPath(const PublishedWeights& weights,
                                                                 const GetOptions& options = {});

// The file of these weights: the one in the cache or, where there is none, fetched into it. It appears whole
// and checked or not at all. What is cut off lies beside it as FILE.part, and the next call goes on from
// there if the server still has the same file. Its SHA-256 is written beside it (FILE.sha256, as sha256sum
// does) and what is fetched again later must have the same. Redirects are followed from https to https only;
// a proxy in the environment's http_proxy, https_proxy, all_proxy and no_proxy is used; $SSL_CERT_FILE names
// the certificates to trust if not the system's.
//
// Throws Error where there is none and options.offline or a build without libcurl forbids to fetch it; where
// it can't be fetched; and where its size or checksum is another than expected. Safe from any thread, and in
// any number of processes: one fetches, the others wait for it.
MOBILENET_EXPORT WeightsFile GetWeights(const PublishedWeights& weights, const GetOptions& options = {});

// The model of these weights, from the cache or fetched into it as GetWeights does, but that a file that is
// there is not hashed again: with the publisher's preprocessing and resolution, and ImageNet's labels, none
// of them a guess. Throws Error as GetWeights and Model::Load do.
[[nodiscard]] MOBILENET_EXPORT Model LoadPublishedWeights(const PublishedWeights& weights,
                                                          const GetOptions& options = {});

}  // namespace mobilenet
