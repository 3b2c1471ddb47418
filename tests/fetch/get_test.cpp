// The cache: what comes into it, and what is told about it.
#include <array>
#include <atomic>
#include <cstdio>
#include <future>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/fail.h"
#include "fetch/get_fixture.h"
#include "mobilenet/mobilenet.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// By the system's own programs.
std::string SumOf(const std::string& command, const std::string& content,
                  const TemporaryDirectory& directory) {
  const std::string path = (directory.path() / "summed").string();
  std::ofstream(path, std::ios::binary) << content;
  FILE* pipe = popen(("cat " + path + " | " + command).c_str(), "r");
  std::array<char, 256> line{};
  const std::size_t count = std::fread(line.data(), 1, line.size(), pipe);
  pclose(pipe);
  const std::string text(line.data(), count);
  return text.substr(0, text.find_first_of(" \n"));
}

TEST_F(GetTest, FetchesOnceAndKeepsTheFileWithItsChecksum) {
  const std::string sha256 = SumOf("sha256sum", content_, directory_);
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  PublishedWeights weights = Weights(server);
  weights.sha256 = sha256.substr(0, 8);
  std::vector<std::uint64_t> progress;
  int fetches = 0;
  GetOptions options = Options();
  options.on_fetch = [&] { ++fetches; };
  options.on_progress = [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(total, content_.size());
    progress.push_back(done);
  };
  const WeightsFile file = GetWeights(weights, options);
  EXPECT_TRUE(file.fetched);
  EXPECT_EQ(file.path, cache_ / "kept.h5");
  EXPECT_EQ(file.bytes, content_.size());
  EXPECT_EQ(file.sha256, sha256);
  EXPECT_EQ(file.verification, Verification::kPublished);
  EXPECT_TRUE(Text("kept.h5") == content_);
  EXPECT_EQ(Text("kept.h5.sha256"), sha256 + "  kept.h5\n");
  EXPECT_THAT(Cached(), UnorderedElementsAre("kept.h5", "kept.h5.sha256"));
  EXPECT_EQ(progress.back(), content_.size());
  const WeightsFile again = GetWeights(weights, options);
  EXPECT_FALSE(again.fetched);
  EXPECT_EQ(again.sha256, sha256);
  EXPECT_EQ(again.verification, Verification::kPublished);
  EXPECT_EQ(fetches, 1);
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests().front().target, "/file.h5");
}

TEST_F(GetTest, WithoutAPublishedChecksumNothingIsVerified) {
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  EXPECT_EQ(GetWeights(Weights(server), Options()).verification, Verification::kNone);
  EXPECT_EQ(GetWeights(Weights(server), Options()).verification, Verification::kRecorded);
}

TEST_F(GetTest, AnotherChecksumThanPublishedIsRefused) {
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  PublishedWeights weights = Weights(server);
  weights.sha256 = "0123abcd";
  EXPECT_THAT(GetComplaint(weights),
              testing::ContainsRegex("its SHA-256 is [0-9a-f]{64}, expected one that begins with "
                                     "0123abcd, as Nobody publishes; it is not kept"));
}

TEST_F(GetTest, WhatWasFetchedFirstIsComparedWithWhatComesLater) {
  std::string content = content_;
  const HttpServer server(
      [&content](const ServedRequest& /*request*/) { return ServedAnswer{Answer("200 OK", content)}; });
  const std::string first = GetWeights(Weights(server), Options()).sha256;
  std::filesystem::remove(cache_ / "kept.h5");
  EXPECT_EQ(GetWeights(Weights(server), Options()).verification, Verification::kRecorded);
  std::filesystem::remove(cache_ / "kept.h5");
  content[7] = '!';
  const std::string complaint = GetComplaint(Weights(server), {"kept.h5.sha256"});
  EXPECT_THAT(complaint, HasSubstr("but was " + first + " when it was fetched first"));
  EXPECT_THAT(complaint, HasSubstr("remove " + (cache_ / "kept.h5.sha256").string()));
  std::filesystem::remove(cache_ / "kept.h5.sha256");
  EXPECT_EQ(GetWeights(Weights(server), Options()).verification, Verification::kNone);
}

TEST_F(GetTest, ADamagedRecordIsNoChecksum) {
  Write("kept.h5", content_);
  Write("kept.h5.sha256", "no checksum\n");
  PublishedWeights weights;
  weights.file = "kept.h5";
  weights.least_bytes = weights.most_bytes = content_.size();
  EXPECT_THAT(Complaint([&] { GetWeights(weights, Options()); }), HasSubstr("kept.h5.sha256: is no SHA-256"));
}

