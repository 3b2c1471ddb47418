// One step of a plan: a layer, or a depthwise layer with the pointwise one behind it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "kernels/kernels.h"
#include "mobilenet/network.h"
#include "runtime/map_view.h"

namespace mobilenet {

// Every step but the average is a matrix product whose rows are made by something: read where they lie
// (pointwise, fully connected), computed by a depthwise convolution (separable), or the windows of a
// convolution, which are read from a few padded rows of the input where there are few channels, and gathered
// one by one elsewhere (which takes a whole map).
enum class RowSource { kInput, kDepthwise, kWindows, kPatches };

struct Step {
  enum class Kind { kProduct, kDepthwise, kAverage };
  Kind kind = Kind::kProduct;
  RowSource rows_from = RowSource::kInput;
  Window window{};       // of the first layer that it runs; pointwise ones have windows of one pixel
  std::size_t rows = 0;  // output pixels
  AlignedVector<float> depthwise_weight;  // [kernel, kernel, channels]
  AlignedVector<float> depthwise_bias;
  Range depthwise_range{};
  PackedMatrix matrix;
  Format format = Format::kFloat32;  // of 16 bits, the matrix is of pairs
  std::size_t inner = 0;             // values in a row of the product, which a matrix of pairs rounds up
  bool two_pixels = false;           // the matrix is for kernels.product_of_two: its columns stand twice
  Range range{};

  [[nodiscard]] std::size_t row_length() const {
    return kind == Kind::kProduct ? inner : static_cast<std::size_t>(window.input_channels);
  }
  // Output pixels in a row of the map.
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(window.output_width); }
};

// A convolution of so few channels reads its windows where they lie.
constexpr int kFewChannels = 4;

// How a step is cut into tasks: blocks of rows, times chunks of panels (columns).
struct Split {
  std::size_t block_rows = 1;
  std::size_t blocks = 1;
  std::size_t chunks = 1;

  [[nodiscard]] int tasks() const { return static_cast<int>(blocks * chunks); }
};

// What the factors of a product are rounded to. Not for kInt8.
Format FormatFor(Precision precision);

// The kernel that multiplies so; null where the table has none.
using ProductFunction = void (*)(const ProductTask&);
ProductFunction ProductOf(Format format, const Kernels& kernels);

// Sets the matrix of a product from [inner, columns] weights and one bias a column. In half precision only
// where sums of `input` times weights can't leave it, else in float32.
// A convolution of windows has its window and the source of its rows before: two neighbouring pixels are
// computed at once where they fill a register and rows have an even number of them.
void SetMatrix(Precision precision, const Kernels& kernels, std::span<const float> weights,
               std::span<const float> bias, Range input, const std::shared_ptr<Slab>& slab, Step& step);

Split SplitStep(const Step& step, const Kernels& kernels, std::size_t l1_bytes, std::size_t l2_bytes,
                int threads);
Part PartOf(const Step& step, const Split& split, int task);

// Bytes that a thread needs for the rows of `pixels` output pixels.
std::size_t ScratchSize(const Step& step, std::size_t pixels);

// Computes one part. The input's rows that the part's windows reach must be there. The first pixel goes to
// `output`, the others `output_pitch` floats apart: with two_pixels, without gaps, and parts begin and end at
// even ones. `scratch` is this thread's own and holds ScratchSize
// bytes.
void RunPart(const Step& step, const Kernels& kernels, const Part& part, const MapView& input, float* output,
             std::size_t output_pitch, std::byte* scratch);

}  // namespace mobilenet
