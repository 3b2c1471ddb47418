#include "fetch/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "base/lower.h"

namespace mobilenet {
namespace {

template <typename T>
T* Need(T* made) {
  if (made == nullptr) throw std::runtime_error("OpenSSL fails");
  return made;
}

std::string TextOf(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

// The bytes of one connection, with or without TLS.
class Connection {
 public:
  Connection(int socket, SSL_CTX* tls) : socket_(socket), ssl_(nullptr, SSL_free) {
    if (tls == nullptr) return;
    ssl_.reset(Need(SSL_new(tls)));
    SSL_set_fd(ssl_.get(), socket);
    good_ = SSL_accept(ssl_.get()) == 1;
  }
  ~Connection() {
    if (ssl_ != nullptr && good_) SSL_shutdown(ssl_.get());
    shutdown(socket_, SHUT_RDWR);
    close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool good() const { return good_; }

  long Read(char* data, int size) {
    return ssl_ != nullptr ? SSL_read(ssl_.get(), data, size)
                           : recv(socket_, data, static_cast<std::size_t>(size), 0);
  }

  void Write(const std::string& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const std::size_t left = bytes.size() - done;
      const long sent = ssl_ != nullptr ? SSL_write(ssl_.get(), bytes.data() + done, static_cast<int>(left))
                                        : send(socket_, bytes.data() + done, left, MSG_NOSIGNAL);
      if (sent <= 0) return;  // the other side has had enough
      done += static_cast<std::size_t>(sent);
    }
  }

 private:
  int socket_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool good_ = true;
};

ServedRequest Parse(const std::string& head) {
  ServedRequest request;
  std::istringstream lines(head);
  std::string line;
  std::getline(lines, line);
  request.target = line.substr(line.find(' ') + 1);
  request.target.resize(request.target.find(' '));
  while (std::getline(lines, line) && line != "\r") {
    const auto colon = line.find(": ");
    if (colon != std::string::npos)
      request.header[Lower(line.substr(0, colon))] = line.substr(colon + 2, line.size() - colon - 3);
  }
  return request;
}

}  // namespace

struct HttpServer::Tls {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{nullptr, SSL_CTX_free};
};

HttpServer::HttpServer(Handler handler, const std::string& certificate)
    : handler_(std::move(handler)), tls_(std::make_shared<Tls>()) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that are gone
  if (!certificate.empty()) {
    tls_->context.reset(Need(SSL_CTX_new(TLS_server_method())));
    const std::unique_ptr<BIO, int (*)(BIO*)> memory(Need(BIO_new_mem_buf(certificate.data(), -1)), BIO_free);
    EVP_PKEY* key = Need(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
    X509* x509 = Need(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_certificate(tls_->context.get(), x509);
    SSL_CTX_use_PrivateKey(tls_->context.get(), key);
    X509_free(x509);
    EVP_PKEY_free(key);
  }
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no server on the loopback address");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

HttpServer::~HttpServer() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  ends_.notify_all();
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  close(listener_);
}

std::string HttpServer::url() const {
  return (tls_->context != nullptr ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(port_);
}

std::vector<ServedRequest> HttpServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void HttpServer::Accept() {
  while (true) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    connections_.emplace_back([this, connection] { Serve(connection); });
  }
}

void HttpServer::Serve(int socket) {
  Connection connection(socket, tls_->context.get());
  std::string head;
  while (connection.good() && head.find("\r\n\r\n") == std::string::npos) {
    char buffer[4096];
    const long count = connection.Read(buffer, sizeof(buffer));
    if (count <= 0) return;
    head.append(buffer, static_cast<std::size_t>(count));
  }
  if (!connection.good()) return;
  const ServedRequest request = Parse(head);
  {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request);
  }
  const ServedAnswer answer = handler_(request);
  connection.Write(answer.bytes);
  if (!answer.stays_open) return;
  std::unique_lock lock(mutex_);
  ends_.wait(lock, [this] { return ending_; });
}

std::string Answer(const std::string& status, const std::string& body, const std::string& lines) {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + lines + "\r\n" + body;
}

std::string MakeCertificate() {
  EVP_PKEY* key = Need(EVP_EC_gen("P-256"));
  X509* x509 = Need(X509_new());
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key);
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1,
                             0);
  X509_set_issuer_name(x509, name);
  for (const auto& [kind, value] : {std::pair(NID_subject_alt_name, "IP:127.0.0.1"),
                                    std::pair(NID_basic_constraints, "critical,CA:TRUE")}) {
    X509_EXTENSION* extension = Need(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  }
  if (X509_sign(x509, key, EVP_sha256()) == 0) throw std::runtime_error("OpenSSL can't sign");
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(Need(BIO_new(BIO_s_mem())), BIO_free);
  PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_X509(memory.get(), x509);
  X509_free(x509);
  EVP_PKEY_free(key);
  return TextOf(memory.get());
}

}  // namespace mobilenet
