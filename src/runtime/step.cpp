#include "runtime/step.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "base/float16.h"
#include "kernels/patches.h"
#include "network/schedule.h"
#include "runtime/windows.h"

namespace mobilenet {
namespace {

// What the rows of a product are rounded to: without the instruction for it, bfloat16 weights are widened.
Format RowFormat(const Step& step, const Kernels& kernels) {
  const Format format = step.product ? step.product->format : Format::kFloat32;
  return format == Format::kBfloat16 && !kernels.bf16_rows ? Format::kFloat32 : format;
}

// Computes the output pixels [begin, end) of a depthwise convolution to `output`, `pitch` bytes apart.
void DepthwisePixels(const Window& w, const DepthwiseRows& rows, const Kernels& kernels, Format format,
                     const MapView& input, std::size_t begin, std::size_t end, void* output,
                     std::size_t pitch) {
  DepthwiseTask task{};
  task.kernel = w.kernel;
  task.stride = w.stride.across;
  task.padding_left = w.padding_left;
  task.width = w.input_width;
  task.channels = static_cast<std::size_t>(w.input_channels);
  task.input_pitch = input.pitch;
  task.output_pitch = pitch;
  task.output_format = format;
  task.bias = rows.bias.data();
  task.range = rows.range;
  const auto width = static_cast<std::size_t>(w.output_width);
  ForEachRow(begin, end, width, [&](std::size_t y, std::size_t x_begin, std::size_t x_end) {
    task.rows = 0;
    for (int ky = 0; ky < w.kernel; ++ky) {
      const int iy = static_cast<int>(y) * w.stride.down - w.padding_top + ky;
      if (iy < 0 || iy >= w.input_height) continue;
      task.input[task.rows] = input.Row(iy);
      task.weight[task.rows] = rows.weight.data() + ky * w.kernel * task.channels;
      ++task.rows;
    }
    task.x_begin = static_cast<int>(x_begin);
    task.x_end = static_cast<int>(x_end);
    task.output = output;
    kernels.depthwise(task);
    output = AddBytes(output, (x_end - x_begin) * pitch);
  });
}

// How the rows of a product lie in scratch: their pitch in bytes, and where a value is that only rounding up
// made, also in bytes, or 0.
struct ScratchRows {
  std::size_t pitch;
  std::size_t padding;
};

ScratchRows ScratchRowsOf(const Product& product, Format format) {
  const auto pitch = [](std::size_t floats) { return PixelPitch(static_cast<int>(floats)); };
  if (product.format == Format::kFloat32) return {pitch(product.inner), 0};
  const std::size_t floats = format == Format::kFloat32 ? 2 * product.matrix.k : product.matrix.k;
  return {pitch(floats), product.inner % 2 == 0 ? 0 : product.inner * SizeOf(format)};
}

// The weight of a value that does not exist is zero, but what would be read in its place may be no number.
void ClearPadding(const ScratchRows& rows, Format format, std::size_t count, std::byte* scratch) {
  if (rows.padding == 0) return;
  for (std::size_t r = 0; r < count; ++r)
    std::memset(scratch + r * rows.pitch + rows.padding, 0, SizeOf(format));
}

// Copies the rows of a map, in the form that the product takes.
void CopyRows(const Kernels& kernels, Format format, const ScratchRows& rows, std::size_t inner,
              const float* from, std::size_t pitch, std::size_t count, std::byte* scratch) {
  const auto round = format == Format::kFloat16 ? kernels.round_to_f16 : kernels.round_to_bf16;
  for (std::size_t r = 0; r < count; ++r, from = AddBytes(from, pitch)) {
    std::byte* to = scratch + r * rows.pitch;
    if (format == Format::kFloat32) {
      std::memcpy(to, from, inner * sizeof(float));
    } else {
      round(from, inner, to);
    }
  }
}

// Whether half precision holds each column's sum of weights times values of a range. False where a weight is
// no number.
bool SumsFitF16(std::span<const float> weights, std::size_t columns, Range input) {
  std::vector<double> sums(columns);
  for (std::size_t begin = 0; begin < weights.size(); begin += columns) {
    for (std::size_t j = 0; j < columns; ++j) sums[j] += std::abs(double{weights[begin + j]});
  }
  const double largest = std::max(std::abs(input.low), std::abs(input.high));
  return std::ranges::all_of(sums, [&](double sum) { return sum * largest < kLargestF16; });
}

std::vector<float> EachTwice(std::span<const float> values) {
  std::vector<float> twice;
  for (const float value : values) twice.insert(twice.end(), 2, value);
  return twice;
}

// Whether two pixels of `columns` channels fill a register. Steps are cut at whole tiles and rows: where both
// are even, no pair is cut apart.
bool TakesTwoPixels(const Step& step, std::size_t columns, const Kernels& kernels) {
  return kernels.product_of_two != nullptr && 2 * columns == kernels.lanes && !step.end.residual &&
         step.window.output_width % 2 == 0 && kernels.tile_rows % 2 == 0 &&
         PixelPitch(static_cast<int>(columns)) == columns * sizeof(float);
}

// A convolution of so few channels reads its windows where they lie, in float32: it is a network's first.
constexpr int kFewChannels = 4;

// Whether windows can be multiplied in bfloat16: pairs must not straddle the rows of a window, which are
// copied.
bool TakesBf16Windows(const Window& w) {
  return w.input_channels > kFewChannels && w.kernel > 1 && w.kernel * w.input_channels % 2 == 0;
}

WindowRowsForm FormOf(const Step& step, const WindowRows& windows) {
  if (windows.two_pixels) return WindowRowsForm::kTwoPixels;
  return step.product->format == Format::kBfloat16 ? WindowRowsForm::kBfloat16 : WindowRowsForm::kPlain;
}

// Computes one part of a step, by what makes its rows.
struct PartRunner {
  const Step& step;
  const Kernels& kernels;
  const Part& part;
  const StepMaps& maps;
  std::byte* scratch;