// Hugging Face's server tells a SHA-256 with its redirect, Google's an MD5 with the file.
TEST_F(GetTest, TheServersOwnChecksumsAreCompared) {
  const std::string sha256 = SumOf("sha256sum", content_, directory_);
  const std::string md5 = SumOf("openssl dgst -md5 -binary | base64", content_, directory_);
  const auto linked = [this](const std::string& sum) {
    return HttpServer([this, sum](const ServedRequest& request) {
      if (request.target != "/file.h5") return ServedAnswer{Ranged(request)};
      return ServedAnswer{Answer("302 Found", "", "Location: /cdn\r\nX-Linked-ETag: \"" + sum + "\"\r\n")};
    });
  };
  const auto google = [this](const std::string& sum) {
    return HttpServer([this, sum](const ServedRequest& /*request*/) {
      return ServedAnswer{
          Answer("200 OK", content_, "x-goog-hash: crc32c=n03x6A==\r\nx-goog-hash: md5=" + sum + "\r\n")};
    });
  };
  {
    const HttpServer wrong = linked(std::string(64, '0'));
    EXPECT_THAT(GetComplaint(Weights(wrong)),
                HasSubstr("expected " + std::string(64, '0') + ", as the server tells"));
    const HttpServer wrong_md5 = google("AAAAAAAAAAAAAAAAAAAAAA==");
    EXPECT_THAT(GetComplaint(Weights(wrong_md5)), HasSubstr("its MD5 is " + md5 + ", expected AAAA"));
  }
  for (const bool by_linked : {true, false}) {
    const HttpServer right = by_linked ? linked(sha256) : google(md5);
    EXPECT_EQ(GetWeights(Weights(right), Options()).verification, Verification::kServer);
    std::filesystem::remove_all(cache_);
  }
}

