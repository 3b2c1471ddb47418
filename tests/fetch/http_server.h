// An HTTP server on the loopback address, for tests: what it answers is written down byte for byte, so that
// it can lie, cut connections and send people elsewhere.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mobilenet {

struct ServedRequest {
  std::string target;  // "/file", or a whole address where the server is taken for a proxy
  std::map<std::string, std::string> header;  // names in lower case
};

struct ServedAnswer {
  std::string bytes;        // the connection is closed behind them
  bool stays_open = false;  // ... or stays open, silent
};

class HttpServer {
 public:
  using Handler = std::function<ServedAnswer(const ServedRequest&)>;

  // Answers every request by `handler`, which several threads may call at once. With a certificate, in PEM
  // with its key, by TLS.
  explicit HttpServer(Handler handler, const std::string& certificate = "");
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::string url() const;  // "http://127.0.0.1:PORT"
  [[nodiscard]] std::vector<ServedRequest> requests() const;

 private:
  struct Tls;
  void Accept();
  void Serve(int connection);

  Handler handler_;
  std::shared_ptr<Tls> tls_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable ends_;
  bool ending_ = false;
  std::vector<ServedRequest> requests_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

// "HTTP/1.1 200 OK" and the lines of the header, then the body; Content-Length is the body's.
std::string Answer(const std::string& status, const std::string& body, const std::string& lines = "");

// A new key and a certificate by itself for 127.0.0.1, in PEM.
std::string MakeCertificate();

}  // namespace mobilenet
