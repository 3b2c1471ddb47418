// The two passes of a resize, one axis each, for every instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mobilenet {

// A sum of 8-bit samples times weights of this many bits, whose positive part may be a little more than 1,
// fits 32 bits with two to spare.
constexpr int kFractionBits = 22;

// For each output coordinate the inputs [firsts[i], firsts[i] + count), counted from `begin`, and their
// weights. All have the same count, with weights of 0 where fewer are needed: a loop of one length is
// predicted, and one that changes by a tap or two from pixel to pixel costs more in mispredicted branches
// than in products.
struct Taps {
  std::vector<int> firsts;
  std::vector<std::int32_t> weights;  // `count` for each output
  int count = 0;
  int begin = 0;   // the first input that any output needs
  int extent = 0;  // how many from there

  [[nodiscard]] const std::int32_t* WeightsOf(std::size_t output) const {
    return weights.data() + output * count;
  }
};

// Samples in rows that lie `stride` bytes apart. `rest` bytes may be read behind the last sample of the last
// row.
struct SampleRows {
  const std::uint8_t* data;
  std::size_t stride;
  std::size_t rest;
};

// What follows the output of `across` in memory: so much may be written over.
constexpr std::size_t kSpareBytes = 1;

struct ResizePasses {
  std::int64_t target;  // Highway's bit

  // `rows` rows of `channels` (1 or 3) samples a pixel, each to taps.firsts.size() pixels. `input` begins
  // with pixel taps.begin. The output's rows follow each other.
  void (*across)(const SampleRows& input, std::size_t rows, int channels, const Taps& taps,
                 std::uint8_t* output);
  // Rows of `length` samples, one after the other, to taps.firsts.size() such rows. `input` begins with row
  // taps.begin.
  void (*down)(const std::uint8_t* input, std::size_t length, const Taps& taps, std::uint8_t* output);
};

// Those that this machine can run, fastest first; never empty.
std::span<const ResizePasses* const> AvailableResizePasses();

}  // namespace mobilenet
