// One step of a plan, ready to run: what makes its rows, the product that they go through, and the end.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "base/aligned.h"
#include "kernels/kernels.h"
#include "mobilenet/network.h"
#include "runtime/map_view.h"

namespace mobilenet {

// What makes the rows of a step, one for each pixel of its output.
struct Direct {};  // they are pixels of the input, and read where they lie
// A depthwise convolution: weights [kernel, kernel, channels], a bias for each channel.
struct DepthwiseRows {
  AlignedVector<float> weight;
  AlignedVector<float> bias;
  Range range;
};
// A convolution's windows, which are read where they lie, or from a few padded rows of the input. With
// two_pixels, two neighbours at once: the matrix is for kernels.product_of_two, its columns stand twice.
struct WindowRows {
  bool two_pixels = false;
};
struct PatchRows {};   // a convolution's windows, gathered one by one
struct MeanRow {};     // the mean over the whole input
struct SumRows {};     // the sum of two inputs
struct ScaledRows {};  // the input times a gate for each channel, the other input
struct MaxRows {};     // the largest values under a window

using RowSource =
    std::variant<Direct, DepthwiseRows, WindowRows, PatchRows, MeanRow, SumRows, ScaledRows, MaxRows>;

// The weights that rows are multiplied with.
struct Product {
  PackedMatrix matrix;
  Format format = Format::kFloat32;  // of 16 bits, the matrix is of pairs
  std::size_t inner = 0;             // values in a row, which a matrix of pairs rounds up
};

// What happens to a pixel before it is stored.
struct Epilogue {
  bool residual = false;  // the same pixel of another map is added
  Range range{};          // what the activation leaves
};

struct Step {
  Window window{};         // of the first layer that it runs; a layer without one has a window of one pixel
  std::size_t pixels = 0;  // of the output
  RowSource rows = Direct();
  std::optional<Product> product;
  Epilogue end;

  // Values that a row has, before the product where there is one.
  [[nodiscard]] std::size_t row_length() const {
    return product ? product->inner : static_cast<std::size_t>(window.input_channels);
  }
  // Output pixels in a row of the map.
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(window.output_width); }
  [[nodiscard]] std::size_t panels() const { return product ? product->matrix.panels.size() : 0; }
  [[nodiscard]] std::size_t weight_bytes() const;
};

// Whether a convolution reads its windows where they lie. They are multiplied row by row, so that of many
// channels, whose weights are read again for each row, a row must be a few tiles.
bool ReadsWindows(const Window& window, const Kernels& kernels);

// How a step is cut into tasks: blocks of pixels, times chunks of panels (columns).
struct Split {
  std::size_t block_pixels = 1;
  std::size_t blocks = 1;
  std::size_t chunks = 1;

  [[nodiscard]] int tasks() const { return static_cast<int>(blocks * chunks); }
};

// What the factors of a product are rounded to. Not for kInt8.
Format FormatFor(Precision precision);

// The kernel that multiplies so; null where the table has none.
using ProductFunction = void (*)(const ProductTask&);
ProductFunction ProductOf(Format format, const Kernels& kernels);

// The product with [inner, columns] weights and one bias a column. In half precision only where sums of
// `input` times weights can't leave it, else in float32.
Product MakeProduct(Precision precision, const Kernels& kernels, std::span<const float> weights,
                    std::span<const float> bias, Range input, const std::shared_ptr<Slab>& slab);

// The same for WindowRows, in bfloat16 where channels are many and pairs don't straddle the rows of a window,
// else in float32: two neighbouring pixels are computed at once where they fill a register, rows have an even
// number of them, and nothing is added. Sets the step's rows and product.
void SetWindowProduct(Precision precision, const Kernels& kernels, std::span<const float> weights,
                      std::span<const float> bias, const std::shared_ptr<Slab>& slab, Step& step);

Split SplitStep(const Step& step, const Kernels& kernels, std::size_t l1_bytes, std::size_t l2_bytes,
                int threads);
Part PartOf(const Step& step, const Split& split, int task);

// Bytes that a thread needs for the rows of `pixels` output pixels.
std::size_t ScratchSize(const Step& step, std::size_t pixels);

// What a step reads and writes.
struct StepMaps {
  MapView input;
  MapView other;  // of SumRows and ScaledRows the second input, else the residual; read by those alone
  MapView output;
};

// Computes one part. The input's rows that the part's windows reach must be there. With two_pixels the output
// has no gaps, and parts begin and end at even pixels. `scratch` is this thread's own, on a cache line, and
// holds ScratchSize bytes.
void RunPart(const Step& step, const Kernels& kernels, const Part& part, const StepMaps& maps,
             std::byte* scratch);

}  // namespace mobilenet
