// Telling whether two pictures are the same one, saved at another size, quality or brightness.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "mobilenet/image.h"

namespace mobilenet {

// What a picture looks like from afar.
struct Likeness {
  bool known = false;      // false: it is like no other
  std::uint64_t hash = 0;  // for each of 8 x 8 places whether it is brighter than the one to its right
  std::array<std::uint8_t, 256> grey{};  // 16 x 16
};

Likeness LikenessOf(const Image& image);

// As large as LikenessOf needs a picture at least.
DecodeOptions DecodeForLikeness();

// At most 5 of the hash's 64 bits differ, and the grey pictures' mean difference, brightness apart, is small
// against their contrast.
bool Alike(const Likeness& a, const Likeness& b);

// For each picture the first one before it that is like it, where `counts(picture, before)`; itself where
// there is none. `counts` is called from the pool's threads. Pictures that are alike are the same in one of
// six parts of their hashes at least, so that few are compared.
std::vector<std::size_t> FirstAlike(
    std::span<const Likeness> pictures, ThreadPool& pool,
    const std::function<bool(std::size_t picture, std::size_t before)>& counts);

}  // namespace mobilenet
