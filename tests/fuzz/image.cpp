// Any bytes as a picture: an Error, or an image of the size that it says it has, which can be preprocessed.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "mobilenet/error.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

// Small, so that an input takes milliseconds.
constexpr std::size_t kMaxPixels = std::size_t{1} << 18;

std::uint32_t Crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = ~0U;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

// Gives the chunks of a PNG the checksums that they should have: no mutation would get past them otherwise.
void RepairPng(std::vector<std::uint8_t>& bytes) {
  constexpr std::array<std::uint8_t, 4> kMagic = {0x89, 'P', 'N', 'G'};
  if (bytes.size() < kMagic.size() || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) return;
  std::size_t at = 8;
  while (at + 12 <= bytes.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | bytes[at + i];
    if (length > bytes.size() - at - 12) return;
    const std::uint32_t crc = Crc32(std::span(bytes).subspan(at + 4, length + 4));
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[at + 8 + length + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    }
    at += length + 12;
  }
}

void Require(bool condition) {
  if (!condition) std::abort();
}

void Decode(std::span<const std::uint8_t> bytes, int target) {
  const Image image =
      DecodeImage(bytes, {.target_width = target, .target_height = target, .max_pixels = kMaxPixels});
  Require(image.width > 0 && image.height > 0 && image.channels == 3);
  Require(image.pixels.size() == static_cast<std::size_t>(image.width) * image.height * 3);
  Require(image.pixels.size() <= kMaxPixels * 3);
  Preprocessing preprocessing;
  if (target == 0) preprocessing.shape = CropShape::kSquare;
  std::vector<float> input(std::size_t{32} * 32 * 3);
  Preprocess(image, preprocessing, 32, 32, 3, input);
  Require(std::ranges::all_of(input, [](float x) { return x >= -1.001F && x <= 1.001F; }));
}

}  // namespace
}  // namespace mobilenet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  mobilenet::RepairPng(bytes);
  for (const int target : {0, 8}) {
    try {
      mobilenet::Decode(bytes, target);
    } catch (const mobilenet::Error&) {
      break;
    }
  }
  return 0;
}
