// What servers and networks do to a download.
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "base/fail.h"
#include "fetch/get_fixture.h"

namespace mobilenet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using DownloadTest = GetTest;

TEST_F(DownloadTest, GoesOnWhereAConnectionWasCut) {
  std::atomic<int> requests = 0;
  const HttpServer server([&](const ServedRequest& request) {
    return ServedAnswer{Cut(Ranged(request), ++requests == 1 ? 60'000 : requests == 2 ? 1 : 0)};
  });
  EXPECT_TRUE(GetWeights(Weights(server), Options()).fetched);
  EXPECT_TRUE(Text("kept.h5") == content_);
  const auto asked = server.requests();
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_FALSE(asked[0].header.contains("range"));
  EXPECT_EQ(asked[1].header.at("range"), "bytes=40000-");
  EXPECT_EQ(asked[1].header.at("if-range"), "\"1\"");
  EXPECT_EQ(asked[2].header.at("range"), "bytes=99999-");
}

TEST_F(DownloadTest, TheNextCallGoesOn) {
  {
    std::atomic<int> requests = 0;
    const HttpServer server([&](const ServedRequest& request) {
      return ServedAnswer{++requests == 1 ? Cut(Ranged(request), 60'000) : ""};
    });
    EXPECT_THAT(
        GetComplaint(Weights(server), {"kept.h5.part", "kept.h5.part.etag"}),
        AllOf(HasSubstr("the connection was cut at 40000 of 100000 bytes: "), HasSubstr("the next time")));
  }
  EXPECT_EQ(Text("kept.h5.part.etag"), "\"1\"\n");
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  GetWeights(Weights(server), Options());
  EXPECT_EQ(server.requests().front().header.at("range"), "bytes=40000-");
  EXPECT_TRUE(Text("kept.h5") == content_);
  EXPECT_THAT(Cached(), testing::UnorderedElementsAre("kept.h5", "kept.h5.sha256"));
}

// Without a part, or with one of another file, a server sends all of it.
TEST_F(DownloadTest, BeginsAnewWhereTheServerSendsAll) {
  Write("kept.h5.part", std::string(5'000, 'x'));
  Write("kept.h5.part.etag", "\"old\"\n");
  const HttpServer server([this](const ServedRequest& /*request*/) {
    return ServedAnswer{Answer("200 OK", content_, "ETag: \"new\"\r\n")};
  });
  GetWeights(Weights(server), Options());
  EXPECT_EQ(server.requests().front().header.at("if-range"), "\"old\"");
  EXPECT_TRUE(Text("kept.h5") == content_);
}

TEST_F(DownloadTest, BeginsAnewWhereThereIsNoSuchPart) {
  Write("kept.h5.part", std::string(200'000, 'x'));
  Write("kept.h5.part.etag", "\"1\"\n");
  const HttpServer server([this](const ServedRequest& request) {
    return ServedAnswer{request.header.contains("range") ? Answer("416 Range Not Satisfiable", "no")
                                                         : Ranged(request)};
  });
  GetWeights(Weights(server), Options());
  EXPECT_EQ(server.requests().size(), 2U);
  EXPECT_TRUE(Text("kept.h5") == content_);
}

// Nothing tells whether what came is of the same file: no ETag, one that stands for less than every byte, no
// date.
TEST_F(DownloadTest, WithoutAValidatorNothingIsPutTogether) {
  for (const char* lines : {"", "ETag: W/\"1\"\r\n"}) {
    std::atomic<int> requests = 0;
    const HttpServer server([&](const ServedRequest& request) {
      return ServedAnswer{Cut(Ranged(request, lines), ++requests == 1 ? 60'000 : 0)};
    });
    GetWeights(Weights(server), Options());
    EXPECT_EQ(server.requests().size(), 2U);
    EXPECT_FALSE(server.requests().back().header.contains("range"));
    EXPECT_TRUE(Text("kept.h5") == content_);
    std::filesystem::remove_all(cache_);
    EXPECT_THAT(ComplaintOf([&](const ServedRequest& request) {
                  return ServedAnswer{Cut(Ranged(request, lines), 60'000)};
                }),
                HasSubstr("what came can't be gone on from"));
  }
  Write("kept.h5.part", std::string(5'000, 'x'));  // without its validator
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  GetWeights(Weights(server), Options());
  EXPECT_FALSE(server.requests().front().header.contains("range"));
}

TEST_F(DownloadTest, ADateIsAValidator) {
  const std::string date = "Sat, 01 Aug 2020 00:00:00 GMT";
  std::atomic<int> requests = 0;
  const HttpServer server([&](const ServedRequest& request) {
    return ServedAnswer{
        Cut(Ranged(request, "Last-Modified: " + date + "\r\n"), ++requests == 1 ? 60'000 : 0)};
  });
  GetWeights(Weights(server), Options());
  EXPECT_EQ(server.requests().back().header.at("if-range"), date);
  EXPECT_TRUE(Text("kept.h5") == content_);
}

TEST_F(DownloadTest, AnotherPartThanAskedForIsRefused) {
  const auto complaint = [this](const std::string& range, const std::string& etag) {
    Write("kept.h5.part", std::string(40'000, 'x'));
    Write("kept.h5.part.etag", "\"1\"\n");
    return ComplaintOf([=, this](const ServedRequest& /*request*/) {
      return ServedAnswer{Answer("206 Partial Content", content_.substr(40'000),
                                 "Content-Range: " + range + "\r\nETag: " + etag + "\r\n")};
    });
  };
  EXPECT_THAT(complaint("bytes 0-99999/100000", "\"1\""),
              HasSubstr("another part came than was asked for: bytes 0-"));
  EXPECT_THAT(complaint("bytes 40000-99999/100000", "\"2\""), HasSubstr("of another file"));
  EXPECT_THAT(ComplaintOf([](const ServedRequest& /*request*/) {
                return ServedAnswer{Answer("206 Partial Content", "part", "Content-Range: bytes 0-3/9\r\n")};
              }),
              HasSubstr("another part"));
}

TEST_F(DownloadTest, WrongLengthsAreRefused) {
  const auto complaint = [this](const std::string& answer) {
    return ComplaintOf([answer](const ServedRequest& /*request*/) { return ServedAnswer{answer}; });
  };
  EXPECT_THAT(complaint(Answer("200 OK", content_.substr(1))), HasSubstr("has 99999 bytes, expected 100000"));
  EXPECT_THAT(complaint(Answer("200 OK", content_ + "!")), HasSubstr("has 100001 bytes, expected 100000"));
  EXPECT_THAT(complaint(Answer("200 OK", "")), HasSubstr("has 0 bytes, expected 100000"));
  const std::string unknown = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(complaint(unknown + content_.substr(1)), HasSubstr("has 99999 bytes, expected 100000"));
  EXPECT_THAT(complaint(unknown + content_ + "!"), HasSubstr("has more than 100000 bytes"));
  EXPECT_THAT(complaint("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + content_.substr(1)),
              HasSubstr("the connection was cut at "));
  EXPECT_THAT(complaint("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + content_),
              testing::Not(HasSubstr("no error")));
  EXPECT_THAT(complaint("SSH-2.0-OpenSSH_9.2\r\n"), HasSubstr("can't be fetched"));
}

// Neither a length nor a checksum: the end of the connection could be anywhere.
TEST_F(DownloadTest, WhatMayBeCutAnywhereIsRefused) {
  const HttpServer server([this](const ServedRequest& /*request*/) {
    return ServedAnswer{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content_};
  });
  PublishedWeights weights = Weights(server);
  EXPECT_TRUE(GetWeights(weights, Options()).fetched);  // of this one the size is known
  std::filesystem::remove_all(cache_);
  weights.most_bytes += 1000;
  EXPECT_THAT(GetComplaint(weights),
              HasSubstr("the server doesn't tell the length, nor does Nobody a checksum"));
}

TEST_F(DownloadTest, AStatusIsToldInWords) {
  const auto complaint = [this](const std::string& status) {
    return ComplaintOf(
        [status](const ServedRequest& /*request*/) { return ServedAnswer{Answer(status, "<html>")}; });
  };
  EXPECT_THAT(complaint("404 Not Found"), HasSubstr("/file.h5: there is no such file (HTTP 404)"));
  EXPECT_THAT(complaint("403 Forbidden"), HasSubstr("forbids it (HTTP 403)"));
  EXPECT_THAT(complaint("500 Internal Server Error"), HasSubstr("try again later (HTTP 500)"));
  EXPECT_THAT(complaint("204 No Content"), HasSubstr("can't give it (HTTP 204)"));
}

TEST_F(DownloadTest, AFailingServerLeavesWhatHasCome) {
  Write("kept.h5.part", content_.substr(0, 40'000));
  Write("kept.h5.part.etag", "\"1\"\n");
  const HttpServer server(
      [](const ServedRequest& /*request*/) { return ServedAnswer{Answer("503 Busy", "")}; });
  EXPECT_THAT(GetComplaint(Weights(server), {"kept.h5.part", "kept.h5.part.etag"}), HasSubstr("HTTP 503"));
}

TEST_F(DownloadTest, AWebPageInsteadOfTheFileIsRefused) {
  const std::string page = "<!DOCTYPE html>" + std::string(content_.size() - 15, ' ');
  for (const char* type : {"text/html; charset=utf-8", "application/octet-stream"}) {
    EXPECT_THAT(ComplaintOf([&](const ServedRequest& /*request*/) {
                  return ServedAnswer{Answer("200 OK", page, std::string("Content-Type: ") + type + "\r\n")};
                }),
                HasSubstr("a web page came instead of the file"));
  }
}

TEST_F(DownloadTest, WhatIsCompressedIsRefused) {
  EXPECT_THAT(ComplaintOf([this](const ServedRequest& /*request*/) {
                return ServedAnswer{Answer("200 OK", content_, "Content-Encoding: gzip\r\n")};
              }),
              HasSubstr("comes compressed (gzip)"));
}

TEST_F(DownloadTest, ASilentServerIsGivenUp) {
  const HttpServer server([this](const ServedRequest& request) {
    return ServedAnswer{request.header.contains("range") ? "" : Cut(Ranged(request), 99'998), true};
  });
  GetOptions options = Options();
  options.patience = std::chrono::seconds(1);
  EXPECT_THAT(Complaint([&] { GetWeights(Weights(server), options); }),
              HasSubstr("cut at 2 of 100000 bytes"));
}

TEST_F(DownloadTest, NobodyListens) {
  std::string url;
  {
    const HttpServer gone([](const ServedRequest& /*request*/) { return ServedAnswer{}; });
    url = gone.url();
  }
  const HttpServer server([](const ServedRequest& /*request*/) { return ServedAnswer{}; });
  PublishedWeights weights = Weights(server);
  weights.url = url + "/file.h5";
  EXPECT_THAT(GetComplaint(weights), HasSubstr(weights.url + ": can't be fetched: "));
  weights.url = "file:///etc/passwd";
  EXPECT_THAT(GetComplaint(weights), HasSubstr("nothing but HTTP is followed"));
  EXPECT_THAT(server.requests(), IsEmpty());
}

class RedirectTest : public GetTest {
 protected:
  // What comes of a redirect to `place`.
  std::string Redirected(const std::string& place, const std::string& certificate = "") {
    const HttpServer server(
        [&](const ServedRequest& /*request*/) {
          return ServedAnswer{Answer("302 Found", "moved", "Location: " + place + "\r\n")};
        },
        certificate);
    return GetComplaint(Weights(server));
  }

  // Trusts certificates that are in this file, too.
  void Trust(const std::string& certificate) const {
    const auto path = directory_.path() / "trusted.pem";
    std::ofstream(path) << certificate;
    setenv("SSL_CERT_FILE", path.c_str(), 1);
  }

  ~RedirectTest() override { unsetenv("SSL_CERT_FILE"); }

  HttpServer::Handler Gives() {
    return [this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; };
  }
};

TEST_F(RedirectTest, AreFollowedAFewTimes) {
  const HttpServer other(Gives());
  const HttpServer server([&](const ServedRequest& request) {
    return ServedAnswer{Answer(
        "302 Found", "",
        request.target == "/file.h5" ? "Location: /there\r\n" : "Location: " + other.url() + "/it\r\n")};
  });
  EXPECT_TRUE(GetWeights(Weights(server), Options()).fetched);
  EXPECT_EQ(other.requests().front().target, "/it");
  std::filesystem::remove_all(cache_);
  EXPECT_THAT(Redirected("/file.h5"), HasSubstr("redirects"));
}

TEST_F(RedirectTest, NothingButHttpIsFollowed) {
  for (const char* place :
       {"file:///etc/passwd", "ftp://127.0.0.1/file", "gopher://127.0.0.1:1/", "dict://127.0.0.1/"})
    EXPECT_THAT(Redirected(place), HasSubstr("nothing but HTTP is followed")) << place;
}

TEST_F(RedirectTest, FromHttpsOnlyToHttps) {
  const std::string certificate = MakeCertificate();
  Trust(certificate);
  const HttpServer plain(Gives());
  EXPECT_THAT(Redirected(plain.url() + "/file.h5", certificate), HasSubstr("must be https"));
  EXPECT_THAT(plain.requests(), IsEmpty());
  const HttpServer secure(Gives(), certificate);
  const HttpServer redirects(
      [&](const ServedRequest& /*request*/) {
        return ServedAnswer{Answer("302 Found", "", "Location: " + secure.url() + "/file.h5\r\n")};
      },
      certificate);
  EXPECT_TRUE(GetWeights(Weights(redirects), Options()).fetched);
  EXPECT_EQ(secure.requests().size(), 1U);
}

TEST_F(RedirectTest, ACertificateMustBeTrusted) {
  const std::string certificate = MakeCertificate();
  const HttpServer secure(Gives(), certificate);
  EXPECT_THAT(GetComplaint(Weights(secure)), HasSubstr("certificate"));
  Trust(MakeCertificate());
  EXPECT_THAT(GetComplaint(Weights(secure)), HasSubstr("certificate"));
  EXPECT_THAT(secure.requests(), IsEmpty());
  Trust(certificate);
  EXPECT_TRUE(GetWeights(Weights(secure), Options()).fetched);
}

TEST_F(DownloadTest, AProxyIsUsedButWhereItIsNotToBe) {
  const HttpServer proxy([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  PublishedWeights weights = Weights(proxy);
  weights.url = "http://publisher.invalid/file.h5";
  setenv("http_proxy", proxy.url().c_str(), 1);
  EXPECT_TRUE(GetWeights(weights, Options()).fetched);
  EXPECT_EQ(proxy.requests().front().target, "http://publisher.invalid/file.h5");
  std::filesystem::remove_all(cache_);
  const HttpServer server([this](const ServedRequest& request) { return ServedAnswer{Ranged(request)}; });
  setenv("no_proxy", "127.0.0.1", 1);
  EXPECT_TRUE(GetWeights(Weights(server), Options()).fetched);
  EXPECT_EQ(proxy.requests().size(), 1U);
  unsetenv("http_proxy");
  unsetenv("no_proxy");
}

}  // namespace
}  // namespace mobilenet
