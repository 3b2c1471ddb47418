// The contract between a Plan and the instruction sets: what one target must offer. New hardware is one more
// Kernels table; packing, blocking and fusion around it are written once.
//
// Kernels know nothing of networks. None allocates, throws, or touches memory outside what its arguments
// name. Strides and pitches, from one row or pixel to the next, are in bytes; lengths are in values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "base/format.h"
#include "kernels/packing.h"

namespace mobilenet {

// What is made of a value before it is held in its range (Howard et al. 2019, section 5.2).
enum class Curve {
  kStraight,
  kHardSigmoid,  // min(max(v + 3, 0), 6) / 6
  kHardSwish,    // v times that
};

// The range that an activation leaves, and the curve by which it gets there: ReLU6 is [0, 6], none is
// [-inf, inf].
struct Range {
  float low;
  float high;
  Curve curve = Curve::kStraight;
};

constexpr Range kWholeRange = {-std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::infinity()};
constexpr Range kHardSigmoidRange = {0, 1, Curve::kHardSigmoid};
constexpr Range kHardSwishRange = {-0.375F, kWholeRange.high, Curve::kHardSwish};

// How far a window slides; one number is the same both ways.
struct WindowStep {
  int down, across;

  constexpr WindowStep(int both = 1) : down(both), across(both) {}  // NOLINT(google-explicit-constructor)
  constexpr WindowStep(int the_down, int the_across) : down(the_down), across(the_across) {}
};

// A window that slides over a feature map. Taps that leave the input read zeros.
struct Window {
  int input_height, input_width, input_channels;
  int output_height, output_width, output_channels;
  int kernel;
  WindowStep stride;
  int padding_top, padding_left;
};

// c[i, j] = f(bias[j] + sum over k of a[i, k] b[k, j] + residual[i, j]), for `rows` rows and the columns of
// `panels`; without a residual where that is null. f, here and below, is what `range` says.
// A row of a may lie in `segments` pieces of equal length, `segment_pitch` apart: so a convolution's windows
// are read where they lie, one piece for each row of the kernel, and rows may overlap.
struct ProductTask {
  const void* a;  // floats, or what the kernel takes instead
  std::size_t a_stride;
  std::size_t segments = 1;
  std::size_t segment_pitch = 0;
  std::size_t rows;
  float* c;
  std::size_t c_stride;
  const PackedMatrix* b;
  std::size_t first_panel;  // panels [first_panel, last_panel) of b are computed
  std::size_t last_panel;
  Range range;
  // Not where c is, not even in part: the columns that two panels share are computed twice.
  const float* residual = nullptr;
  std::size_t residual_stride = 0;
};

// Pairs that are added up in half precision, at most: with more, rounding errors grow; with fewer, the time
// that adding up their sums takes.
constexpr std::size_t kF16Run = 128;

constexpr int kMaxDepthwiseKernel = 7;

// One row of a depthwise convolution's output, the pixels [x_begin, x_end).
struct DepthwiseTask {
  // The input rows under the window that exist (rows of padding are left out), and the weights' row for each:
  // input[r] is `width` pixels of `channels` floats; weight[r] is kernel x channels.
  const float* input[kMaxDepthwiseKernel];
  const float* weight[kMaxDepthwiseKernel];
  int rows;
  int kernel;
  int stride;
  int padding_left;
  int width;  // of the input
  std::size_t channels;
  std::size_t input_pitch;
  const float* bias;
  Range range;
  int x_begin;
  int x_end;
  void* output;  // pixel x_begin
  std::size_t output_pitch;
  Format output_format;  // kFloat16 only where Kernels::product_f16 is
};

// One row of a max pool's output, the pixels [x_begin, x_end): input[r] for each of `kernel` rows.
struct MaxPoolTask {
  const float* input[kMaxDepthwiseKernel];
  int kernel;
  int stride;
  std::size_t channels;
  std::size_t input_pitch;
  int x_begin;
  int x_end;
  float* output;  // pixel x_begin
  std::size_t output_pitch;
};

// output = f(a + b), pixel by pixel. The output may be a or b itself, not overlap them otherwise.
struct AddTask {
  const float* a;
  std::size_t a_pitch;
  const float* b;
  std::size_t b_pitch;
  std::size_t pixels;
  std::size_t channels;
  Range range;
  float* output;
  std::size_t output_pitch;
};

// output = a map times a gate for each channel. The output may be the map itself, not overlap it otherwise.
struct ScaleTask {
  const float* map;
  std::size_t map_pitch;
  const float* gate;  // `channels` values
  std::size_t pixels;
  std::size_t channels;
  float* output;
  std::size_t output_pitch;
};

struct Kernels {
  // "avx512fp16", "avx512bf16", "avx512", "avx2", "sse4", "neonfp16", "neonbf16", "neon", "portable"
  std::string_view name;
  std::int64_t target;    // Highway's bit
  std::size_t lanes;      // float32 in a register: packed panels are 2 * lanes columns wide
  std::size_t tile_rows;  // rows of c that are held in registers at once

  // Whether product_bf16 takes the rows of a as pairs of bfloat16, and depthwise can write them.
  bool bf16_rows;

  void (*product)(const ProductTask& task);
  // The same with a matrix that PackBf16 packed: weights of bfloat16, sums of float32. b->k is a number of
  // pairs, and a's rows are as many pairs: of bfloat16 where bf16_rows is set, else of float32.
  void (*product_bf16)(const ProductTask& task);
  // Where a register holds 16 values, else both null: two rows at once, for matrices of 8 columns, which fill
  // half of one. `task.rows`, at least 1, counts pairs of rows, and a_stride and c_stride go from pair to
  // pair. a's two rows alternate value by value; b is one panel, whose columns stand twice, each beside
  // itself; c's two rows lie one behind the other, without a gap. It adds no residual.
  void (*product_of_two)(const ProductTask& task);
  // to[2 i] = a[i] and to[2 i + 1] = b[i] for i below n.
  void (*alternate)(const float* a, const float* b, std::size_t n, float* to);
  // Rounds n float32 to bfloat16, to the nearest, ties to even; numbers below the smallest normal one may
  // become 0. With AVX-512, this and all that writes bfloat16 need its extension for it (HasBf16Dot).
  void (*round_to_bf16)(const float* from, std::size_t n, void* to);
  // In the table for half precision, else both null: the product with a matrix that PackF16 packed. b->k is a
  // number of pairs, a's rows are as many pairs of half precision, in one segment, and c's rows keep sums on
  // the way. Runs of at most kF16Run pairs are added up in half precision, which
  // must hold their sums; the runs in float32.
  void (*product_f16)(const ProductTask& task);
  // Rounds n float32 to the nearest, ties to even; what is too large becomes the largest number, 65504.
  void (*round_to_f16)(const float* from, std::size_t n, void* to);
  void (*depthwise)(const DepthwiseTask& task);
  void (*add)(const AddTask& task);
  void (*scale)(const ScaleTask& task);
  void (*max_pool)(const MaxPoolTask& task);
  // output[c] = mean over `pixels` of the channel c of input.
  void (*average)(const float* input, std::size_t pixels, std::size_t pitch, std::size_t channels,
                  float* output);
  // In place; the largest value is subtracted first, so that nothing overflows.
  void (*softmax)(std::span<float> values);
  // Runs `iterations` rounds of independent multiply-adds in registers and returns how many floating point
  // operations that was (2 a multiply-add). What a core's peak is measured with.
  double (*multiply_adds)(std::size_t iterations);
};

// The tables that this machine can run, fastest first; never empty. Safe from any thread.
std::span<const Kernels* const> AvailableKernels();

}  // namespace mobilenet
