// One step of a plan: what runs between two points at which all threads meet.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "base/aligned.h"
#include "kernels/kernels.h"

namespace mobilenet {

constexpr std::size_t kOutside =
    std::numeric_limits<std::size_t>::max();  // the caller's memory, not the arena

// Every step but the average is a matrix product whose rows are made by something: read where they lie
// (pointwise, fully connected), computed by a depthwise convolution (separable), or gathered (convolution).
enum class RowSource { kInput, kDepthwise, kPatches };

struct Step {
  enum class Kind { kProduct, kDepthwise, kAverage };
  Kind kind = Kind::kProduct;
  RowSource rows_from = RowSource::kInput;
  Window window{};       // of the depthwise convolution or the patches; of the whole map for an average
  std::size_t rows = 0;  // output pixels
  std::size_t input_offset = 0;  // in floats from the arena's start, or kOutside
  std::size_t output_offset = 0;
  AlignedVector<float> depthwise_weight;  // [kernel, kernel, channels]
  AlignedVector<float> depthwise_bias;
  Range depthwise_range{};
  PackedMatrix matrix;
  Range range{};

  [[nodiscard]] std::size_t row_length() const {
    return kind == Kind::kProduct ? matrix.k : static_cast<std::size_t>(window.input_channels);
  }
};

// How a step is cut into tasks: blocks of rows, times chunks of panels (columns).
struct Split {
  std::size_t block_rows = 1;
  std::size_t blocks = 1;
  std::size_t chunks = 1;

  [[nodiscard]] int tasks() const { return static_cast<int>(blocks * chunks); }
};

Split SplitStep(const Step& step, const Kernels& kernels, std::size_t l1_bytes, std::size_t l2_bytes,
                int threads);

// Floats that a thread needs for the rows of one task of the step.
std::size_t ScratchSize(const Step& step, const Split& split);

// Runs one task. `scratch` is this thread's own and holds ScratchSize floats.
void RunTask(const Step& step, const Split& split, const Kernels& kernels, int task, const float* input,
             float* output, float* scratch);

}  // namespace mobilenet
