// A server that has a file of weights, and a cache to get it into.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "complaint.h"
#include "fetch/http_server.h"
#include "gmock/gmock.h"
#include "mobilenet/published_weights.h"
#include "temporary_directory.h"

namespace mobilenet {

class GetTest : public testing::Test {
 protected:
  GetTest() {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
                             "NO_PROXY", "SSL_CERT_FILE"})
      unsetenv(name);
    for (int i = 0; i < 100'000; ++i) content_ += static_cast<char>('A' + i % 251 * i % 50);
  }

  // Weights whose checksum isn't published, at the server's /file.h5.
  [[nodiscard]] PublishedWeights Weights(const HttpServer& server) const {
    PublishedWeights weights;
    weights.name = "test";
    weights.publisher = "Nobody";
    weights.url = server.url() + "/file.h5";
    weights.file = "kept.h5";
    weights.least_bytes = content_.size();
    weights.most_bytes = content_.size();
    return weights;
  }

  [[nodiscard]] GetOptions Options() const {
    GetOptions options;
    options.cache = cache_;
    return options;
  }

  // What GetWeights complains about. Nothing but `left` is in the cache then.
  std::string GetComplaint(const PublishedWeights& weights, const std::vector<std::string>& left = {}) const {
    std::string complaint = Complaint([&] { GetWeights(weights, Options()); });
    EXPECT_THAT(Cached(), testing::UnorderedElementsAreArray(left)) << complaint;
    return complaint;
  }
  std::string ComplaintOf(const HttpServer::Handler& handler) const {
    const HttpServer server(handler);
    return GetComplaint(Weights(server));
  }

  [[nodiscard]] std::vector<std::string> Cached() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(cache_, none))
      names.push_back(entry.path().filename().string());
    return names;
  }

  [[nodiscard]] std::string Text(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(cache_ / name, std::ios::binary).rdbuf();
    return text.str();
  }

  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(cache_);
    std::ofstream(cache_ / name, std::ios::binary) << text;
  }

  // The whole file, or from the byte on that was asked for.
  [[nodiscard]] std::string Ranged(const ServedRequest& request,
                                   const std::string& lines = "ETag: \"1\"\r\n") const {
    const auto range = request.header.find("range");
    if (range == request.header.end()) return Answer("200 OK", content_, lines);
    const std::size_t from = std::stoul(range->second.substr(std::string("bytes=").size()));
    return Answer("206 Partial Content", content_.substr(from),
                  "Content-Range: bytes " + std::to_string(from) + "-" + std::to_string(content_.size() - 1) +
                      "/" + std::to_string(content_.size()) + "\r\n" + lines);
  }

  // Without its last bytes.
  static std::string Cut(std::string answer, std::size_t bytes) {
    answer.resize(answer.size() - bytes);
    return answer;
  }

  TemporaryDirectory directory_;
  std::filesystem::path cache_ = directory_.path() / "a" / "cache";
  std::string content_;
};

}  // namespace mobilenet
