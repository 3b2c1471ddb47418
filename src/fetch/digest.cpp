#include "fetch/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/fail.h"
#include "base/file.h"
#include "fetch/shared_library.h"

namespace mobilenet {
namespace {

struct Crypto {
  SharedLibrary library{"libcrypto.so.3", "libssl3"};
  decltype(EVP_Digest)* digest = library.Function<decltype(EVP_Digest)>("EVP_Digest");
  decltype(EVP_sha256)* sha256 = library.Function<decltype(EVP_sha256)>("EVP_sha256");
  decltype(EVP_md5)* md5 = library.Function<decltype(EVP_md5)>("EVP_md5");
  decltype(EVP_EncodeBlock)* base64 = library.Function<decltype(EVP_EncodeBlock)>("EVP_EncodeBlock");
};

const Crypto& TheCrypto() {
  static const Crypto crypto;
  return crypto;
}

// Nothing where the system forbids this kind, as FIPS does MD5.
std::vector<unsigned char> Digest(std::span<const std::uint8_t> bytes, const EVP_MD* kind) {
  std::vector<unsigned char> digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (TheCrypto().digest(bytes.data(), bytes.size(), digest.data(), &size, kind, nullptr) != 1) size = 0;
  digest.resize(size);
  return digest;
}

std::string Hexadecimal(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string Base64(std::span<const unsigned char> bytes) {
  std::vector<unsigned char> text((bytes.size() + 2) / 3 * 4 + 1);
  const int size = TheCrypto().base64(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  return {text.begin(), text.begin() + size};
}

}  // namespace

Digests DigestsOf(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::vector<unsigned char> sha256 = Digest(file.bytes(), TheCrypto().sha256());
  if (sha256.empty()) Fail(path.string(), ": libcrypto can't compute its SHA-256");
  return {Hexadecimal(sha256), Base64(Digest(file.bytes(), TheCrypto().md5()))};
}

}  // namespace mobilenet
