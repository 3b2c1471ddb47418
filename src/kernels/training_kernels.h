// What training needs of an instruction set beyond Kernels: batch norm and activation in passing, and
// gradients.
//
// Maps are rows (pixels) of `columns` channels, `pitch` floats apart. `columns` is a multiple of kColumnStep
// here, so that no kernel has a rest of single values: maps and coefficients are that much wider than their
// channels, and the coefficients there are zeros. None allocates, throws, or touches memory outside what its
// arguments name.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

namespace mobilenet {

constexpr std::size_t kColumnStep = 8;

// Rows of a map in memory: float32 or, where the kernels can write it, bfloat16; `pitch` values apart.
struct MapRows {
  void* values;
  std::size_t pitch;
  bool bf16;
};

// A batch norm (or a bias) and the activation behind it: z = f(scale[c] * y + shift[c]).
struct Affine {
  const float* scale;
  const float* shift;
  Range range;
};

// c[i, j] += sum over r of a[r, i] b[r, j]: how the gradient of a weight matrix comes from its inputs and the
// gradients of its outputs.
struct OuterTask {
  const float* a;  // [rows, inner]
  std::size_t a_pitch;
  std::size_t inner;
  const float* b;  // [rows, columns]
  std::size_t b_pitch;
  std::size_t columns;
  std::size_t rows;
  float* c;  // [inner, columns]
  std::size_t c_pitch;
};

// One output row of a depthwise convolution's weight gradient: sum[r][t, c] += sum over x of
// input[r][(x * stride + t), c] gradient[x, c].
struct DepthwiseWeightsTask {
  // The input rows under the window that exist, each with the window's padding around it, and the sums of
  // that row of weights, kernel x columns floats.
  const float* input[kMaxDepthwiseKernel];
  float* sum[kMaxDepthwiseKernel];
  int rows;
  int kernel;
  int stride;
  std::size_t input_pitch;
  const float* gradient;
  std::size_t gradient_pitch;
  int width;  // of the output
  std::size_t columns;
};

struct TrainingKernels {
  std::int64_t target;  // Highway's bit

  // output = f(scale * input + shift).
  void (*apply)(MapRows input, std::size_t rows, std::size_t columns, const Affine& affine, float* output,
                std::size_t output_pitch);
  // sum += input - centre, squares += (input - centre)^2, summed over the rows.
  void (*moments)(MapRows input, std::size_t rows, std::size_t columns, const float* centre, float* sum,
                  float* squares);
  // output = factor * gradient + slope * input + constant: the gradient before a batch norm from that behind
  // it. Here and below both maps are float32 or both are bfloat16.
  void (*combine)(MapRows gradient, MapRows input, std::size_t rows, std::size_t columns, const float* factor,
                  const float* slope, const float* constant, float* output, std::size_t output_pitch);
  // gradient *= f'(scale * input + shift), which is 0 where the activation is flat; sum += gradient, products
  // += gradient (input - centre), summed over the rows.
  void (*mask)(MapRows gradient, MapRows input, std::size_t rows, std::size_t columns, const Affine& affine,
               const float* centre, float* sum, float* products);
  // sum += a * b, summed over the rows.
  void (*products)(const float* a, const float* b, std::size_t pitch, std::size_t rows, std::size_t columns,
                   float* sum);
  void (*outer)(const OuterTask& task);
  // For products in bfloat16: output[i, c] = the pair of input[2 i, c] and input[2 i + 1, c], rounded to the
  // nearest, ties to even; the row after the last is zeros. Pairs take a float's place.
  void (*interleave)(const float* input, std::size_t input_pitch, std::size_t rows, std::size_t columns,
                     float* output, std::size_t output_pitch);
  // outer, where a, b and `rows` are such pairs, both halves of which count; c is float32. Null where the
  // instruction set has no dot products of pairs.
  void (*outer_pairs)(const OuterTask& task);
  void (*depthwise_weights)(const DepthwiseWeightsTask& task);
};

// Those of the same instruction set.
const TrainingKernels& TrainingKernelsFor(const Kernels& kernels);

}  // namespace mobilenet
