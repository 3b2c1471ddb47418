#include "runtime/step.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "base/float16.h"
#include "kernels/patches.h"
#include "network/schedule.h"
#include "runtime/windows.h"

namespace mobilenet {
namespace {

// What the rows of a product are rounded to: without the instruction for it, bfloat16 weights are widened.
Format RowFormat(const Step& step, const Kernels& kernels) {
  return step.format == Format::kBfloat16 && !kernels.bf16_rows ? Format::kFloat32 : step.format;
}

// Computes the output pixels [begin, end) of a depthwise convolution to `output`, `pitch` bytes apart.
void DepthwisePixels(const Step& step, const Kernels& kernels, const MapView& input, std::size_t begin,
                     std::size_t end, void* output, std::size_t pitch) {
  const Window& w = step.window;
  const auto channels = static_cast<std::size_t>(w.input_channels);
  const auto width = static_cast<std::size_t>(w.output_width);
  DepthwiseTask task{};
  task.kernel = w.kernel;
  task.stride = w.stride;
  task.padding_left = w.padding_left;
  task.width = w.input_width;
  task.channels = channels;
  task.input_pitch = input.pitch * sizeof(float);
  task.output_pitch = pitch;
  task.output_format = RowFormat(step, kernels);
  task.bias = step.depthwise_bias.data();
  task.range = step.depthwise_range;
  ForEachRow(begin, end, width, [&](std::size_t y, std::size_t x_begin, std::size_t x_end) {
    task.rows = 0;
    for (int ky = 0; ky < w.kernel; ++ky) {
      const int iy = static_cast<int>(y) * w.stride - w.padding_top + ky;
      if (iy < 0 || iy >= w.input_height) continue;
      task.input[task.rows] = input.Row(iy);
      task.weight[task.rows] = step.depthwise_weight.data() + ky * w.kernel * channels;
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

ScratchRows ScratchRowsOf(const Step& step, Format format) {
  const std::size_t inner = step.inner;
  const auto pitch = [](std::size_t floats) { return PixelPitch(static_cast<int>(floats)) * sizeof(float); };
  if (step.format == Format::kFloat32) return {pitch(inner), 0};
  const std::size_t floats = format == Format::kFloat32 ? 2 * step.matrix.k : step.matrix.k;
  return {pitch(floats), inner % 2 == 0 ? 0 : inner * SizeOf(format)};
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
  for (std::size_t r = 0; r < count; ++r) {
    std::byte* to = scratch + r * rows.pitch;
    if (format == Format::kFloat32) {
      std::memcpy(to, from + r * pitch, inner * sizeof(float));
    } else {
      round(from + r * pitch, inner, to);
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
  return kernels.product_of_two != nullptr && step.rows_from == RowSource::kWindows &&
         2 * columns == kernels.lanes && step.window.output_width % 2 == 0 && kernels.tile_rows % 2 == 0 &&
         PixelPitch(static_cast<int>(columns)) == columns;
}

}  // namespace

Format FormatFor(Precision precision) {
  switch (precision) {
    case Precision::kBfloat16:
      return Format::kBfloat16;
    case Precision::kFloat16:
      return Format::kFloat16;
    default:
      return Format::kFloat32;
  }
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

void SetMatrix(Precision precision, const Kernels& kernels, std::span<const float> weights,
               std::span<const float> bias, Range input, const std::shared_ptr<Slab>& slab, Step& step) {
  step.inner = weights.size() / bias.size();
  step.two_pixels = TakesTwoPixels(step, bias.size(), kernels);
  if (step.two_pixels) {
    const std::vector<float> columns = EachTwice(weights);
    const std::vector<float> biases = EachTwice(bias);
    step.matrix = Pack(columns.data(), biases.data(), step.inner, biases.size(), kernels.lanes, slab);
    return;
  }
  step.format = FormatFor(precision);
  if (step.format == Format::kFloat16 && !SumsFitF16(weights, bias.size(), input))
    step.format = Format::kFloat32;
  const auto pack = step.format == Format::kBfloat16  ? PackBf16
                    : step.format == Format::kFloat16 ? PackF16
                                                      : Pack;
  step.matrix = pack(weights.data(), bias.data(), step.inner, bias.size(), kernels.lanes, slab);
}

// A block of rows should stay in L1 while all of B's panels pass over it; B is read once for each block, and
// each panel of it should serve a few tiles. Where B is too large for L2, larger blocks that live in L2
// themselves read it less often.
constexpr std::size_t kLeastTiles = 4;

Split SplitStep(const Step& step, const Kernels& kernels, std::size_t l1_bytes, std::size_t l2_bytes,
                int threads) {
  Split split;
  if (step.kind == Step::Kind::kAverage) return split;
  const std::size_t row_bytes = step.row_length() * sizeof(float);
  const bool b_fits = step.matrix.values.size() * sizeof(float) <= l2_bytes / 2;
  const std::size_t budget = b_fits ? l1_bytes * 3 / 4 : l2_bytes / 4;
  const std::size_t tile = kernels.tile_rows;
  split.block_rows =
      std::clamp(std::max(budget / row_bytes / tile, kLeastTiles) * tile, tile, std::max(tile, step.rows));
  if (step.rows_from == RowSource::kWindows) split.block_rows = step.width();
  split.block_rows = std::min(split.block_rows, step.rows);
  split.blocks = (step.rows + split.block_rows - 1) / split.block_rows;
  if (threads == 1) return split;
  const auto parts = static_cast<std::size_t>(threads);
  // Enough blocks for all threads to end at about the same time; else split the columns too, which computes a
  // depthwise row once for each chunk: cheap where there are few rows, since the product dwarfs it.
  if (split.blocks < 4 * parts) {
    const std::size_t rows = (step.rows + 4 * parts - 1) / (4 * parts);
    const std::size_t smaller = (rows + tile - 1) / tile * tile;
    const std::size_t blocks = (step.rows + smaller - 1) / smaller;
    if (blocks >= 4 * parts || step.kind == Step::Kind::kDepthwise) {
      split.block_rows = smaller;
      split.blocks = blocks;
    } else {
      split.chunks = std::min(parts, step.matrix.runs());
    }
  }
  return split;
}

Part PartOf(const Step& step, const Split& split, int task) {
  const std::size_t begin = static_cast<std::size_t>(task) / split.chunks * split.block_rows;
  const std::size_t chunk = static_cast<std::size_t>(task) % split.chunks;
  const std::size_t runs = step.matrix.runs();
  const bool last = chunk + 1 == split.chunks;
  return {.begin = begin,
          .end = std::min(begin + split.block_rows, step.rows),
          .first_panel = runs * chunk / split.chunks,
          .last_panel = last ? step.matrix.panels.size() : runs * (chunk + 1) / split.chunks};
}

std::size_t ScratchSize(const Step& step, std::size_t pixels) {
  if (step.kind != Step::Kind::kProduct) return 0;
  switch (step.rows_from) {
    case RowSource::kInput:
      return step.format == Format::kFloat32 ? 0 : pixels * ScratchRowsOf(step, Format::kFloat32).pitch;
    case RowSource::kDepthwise:
      return pixels * ScratchRowsOf(step, Format::kFloat32).pitch;  // rounded rows take less
    case RowSource::kWindows:
      return WindowScratch(step.window, step.two_pixels, std::min(pixels, step.width())) * sizeof(float);
    case RowSource::kPatches:
      return pixels * step.matrix.k * sizeof(float);
  }
  return 0;
}

void RunPart(const Step& step, const Kernels& kernels, const Part& part, const MapView& input, float* output,
             std::size_t output_pitch, std::byte* scratch) {
  if (step.kind == Step::Kind::kAverage) {
    const auto pixels = static_cast<std::size_t>(step.window.input_height) * step.window.input_width;
    kernels.average(input.data, pixels, input.pitch * sizeof(float),
                    static_cast<std::size_t>(step.window.input_channels), output);
    return;
  }
  if (step.kind == Step::Kind::kDepthwise) {
    DepthwisePixels(step, kernels, input, part.begin, part.end, output, output_pitch * sizeof(float));
    return;
  }
  const Format format = RowFormat(step, kernels);
  const ScratchRows rows = ScratchRowsOf(step, format);
  const std::size_t count = part.end - part.begin;
  ProductTask task = {.a = scratch,
                      .a_stride = rows.pitch,
                      .rows = count,
                      .c = output,
                      .c_stride = output_pitch * sizeof(float),
                      .b = &step.matrix,
                      .first_panel = part.first_panel,
                      .last_panel = part.last_panel,
                      .range = step.range};
  switch (step.rows_from) {
    case RowSource::kInput: {
      const float* from = input.data + part.begin * input.pitch;
      if (format != Format::kFloat32 || rows.padding > 0) {
        CopyRows(kernels, format, rows, step.inner, from, input.pitch, count, scratch);
        ClearPadding(rows, format, count, scratch);
      } else {
        task.a = from;
        task.a_stride = input.pitch * sizeof(float);
      }
      break;
    }
    case RowSource::kDepthwise:
      DepthwisePixels(step, kernels, input, part.begin, part.end, scratch, rows.pitch);
      ClearPadding(rows, format, count, scratch);
      break;
    case RowSource::kWindows:
      return MultiplyWindows(step.window, step.two_pixels, kernels, task, input, part,
                             reinterpret_cast<float*>(scratch));
    case RowSource::kPatches:
      task.a_stride = step.matrix.k * sizeof(float);
      CopyPatches(step.window, input.data, input.pitch, part.begin, part.end,
                  reinterpret_cast<float*>(scratch));
      break;
  }
  ProductOf(step.format, kernels)(task);
}

}  // namespace mobilenet