  [[nodiscard]] std::size_t count() const { return part.end - part.begin; }

  [[nodiscard]] ProductTask Task(const void* rows, std::size_t pitch) const {
    const Product& product = *step.product;
    ProductTask task = {.a = rows,
                        .a_stride = pitch,
                        .rows = count(),
                        .c = maps.output.Pixel(part.begin),
                        .c_stride = maps.output.pitch,
                        .b = &product.matrix,
                        .first_panel = part.first_panel,
                        .last_panel = part.last_panel,
                        .range = step.end.range};
    if (step.end.residual) {
      task.residual = maps.other.Pixel(part.begin);
      task.residual_stride = maps.other.pitch;
    }
    return task;
  }
  void Multiply(const void* rows, std::size_t pitch) const {
    ProductOf(step.product->format, kernels)(Task(rows, pitch));
  }

  void operator()(const Direct&) const {
    const Format format = RowFormat(step, kernels);
    const ScratchRows rows = ScratchRowsOf(*step.product, format);
    const float* from = maps.input.Pixel(part.begin);
    if (format == Format::kFloat32 && rows.padding == 0) return Multiply(from, maps.input.pitch);
    CopyRows(kernels, format, rows, step.product->inner, from, maps.input.pitch, count(), scratch);
    ClearPadding(rows, format, count(), scratch);
    Multiply(scratch, rows.pitch);
  }

  void operator()(const DepthwiseRows& depthwise) const {
    if (!step.product) {
      return DepthwisePixels(step.window, depthwise, kernels, Format::kFloat32, maps.input, part.begin,
                             part.end, maps.output.Pixel(part.begin), maps.output.pitch);
    }
    const Format format = RowFormat(step, kernels);
    const ScratchRows rows = ScratchRowsOf(*step.product, format);
    DepthwisePixels(step.window, depthwise, kernels, format, maps.input, part.begin, part.end, scratch,
                    rows.pitch);
    ClearPadding(rows, format, count(), scratch);
    Multiply(scratch, rows.pitch);
  }

  void operator()(const WindowRows& windows) const {
    MultiplyWindows(step.window, FormOf(step, windows), kernels, Task(nullptr, 0), maps.input, part,
                    reinterpret_cast<float*>(scratch));
  }

  void operator()(const PatchRows&) const {
    auto* patches = reinterpret_cast<float*>(scratch);
    CopyPatches(step.window, maps.input.data, maps.input.pitch / sizeof(float), part.begin, part.end,
                patches);
    Multiply(patches, step.product->inner * sizeof(float));
  }