TEST_F(GetTest, OfflineNothingConnects) {
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  GetOptions options = Options();
  options.offline = true;
  const PublishedWeights weights = Weights(server);
  EXPECT_THAT(Complaint([&] { GetWeights(weights, options); }),
              HasSubstr("is not fetched, because of --offline"));
  EXPECT_THAT(Complaint([&] { (void)LoadPublishedWeights(weights, options); }), HasSubstr("--offline"));
  EXPECT_THAT(server.requests(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(cache_));
  GetWeights(weights, Options());
  EXPECT_FALSE(GetWeights(weights, options).fetched);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(GetTest, AMirrorHasTheFilesUnderTheirNames) {
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  PublishedWeights weights = Weights(server);
  weights.url = "https://publisher.invalid/other";
  GetOptions options = Options();
  for (const char* end : {"", "/"}) {
    options.mirror = server.url() + "/some/folder" + end;
    EXPECT_TRUE(GetWeights(weights, options).fetched);
    EXPECT_EQ(server.requests().back().target, "/some/folder/kept.h5");
    std::filesystem::remove_all(cache_);
  }
  options.mirror = "/srv/mirror";
  EXPECT_THAT(
      Complaint([&] { GetWeights(weights, options); }),
      HasSubstr("the mirror is /srv/mirror, expected an address that begins with http:// or https://"));
  // Nobody's password stands in a message.
  const HttpServer none(
      [](const ServedRequest& /*request*/) { return ServedAnswer{Answer("404 Not Found", "")}; });
  options.mirror = "http://me:secret@" + none.url().substr(7);
  EXPECT_EQ(Complaint([&] { GetWeights(weights, options); }),
            none.url() + "/kept.h5: there is no such file (HTTP 404)");
  EXPECT_THAT(none.requests().front().header.at("authorization"), testing::StartsWith("Basic "));
}

TEST_F(GetTest, WhatIsInTheCacheIsLookedAt) {
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  PublishedWeights weights = Weights(server);
  weights.sha256 = "0123abcd";
  Write("kept.h5", content_);
  EXPECT_THAT(GetComplaint(weights, {"kept.h5"}), HasSubstr("expected one that begins with 0123abcd"));
  Write("kept.h5", "short");
  EXPECT_THAT(GetComplaint(weights, {"kept.h5"}),
              HasSubstr("has 5 bytes, expected 100000 for test: remove it"));
  EXPECT_THAT(Complaint([&] { (void)LoadPublishedWeights(weights, Options()); }), HasSubstr("has 5 bytes"));
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(GetTest, ACacheThatCantBeMadeIsToldBeforeAnythingIsFetched) {
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  std::ofstream(directory_.path() / "file") << "in the way";
  GetOptions options = Options();
  options.cache = directory_.path() / "file" / "cache";
  EXPECT_THAT(Complaint([&] { GetWeights(Weights(server), options); }),
              testing::AllOf(HasSubstr("file/cache: can't be created: "), HasSubstr("XDG_CACHE_HOME")));
  options.cache = cache_;
  std::filesystem::create_directories(cache_ / "kept.h5.part");
  EXPECT_THAT(Complaint([&] { GetWeights(Weights(server), options); }),
              HasSubstr("kept.h5.part: can't be created: "));
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(GetTest, WhatACallerThrowsIsPassedOn) {
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  GetOptions options = Options();
  options.on_progress = [](std::uint64_t, std::uint64_t) { throw std::runtime_error("enough"); };
  EXPECT_THROW(GetWeights(Weights(server), options), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(cache_ / "kept.h5"));
}

// The server holds the first back until the second waits for it.
TEST_F(GetTest, OfTwoAtOnceOneFetchesAndTheOtherWaits) {
  std::promise<void> asked;
  std::promise<void> waits;
  const HttpServer server([&](const ServedRequest& request) {
    asked.set_value();  // throws where there is a second request
    waits.get_future().wait();
    return ServedAnswer{Ranged(request)};
  });
  const PublishedWeights weights = Weights(server);
  WeightsFile first;
  std::thread other([&] { first = GetWeights(weights, Options()); });
  asked.get_future().wait();
  GetOptions options = Options();
  options.on_wait = [&] { waits.set_value(); };
  options.on_fetch = [] { FAIL() << "fetched twice"; };
  const WeightsFile second = GetWeights(weights, options);
  other.join();
  EXPECT_TRUE(first.fetched);
  EXPECT_FALSE(second.fetched);
  EXPECT_EQ(first.sha256, second.sha256);
  EXPECT_TRUE(Text("kept.h5") == content_);
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(Cached(), UnorderedElementsAre("kept.h5", "kept.h5.sha256"));
}

// The first one's connection is cut, so that the second goes on from there.
TEST_F(GetTest, WhoWaitedGoesOnWhereTheOtherWasCut) {
  std::promise<void> asked;
  std::promise<void> waits;
  std::atomic<int> requests = 0;
  const HttpServer server([&](const ServedRequest& request) {
    if (++requests == 1) {
      asked.set_value();
      waits.get_future().wait();
      return ServedAnswer{Cut(Ranged(request), 40'000)};
    }
    return ServedAnswer{requests == 2 ? "" : Ranged(request)};
  });
  const PublishedWeights weights = Weights(server);
  std::string complaint;
  std::thread other([&] { complaint = Complaint([&] { GetWeights(weights, Options()); }); });
  asked.get_future().wait();
  GetOptions options = Options();
  options.on_wait = [&] { waits.set_value(); };
  EXPECT_TRUE(GetWeights(weights, options).fetched);
  other.join();
  EXPECT_THAT(complaint, HasSubstr("cut at 60000 of 100000 bytes"));
  EXPECT_EQ(server.requests().back().header.at("range"), "bytes=60000-");
  EXPECT_TRUE(Text("kept.h5") == content_);
}

TEST_F(GetTest, AModelHasWhatItsPublisherTellsAndNoGuess) {
  Model model;
  model.network = V1({.alpha = 0.25, .resolution = 64, .classes = 1000});
  model.weights = RandomWeights(model.network, 1);
  model.Save(directory_.path() / "m.safetensors");
  std::ostringstream text;
  text << std::ifstream(directory_.path() / "m.safetensors", std::ios::binary).rdbuf();
  content_ = text.str();
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  PublishedWeights weights = Weights(server);
  weights.licence = "MIT";
  weights.listed = "a list";
  weights.resolution = 96;
  weights.preprocessing = PreprocessingPreset("caffe");
  weights.preprocessing.filter = ResizeFilter::kLanczos;
  const Model loaded = LoadPublishedWeights(weights, Options());
  EXPECT_EQ(loaded.network.input, (Shape{96, 96, 3}));
  EXPECT_EQ(loaded.preprocessing, weights.preprocessing);
  EXPECT_FALSE(loaded.PreprocessingProbability().has_value());
  EXPECT_EQ(loaded.Label(1), "goldfish");
  EXPECT_FALSE(loaded.LabelsAreAssumed());
  EXPECT_EQ(loaded.provenance.at("source"), weights.url);
  EXPECT_EQ(loaded.provenance.at("licence"), "MIT");
  EXPECT_EQ(loaded.provenance.at("preprocessing"), "as Nobody tells: a list");
}

TEST(PublishedWeights, TheCacheIsWhereTheSpecificationSays) {
  const char* home = std::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  setenv("HOME", "/home/me", 1);
  setenv("XDG_CACHE_HOME", "/caches", 1);
  EXPECT_EQ(WeightsCache(), "/caches/mobilenet");
  for (const char* ignored : {"", "relative/path"}) {
    setenv("XDG_CACHE_HOME", ignored, 1);
    EXPECT_EQ(WeightsCache(), "/home/me/.cache/mobilenet");
  }
  unsetenv("HOME");
  EXPECT_THAT(Complaint([] { (void)WeightsCache(); }), HasSubstr("neither HOME nor XDG_CACHE_HOME is set"));
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", before.c_str(), 1);
}

TEST(PublishedWeights, TheTableHasNamesAddressesAndChecksumsOfTheirKind) {
  std::set<std::string> names;
  std::set<std::string> files;
  std::set<std::string> urls;
  for (const PublishedWeights& w : AllPublishedWeights()) {
    SCOPED_TRACE(w.name);
    EXPECT_TRUE(std::regex_match(w.name, std::regex("v[1-4][a-z-]*-[0-9.]+d?-[0-9]+(-[a-z0-9]+)?")));
    EXPECT_TRUE(names.insert(w.name).second);
    EXPECT_TRUE(files.insert(w.file).second);
    EXPECT_TRUE(urls.insert(w.url).second);
    EXPECT_TRUE(std::regex_match(w.file, std::regex("[A-Za-z0-9_.-]+\\.(h5|pth|safetensors)")));
    EXPECT_TRUE(std::regex_match(w.url, std::regex("https://[A-Za-z0-9_./-]+")));
    EXPECT_TRUE(std::regex_match(w.sha256, std::regex("([0-9a-f]{8}|[0-9a-f]{64})?")));
    EXPECT_GT(w.least_bytes, 1'000'000U);
    EXPECT_LE(w.least_bytes, w.most_bytes);
    EXPECT_NO_THROW(CheckPreprocessing(w.preprocessing));
    EXPECT_EQ(FindPublishedWeights(w.name), &w);
  }
  EXPECT_EQ(FindPublishedWeights("v1-1.0"), nullptr);
  for (const std::string& version : RecipeNames()) {
    const PublishedWeights* full = FindPublishedWeights(version);
    ASSERT_NE(full, nullptr) << version;
    EXPECT_THAT(full->name, testing::StartsWith(version + "-1.0-"));
  }
}

// The values that a file has are those of the network that it is named after, and batch norms not folded.
TEST(PublishedWeights, SizesAreThoseOfTheNetworks) {
  const std::regex plain("(v[1-4][a-z-]*)-([0-9.]+)-([0-9]+)(-.*)?");
  int compared = 0;
  std::map<std::string, std::uint64_t> values_of;  // by version and alpha
  for (const PublishedWeights& w : AllPublishedWeights()) {
    std::smatch match;
    if (!std::regex_match(w.name, match, plain)) continue;  // timm's deeper ones, 110d and 120d
    SCOPED_TRACE(w.name);
    EXPECT_EQ(w.resolution, std::stoi(match[3]));
    std::uint64_t& values = values_of[match[1].str() + " " + match[2].str()];
    if (values == 0) {
      Recipe recipe = *RecipeNamed(match[1].str());
      std::visit([&](auto& options) { options.alpha = std::stod(match[2]); }, recipe);
      if (auto* v3 = std::get_if<V3Options>(&recipe)) v3->widths = V3Widths::kTimm;
      for (const Parameter& parameter : ParametersOf(Build(recipe)))
        values += static_cast<std::uint64_t>(parameter.size());
    }
    EXPECT_GE(w.most_bytes, 4 * values);
    EXPECT_LE(w.most_bytes, 4 * values + (1U << 20U));
    if (w.publisher == "Keras") {
      EXPECT_EQ(w.least_bytes, 4 * values);
    }
    ++compared;
  }
  EXPECT_EQ(compared, 59);
}

// torchvision's file as a package has it: 14,212,972 bytes.
TEST(PublishedWeights, TorchvisionsSizeIsKnownToAKibibyte) {
  const PublishedWeights* weights = FindPublishedWeights("v2-1.0-224-torchvision1");
  ASSERT_NE(weights, nullptr);
  EXPECT_LE(weights->least_bytes, 14'212'972U);
  EXPECT_GE(weights->most_bytes, 14'212'972U);
  EXPECT_LE(weights->most_bytes - weights->least_bytes, 1'051U);
  EXPECT_EQ(weights->preprocessing, PreprocessingPreset("pytorch"));
}

}  // namespace
}  // namespace mobilenet
