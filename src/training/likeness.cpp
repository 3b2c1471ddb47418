#include "training/likeness.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "training/run_or_throw.h"

namespace mobilenet {
namespace {

constexpr int kHashSide = 8;
constexpr int kGreySide = 16;
// With these, all 96 pairs of a training and a test picture of CIFAR-10 that are alike show the same photo.
constexpr int kMostBits = 5;
constexpr double kMostDifference = 0.25;  // of the contrast
constexpr int kBands = kMostBits + 1;     // of which one is the same where at most kMostBits differ
constexpr int kBandBits = 64 / kBands;

std::vector<std::uint8_t> Grey(const Image& image, int width, int height) {
  const Box whole = {0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  const Image small = Resize(image, width, height, ResizeFilter::kBilinear, whole);
  std::vector<std::uint8_t> grey;
  for (std::size_t i = 0; i < small.pixels.size(); i += 3)
    grey.push_back(static_cast<std::uint8_t>(
        (299 * small.pixels[i] + 587 * small.pixels[i + 1] + 114 * small.pixels[i + 2]) / 1000));
  return grey;
}

double Mean(const Likeness& picture) {
  double sum = 0;
  for (const std::uint8_t value : picture.grey) sum += value;
  return sum / static_cast<double>(picture.grey.size());
}

unsigned BandOf(std::uint64_t hash, int band) { return hash >> (band * kBandBits) & ((1U << kBandBits) - 1); }

// The pictures by one band of their hashes.
class Buckets {
 public:
  Buckets(std::span<const Likeness> pictures, int band) : starts_((1U << kBandBits) + 1) {
    for (const Likeness& picture : pictures) starts_[BandOf(picture.hash, band) + 1] += picture.known ? 1 : 0;
    for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    members_.resize(starts_.back());
    std::vector<std::size_t> next = starts_;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      if (pictures[i].known) members_[next[BandOf(pictures[i].hash, band)]++] = i;
    }
  }

  // In order.
  [[nodiscard]] std::span<const std::size_t> With(unsigned value) const {
    return std::span(members_).subspan(starts_[value], starts_[value + 1] - starts_[value]);
  }

 private:
  std::vector<std::size_t> starts_;
  std::vector<std::size_t> members_;
};

}  // namespace

DecodeOptions DecodeForLikeness() { return {.target_width = kGreySide, .target_height = kGreySide}; }

// Neighbouring places go to different bands, so that a sky that many pictures share fills none.
Likeness LikenessOf(const Image& image) {
  Likeness likeness;
  likeness.known = true;
  const std::vector<std::uint8_t> places = Grey(image, kHashSide + 1, kHashSide);
  for (int i = 0; i < kHashSide * kHashSide; ++i) {
    const int at = i / kHashSide * (kHashSide + 1) + i % kHashSide;
    const int bit = i < kBands * kBandBits ? i % kBands * kBandBits + i / kBands : i;
    if (places[static_cast<std::size_t>(at)] > places[static_cast<std::size_t>(at) + 1])
      likeness.hash |= std::uint64_t{1} << bit;
  }
  std::ranges::copy(Grey(image, kGreySide, kGreySide), likeness.grey.begin());
  return likeness;
}

bool Alike(const Likeness& a, const Likeness& b) {
  if (!a.known || !b.known || std::popcount(a.hash ^ b.hash) > kMostBits) return false;
  const double mean_a = Mean(a);
  const double mean_b = Mean(b);
  double difference = 0;
  double contrast = 0;
  for (std::size_t i = 0; i < a.grey.size(); ++i) {
    difference += std::abs((a.grey[i] - mean_a) - (b.grey[i] - mean_b));
    contrast += std::abs(a.grey[i] - mean_a) + std::abs(b.grey[i] - mean_b);
  }
  return difference <= kMostDifference * contrast / 2;
}

std::vector<std::size_t> FirstAlike(std::span<const Likeness> pictures, ThreadPool& pool,
                                    const std::function<bool(std::size_t, std::size_t)>& counts) {
  constexpr std::size_t kAtOnce = 64;
  std::vector<Buckets> bands;
  bands.reserve(kBands);
  for (int band = 0; band < kBands; ++band) bands.emplace_back(pictures, band);
  std::vector<std::size_t> first(pictures.size());
  const auto find = [&](std::size_t i) {
    first[i] = i;
    if (!pictures[i].known) return;
    for (int band = 0; band < kBands; ++band) {
      for (const std::size_t j : bands[static_cast<std::size_t>(band)].With(BandOf(pictures[i].hash, band))) {
        if (j >= first[i]) break;
        if (counts(i, j) && Alike(pictures[i], pictures[j])) first[i] = j;
      }
    }
  };
  RunOrThrow(pool, static_cast<int>((pictures.size() + kAtOnce - 1) / kAtOnce), [&](int chunk, int) {
    const std::size_t begin = static_cast<std::size_t>(chunk) * kAtOnce;
    for (std::size_t i = begin; i < std::min(begin + kAtOnce, pictures.size()); ++i) find(i);
  });
  return first;
}

}  // namespace mobilenet