  void operator()(const MeanRow&) const {
    const auto pixels = static_cast<std::size_t>(step.window.input_height) * step.window.input_width;
    kernels.average(maps.input.data, pixels, maps.input.pitch, step.row_length(), maps.output.data);
  }

  void operator()(const SumRows&) const {
    kernels.add({.a = maps.input.Pixel(part.begin),
                 .a_pitch = maps.input.pitch,
                 .b = maps.other.Pixel(part.begin),
                 .b_pitch = maps.other.pitch,
                 .pixels = count(),
                 .channels = step.row_length(),
                 .range = step.end.range,
                 .output = maps.output.Pixel(part.begin),
                 .output_pitch = maps.output.pitch});
  }

  void operator()(const ScaledRows&) const {
    kernels.scale({.map = maps.input.Pixel(part.begin),
                   .map_pitch = maps.input.pitch,
                   .gate = maps.other.data,
                   .pixels = count(),
                   .channels = step.row_length(),
                   .output = maps.output.Pixel(part.begin),
                   .output_pitch = maps.output.pitch});
  }

  void operator()(const MaxRows&) const {
    const Window& w = step.window;
    MaxPoolTask task = {.input = {},
                        .kernel = w.kernel,
                        .stride = w.stride.across,
                        .channels = step.row_length(),
                        .input_pitch = maps.input.pitch,
                        .x_begin = 0,
                        .x_end = 0,
                        .output = nullptr,
                        .output_pitch = maps.output.pitch};
    ForEachRow(part.begin, part.end, step.width(), [&](std::size_t y, std::size_t begin, std::size_t end) {
      for (int r = 0; r < w.kernel; ++r)
        task.input[r] = maps.input.Row(static_cast<int>(y) * w.stride.down + r);
      task.x_begin = static_cast<int>(begin);
      task.x_end = static_cast<int>(end);
      task.output = AddBytes(maps.output.Row(static_cast<int>(y)), begin * maps.output.pitch);
      kernels.max_pool(task);
    });
  }
};

}  // namespace

std::size_t Step::weight_bytes() const {
  std::size_t floats = product ? product->matrix.values.size() + product->matrix.bias.size() : 0;
  if (const auto* depthwise = std::get_if<DepthwiseRows>(&rows))
    floats += depthwise->weight.size() + depthwise->bias.size();
  return floats * sizeof(float);
}

bool ReadsWindows(const Window& window, const Kernels& kernels) {
  constexpr int kLeastTiles = 2;
  return window.input_channels <= kFewChannels ||
         window.output_width >= kLeastTiles * static_cast<int>(kernels.tile_rows);
}

Format FormatFor(Precision precision) {
  switch (precision) {
    case Precision::kBfloat16:
      return Format::kBfloat16;
    case Precision::kFloat16:
      return Format::kFloat16;
    case Precision::kFloat32:
    case Precision::kInt8:
      return Format::kFloat32;
  }
  return Format::kFloat32;
}

ProductFunction ProductOf(Format format, const Kernels& kernels) {
  switch (format) {
    case Format::kFloat32:
      return kernels.product;
    case Format::kBfloat16:
      return kernels.product_bf16;
    case Format::kFloat16:
      return kernels.product_f16;
  }
  return nullptr;
}

Product MakeProduct(Precision precision, const Kernels& kernels, std::span<const float> weights,
                    std::span<const float> bias, Range input, const std::shared_ptr<Slab>& slab) {
  Product product;
  product.inner = weights.size() / bias.size();
  product.format = FormatFor(precision);
  if (product.format == Format::kFloat16 && !SumsFitF16(weights, bias.size(), input))
    product.format = Format::kFloat32;
  const auto pack = product.format == Format::kBfloat16  ? PackBf16
                    : product.format == Format::kFloat16 ? PackF16
                                                         : Pack;
  product.matrix = pack(weights.data(), bias.data(), product.inner, bias.size(), kernels.lanes, slab);
  return product;
}

void SetWindowProduct(Precision precision, const Kernels& kernels, std::span<const float> weights,
                      std::span<const float> bias, const std::shared_ptr<Slab>& slab, Step& step) {
  const bool two = TakesTwoPixels(step, bias.size(), kernels);
  step.rows = WindowRows{two};
  if (two) {
    step.product =
        MakeProduct(Precision::kFloat32, kernels, EachTwice(weights), EachTwice(bias), kWholeRange, slab);
  } else {
    const bool bf16 = precision == Precision::kBfloat16 && TakesBf16Windows(step.window);
    step.product =
        MakeProduct(bf16 ? precision : Precision::kFloat32, kernels, weights, bias, kWholeRange, slab);
  }
}

// A block of rows should stay in L1 while all of B's panels pass over it; B is read once for each block, and
// each panel of it should serve a few tiles. Where B is too large for L2, larger blocks that live in L2
// themselves read it less often.
constexpr std::size_t kLeastTiles = 4;

Split SplitStep(const Step& step, const Kernels& kernels, std::size_t l1_bytes, std::size_t l2_bytes,
                int threads) {
  Split split;
  if (std::holds_alternative<MeanRow>(step.rows)) return split;
  const std::size_t row_bytes = step.row_length() * sizeof(float);
  const std::size_t b_bytes = step.product ? step.product->matrix.values.size() * sizeof(float) : 0;
  const std::size_t budget = b_bytes <= l2_bytes / 2 ? l1_bytes * 3 / 4 : l2_bytes / 4;
  const std::size_t tile = kernels.tile_rows;
  split.block_pixels =
      std::clamp(std::max(budget / row_bytes / tile, kLeastTiles) * tile, tile, std::max(tile, step.pixels));
  if (std::holds_alternative<WindowRows>(step.rows)) split.block_pixels = step.width();
  split.block_pixels = std::min(split.block_pixels, step.pixels);
  split.blocks = (step.pixels + split.block_pixels - 1) / split.block_pixels;
  if (threads == 1) return split;
  const auto parts = static_cast<std::size_t>(threads);
  // Enough blocks for all threads to end at about the same time; else split the columns too, which computes a
  // depthwise row once for each chunk: cheap where there are few rows, since the product dwarfs it.
  if (split.blocks < 4 * parts) {
    const std::size_t pixels = (step.pixels + 4 * parts - 1) / (4 * parts);
    const std::size_t smaller = (pixels + tile - 1) / tile * tile;
    const std::size_t blocks = (step.pixels + smaller - 1) / smaller;
    if (blocks >= 4 * parts || !step.product) {
      split.block_pixels = smaller;
      split.blocks = blocks;
    } else {
      split.chunks = std::min(parts, step.product->matrix.runs());
    }
  }
  return split;
}

Part PartOf(const Step& step, const Split& split, int task) {
  const std::size_t begin = static_cast<std::size_t>(task) / split.chunks * split.block_pixels;
  const std::size_t chunk = static_cast<std::size_t>(task) % split.chunks;
  const std::size_t runs = step.product ? step.product->matrix.runs() : 0;
  const bool last = chunk + 1 == split.chunks;
  return {.begin = begin,
          .end = std::min(begin + split.block_pixels, step.pixels),
          .first_panel = runs * chunk / split.chunks,
          .last_panel = last ? step.panels() : runs * (chunk + 1) / split.chunks};
}

std::size_t ScratchSize(const Step& step, std::size_t pixels) {
  if (!step.product) return 0;
  if (const auto* windows = std::get_if<WindowRows>(&step.rows)) {
    return sizeof(float) * WindowScratch(step.window, FormOf(step, *windows), std::min(pixels, step.width()));
  }
  if (std::holds_alternative<PatchRows>(step.rows)) return pixels * step.product->inner * sizeof(float);
  const bool in_place = std::holds_alternative<Direct>(step.rows) && step.product->format == Format::kFloat32;
  // Rounded rows take less than this.
  return in_place ? 0 : pixels * ScratchRowsOf(*step.product, Format::kFloat32).pitch;
}

void RunPart(const Step& step, const Kernels& kernels, const Part& part, const StepMaps& maps,
             std::byte* scratch) {
  std::visit(PartRunner{step, kernels, part, maps, scratch}, step.rows);
}

}  // namespace mobilenet
