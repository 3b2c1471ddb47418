#include "runtime/step.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/float16.h"
#include "kernels/patches.h"
#include "network/schedule.h"

namespace mobilenet {
namespace {

// What the rows of a product are rounded to: without the instruction for it, bfloat16 weights are widened.
Rounding RowRounding(const Step& step, const Kernels& kernels) {
  return step.rounding == Rounding::kBfloat16 && !kernels.bf16_rows ? Rounding::kNone : step.rounding;
}

// Computes the output pixels [begin, end) of a depthwise convolution to `output`, `pitch` floats apart.
void DepthwisePixels(const Step& step, const Kernels& kernels, const MapView& input, std::size_t begin,
                     std::size_t end, float* output, std::size_t pitch) {
  const Window& w = step.window;
  const auto channels = static_cast<std::size_t>(w.input_channels);
  const auto width = static_cast<std::size_t>(w.output_width);
  DepthwiseTask task{};
  task.kernel = w.kernel;
  task.stride = w.stride;
  task.padding_left = w.padding_left;
  task.width = w.input_width;
  task.channels = channels;
  task.input_pitch = input.pitch;
  task.output_pitch = pitch;
  task.rounding = RowRounding(step, kernels);
  task.bias = step.depthwise_bias.data();
  task.range = step.depthwise_range;
  while (begin < end) {
    const std::size_t y = begin / width;
    const std::size_t row_end = std::min(end, (y + 1) * width);
    task.rows = 0;
    for (int ky = 0; ky < w.kernel; ++ky) {
      const int iy = static_cast<int>(y) * w.stride - w.padding_top + ky;
      if (iy < 0 || iy >= w.input_height) continue;
      task.input[task.rows] = input.Row(iy);
      task.weight[task.rows] = step.depthwise_weight.data() + ky * w.kernel * channels;
      ++task.rows;
    }
    task.x_begin = static_cast<int>(begin - y * width);
    task.x_end = static_cast<int>(row_end - y * width);
    task.output = output;
    kernels.depthwise(task);
    output += (row_end - begin) * pitch;
    begin = row_end;
  }
}

// How the rows of a product lie in scratch: their pitch in floats, and the place of a value that only
// rounding up made, in values, or 0.
struct ScratchRows {
  std::size_t pitch;
  std::size_t padding;
};

ScratchRows ScratchRowsOf(const Step& step, Rounding rounding) {
  const std::size_t inner = step.inner;
  if (step.rounding == Rounding::kNone) return {PixelPitch(static_cast<int>(inner)), 0};
  const std::size_t floats = rounding == Rounding::kNone ? 2 * step.matrix.k : step.matrix.k;
  return {PixelPitch(static_cast<int>(floats)), inner % 2 == 0 ? 0 : inner};
}

// The weight of a value that does not exist is zero, but what would be read in its place may be no number.
void ClearPadding(const ScratchRows& rows, Rounding rounding, std::size_t count, float* scratch) {
  if (rows.padding == 0) return;
  for (std::size_t r = 0; r < count; ++r) {
    float* row = scratch + r * rows.pitch;
    if (rounding == Rounding::kNone) {
      row[rows.padding] = 0;
    } else {
      reinterpret_cast<std::uint16_t*>(row)[rows.padding] = 0;
    }
  }
}

// Copies the rows of a map, in the form that the product takes.
void CopyRows(const Kernels& kernels, Rounding rounding, const ScratchRows& rows, std::size_t inner,
              const float* from, std::size_t pitch, std::size_t count, float* scratch) {
  const auto round = rounding == Rounding::kFloat16 ? kernels.round_to_f16 : kernels.round_to_bf16;
  for (std::size_t r = 0; r < count; ++r) {
    float* to = scratch + r * rows.pitch;
    if (rounding == Rounding::kNone) {
      std::copy_n(from + r * pitch, inner, to);
    } else {
      round(from + r * pitch, inner, reinterpret_cast<std::uint16_t*>(to));
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

// Floats in one row of the padded input under the windows of `pixels` neighbours.
std::size_t WindowRowLength(const Window& w, std::size_t pixels) {
  return ((pixels - 1) * w.stride + w.kernel) * w.input_channels;
}

// The product of windows that are read where they lie, one row of the output after the other. Only the tiles
// of windows that hang over an edge are read from a padded copy.
class WindowProduct {
 public:
  WindowProduct(const Step& step, const Kernels& kernels, const ProductTask& task, const MapView& input,
                float* scratch)
      : window_(step.window), kernels_(kernels), task_(task), input_(input), scratch_(scratch) {
    task_.a_stride = static_cast<std::size_t>(window_.stride) * window_.input_channels;
    task_.segments = window_.kernel;
  }

  void Run(const Part& part) {
    const auto width = static_cast<std::size_t>(window_.output_width);
    for (std::size_t begin = part.begin; begin < part.end;) {
      const std::size_t y = begin / width;
      const std::size_t end = std::min(part.end, (y + 1) * width);
      Row(static_cast<int>(y), static_cast<int>(begin - y * width), static_cast<int>(end - y * width));
      begin = end;
    }
  }

 private:
  void Row(int y, int begin, int end) {
    const Window& w = window_;
    const int top = y * w.stride - w.padding_top;
    const bool whole =
        input_.rows >= w.input_height && input_.pitch == static_cast<std::size_t>(w.input_channels);
    const bool inside = top >= 0 && top + w.kernel <= w.input_height && w.kernel <= w.input_width;
    if (!whole || !inside) return Copied(top, begin, end);
    const int tile = static_cast<int>(kernels_.tile_rows);
    const int first = (w.padding_left + w.stride - 1) / w.stride;  // the first window that begins inside
    const int after =
        (w.input_width - w.kernel + w.padding_left) / w.stride + 1;  // the first that ends outside
    const int left = begin < first ? std::min(end, begin + tile) : begin;
    const int direct = std::max(0, std::min(end, after) - left);
    const int right = left + (left + direct == end ? direct : direct / tile * tile);
    Copied(top, begin, left);
    if (right > left) {
      task_.a = input_.Row(top) + static_cast<std::size_t>(left * w.stride - w.padding_left) * input_.pitch;
      task_.segment_pitch = static_cast<std::size_t>(w.input_width) * input_.pitch;
      Product(left, right);
    }
    Copied(top, right, end);
  }

  void Copied(int top, int begin, int end) {
    if (begin >= end) return;
    const Window& w = window_;
    task_.a = scratch_;
    task_.segment_pitch = WindowRowLength(w, static_cast<std::size_t>(end - begin));
    for (int ky = 0; ky < w.kernel; ++ky) {
      const int y = top + ky;
      const bool exists = y >= 0 && y < w.input_height;
      CopyPixels(w, exists ? input_.Row(y) : nullptr, begin * w.stride - w.padding_left,
                 task_.segment_pitch / w.input_channels, scratch_ + ky * task_.segment_pitch);
    }
    Product(begin, end);
  }

  void Product(int begin, int end) {
    task_.rows = static_cast<std::size_t>(end - begin);
    kernels_.product(task_);
    task_.c += task_.rows * task_.c_stride;
  }

  const Window& window_;
  const Kernels& kernels_;
  ProductTask task_;
  const MapView& input_;
  float* scratch_;
};

// The same for two neighbouring windows at once: of each input row under them a copy, in which every value is
// followed by the one that the next window has in its place.
class PairedWindows {
 public:
  PairedWindows(const Step& step, const Kernels& kernels, const ProductTask& task, const MapView& input,
                float* scratch)
      : window_(step.window),
        kernels_(kernels),
        task_(task),
        input_(input),
        scratch_(scratch),
        next_(static_cast<std::size_t>(window_.stride) * window_.input_channels) {
    task_.a = scratch;
    task_.a_stride = 4 * next_;
    task_.segments = window_.kernel;
    task_.c_stride *= 2;
  }

  // Floats of a copied row for `pixels` windows, in whole cache lines.
  static std::size_t RowLength(const Window& w, std::size_t pixels) {
    constexpr std::size_t kLine = 16;
    return (2 * WindowRowLength(w, pixels) + kLine - 1) / kLine * kLine;
  }

  void Run(const Part& part) {
    const auto width = static_cast<std::size_t>(window_.output_width);
    for (std::size_t begin = part.begin; begin < part.end;) {
      const std::size_t y = begin / width;
      const std::size_t end = std::min(part.end, (y + 1) * width);
      Row(static_cast<int>(y), static_cast<int>(begin - y * width), static_cast<int>(end - y * width));
      begin = end;
    }
  }

 private:
  void Row(int y, int begin, int end) {
    const auto pixels = static_cast<std::size_t>(end - begin);
    task_.rows = pixels / 2;
    task_.segment_pitch = RowLength(window_, pixels);
    for (int ky = 0; ky < window_.kernel; ++ky) {
      const int iy = y * window_.stride - window_.padding_top + ky;
      float* to = scratch_ + ky * task_.segment_pitch;
      if (iy < 0 || iy >= window_.input_height) {
        std::fill_n(to, task_.segment_pitch, 0.0F);
      } else {
        CopyRow(input_.Row(iy), begin * window_.stride - window_.padding_left,
                WindowRowLength(window_, pixels - 1), to);
      }
    }
    kernels_.product_of_two(task_);
    task_.c += task_.rows * task_.c_stride;
  }

  // `count` values from column `left` on, each with the one after it, and zeros outside of the row.
  void CopyRow(const float* row, int left, std::size_t count, float* to) const {
    const auto length = static_cast<std::ptrdiff_t>(window_.input_width) * window_.input_channels;
    const auto next = static_cast<std::ptrdiff_t>(next_);
    const auto first = static_cast<std::ptrdiff_t>(left) * window_.input_channels;
    const auto value = [&](std::ptrdiff_t i) { return i >= 0 && i < length ? row[i] : 0.0F; };
    const auto last = first + static_cast<std::ptrdiff_t>(count);
    const std::ptrdiff_t inside = std::clamp<std::ptrdiff_t>(0, first, last);
    const std::ptrdiff_t outside = std::clamp(length - next, inside, last);
    for (std::ptrdiff_t i = first; i < last; ++i) {
      if (i == inside && outside > inside) {
        kernels_.alternate(row + i, row + i + next, static_cast<std::size_t>(outside - i), to);
        to += 2 * (outside - i);
        i = outside;
        if (i == last) break;
      }
      *to++ = value(i);
      *to++ = value(i + next);
    }
  }

  const Window& window_;
  const Kernels& kernels_;
  ProductTask task_;
  const MapView& input_;
  float* scratch_;
  std::size_t next_;  // floats from a window to the next
};

std::vector<float> EachTwice(std::span<const float> values) {
  std::vector<float> twice;
  for (const float value : values) twice.insert(twice.end(), 2, value);
  return twice;
}

bool PixelsPair(const Step& step, std::size_t columns, const Kernels& kernels) {
  return kernels.product_of_two != nullptr && step.rows_from == RowSource::kWindows &&
         2 * columns == kernels.lanes && step.window.output_width % 2 == 0 && kernels.tile_rows % 2 == 0 &&
         PixelPitch(static_cast<int>(columns)) == columns;
}

}  // namespace

Rounding RoundingFor(Precision precision) {
  switch (precision) {
    case Precision::kBfloat16:
      return Rounding::kBfloat16;
    case Precision::kFloat16:
      return Rounding::kFloat16;
    default:
      return Rounding::kNone;
  }
}

ProductFunction ProductOf(Rounding rounding, const Kernels& kernels) {
  switch (rounding) {
    case Rounding::kNone:
      return kernels.product;
    case Rounding::kBfloat16:
      return kernels.product_bf16;
    case Rounding::kFloat16:
      return kernels.product_f16;
  }
  return nullptr;
}

void SetMatrix(Precision precision, const Kernels& kernels, std::span<const float> weights,
               std::span<const float> bias, Range input, const std::shared_ptr<Slab>& slab, Step& step) {
  step.inner = weights.size() / bias.size();
  step.two_pixels = PixelsPair(step, bias.size(), kernels);
  if (step.two_pixels) {
    const std::vector<float> columns = EachTwice(weights);
    const std::vector<float> biases = EachTwice(bias);
    step.matrix = Pack(columns.data(), biases.data(), step.inner, biases.size(), kernels.lanes, slab);
    return;
  }
  step.rounding = RoundingFor(precision);
  if (step.rounding == Rounding::kFloat16 && !SumsFitF16(weights, bias.size(), input))
    step.rounding = Rounding::kNone;
  const auto pack = step.rounding == Rounding::kBfloat16  ? PackBf16
                    : step.rounding == Rounding::kFloat16 ? PackF16
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
      return step.rounding == Rounding::kNone ? 0 : pixels * ScratchRowsOf(step, Rounding::kNone).pitch;
    case RowSource::kDepthwise:
      return pixels * ScratchRowsOf(step, Rounding::kNone).pitch;  // rounded rows take less
    case RowSource::kWindows:
      if (step.two_pixels)
        return step.window.kernel * PairedWindows::RowLength(step.window, std::min(pixels, step.width()));
      return step.window.kernel * WindowRowLength(step.window, std::min(pixels, step.width()));
    case RowSource::kPatches:
      return pixels * step.matrix.k;
  }
  return 0;
}

void RunPart(const Step& step, const Kernels& kernels, const Part& part, const MapView& input, float* output,
             std::size_t output_pitch, float* scratch) {
  if (step.kind == Step::Kind::kAverage) {
    const auto pixels = static_cast<std::size_t>(step.window.input_height) * step.window.input_width;
    kernels.average(input.data, pixels, input.pitch, static_cast<std::size_t>(step.window.input_channels),
                    output);
    return;
  }
  if (step.kind == Step::Kind::kDepthwise) {
    DepthwisePixels(step, kernels, input, part.begin, part.end, output, output_pitch);
    return;
  }
  const Rounding rounding = RowRounding(step, kernels);
  const ScratchRows rows = ScratchRowsOf(step, rounding);
  const std::size_t count = part.end - part.begin;
  ProductTask task = {.a = scratch,
                      .a_stride = rows.pitch,
                      .rows = count,
                      .c = output,
                      .c_stride = output_pitch,
                      .b = &step.matrix,
                      .first_panel = part.first_panel,
                      .last_panel = part.last_panel,
                      .range = step.range};
  switch (step.rows_from) {
    case RowSource::kInput: {
      const float* from = input.data + part.begin * input.pitch;
      if (rounding != Rounding::kNone || rows.padding > 0) {
        CopyRows(kernels, rounding, rows, step.inner, from, input.pitch, count, scratch);
        ClearPadding(rows, rounding, count, scratch);
      } else {
        task.a = from;
        task.a_stride = input.pitch;
      }
      break;
    }
    case RowSource::kDepthwise:
      DepthwisePixels(step, kernels, input, part.begin, part.end, scratch, rows.pitch);
      ClearPadding(rows, rounding, count, scratch);
      break;
    case RowSource::kWindows:
      if (step.two_pixels) return PairedWindows(step, kernels, task, input, scratch).Run(part);
      WindowProduct(step, kernels, task, input, scratch).Run(part);
      return;
    case RowSource::kPatches:
      task.a_stride = step.matrix.k;
      CopyPatches(step.window, input.data, input.pitch, part.begin, part.end, scratch);
      break;
  }
  ProductOf(step.rounding, kernels)(task);
}

}  // namespace mobilenet
