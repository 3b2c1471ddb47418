#include "runtime/step.h"

#include <algorithm>

#include "kernels/patches.h"

namespace mobilenet {
namespace {

// Computes the output pixels [begin, end) of a depthwise convolution, counted row by row, to `output`.
void DepthwisePixels(const Step& step, const Kernels& kernels, const float* input, std::size_t begin,
                     std::size_t end, float* output) {
  const Window& w = step.window;
  const auto channels = static_cast<std::size_t>(w.input_channels);
  const std::size_t pitch = static_cast<std::size_t>(w.input_width) * channels;
  const auto width = static_cast<std::size_t>(w.output_width);
  DepthwiseTask task{};
  task.kernel = w.kernel;
  task.stride = w.stride;
  task.padding_left = w.padding_left;
  task.width = w.input_width;
  task.channels = channels;
  task.bias = step.depthwise_bias.data();
  task.range = step.depthwise_range;
  while (begin < end) {
    const std::size_t y = begin / width;
    const std::size_t row_end = std::min(end, (y + 1) * width);
    task.rows = 0;
    for (int ky = 0; ky < w.kernel; ++ky) {
      const int iy = static_cast<int>(y) * w.stride - w.padding_top + ky;
      if (iy < 0 || iy >= w.input_height) continue;
      task.input[task.rows] = input + iy * pitch;
      task.weight[task.rows] = step.depthwise_weight.data() + ky * w.kernel * channels;
      ++task.rows;
    }
    task.x_begin = static_cast<int>(begin - y * width);
    task.x_end = static_cast<int>(row_end - y * width);
    task.output = output;
    kernels.depthwise(task);
    output += (row_end - begin) * channels;
    begin = row_end;
  }
}

}  // namespace

// A block of rows should stay in L1 while all of B's panels pass over it; B is read once for each block.
// Where B is too large for L2, larger blocks that live in L2 themselves read it less often.
Split SplitStep(const Step& step, const Kernels& kernels, std::size_t l1_bytes, std::size_t l2_bytes,
                int threads) {
  Split split;
  if (step.kind == Step::Kind::kAverage) return split;
  const std::size_t row_bytes = step.row_length() * sizeof(float);
  const bool b_fits = step.matrix.values.size() * sizeof(float) <= l2_bytes / 2;
  const std::size_t budget = b_fits ? l1_bytes * 3 / 4 : l2_bytes / 4;
  const std::size_t tile = kernels.tile_rows;
  split.block_rows = std::clamp(budget / row_bytes / tile * tile, tile, std::max(tile, step.rows));
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

std::size_t ScratchSize(const Step& step, const Split& split) {
  const bool needed = step.kind == Step::Kind::kProduct && step.rows_from != RowSource::kInput;
  return needed ? split.block_rows * step.matrix.k : 0;
}

void RunTask(const Step& step, const Split& split, const Kernels& kernels, int task, const float* input,
             float* output, float* scratch) {
  if (step.kind == Step::Kind::kAverage) {
    const auto pixels = static_cast<std::size_t>(step.window.input_height) * step.window.input_width;
    kernels.average(input, pixels, static_cast<std::size_t>(step.window.input_channels), output);
    return;
  }
  const std::size_t begin = static_cast<std::size_t>(task) / split.chunks * split.block_rows;
  const std::size_t end = std::min(begin + split.block_rows, step.rows);
  const std::size_t length = step.row_length();
  if (step.kind == Step::Kind::kDepthwise) {
    DepthwisePixels(step, kernels, input, begin, end, output + begin * length);
    return;
  }
  const float* rows = scratch;
  switch (step.rows_from) {
    case RowSource::kInput:
      rows = input + begin * length;
      break;
    case RowSource::kDepthwise:
      DepthwisePixels(step, kernels, input, begin, end, scratch);
      break;
    case RowSource::kPatches:
      CopyPatches(step.window, input, begin, end, scratch);
      break;
  }
  const std::size_t chunk = static_cast<std::size_t>(task) % split.chunks;
  const std::size_t runs = step.matrix.runs();
  const bool last = chunk + 1 == split.chunks;
  const ProductTask product = {
      .a = rows,
      .a_stride = length,
      .rows = end - begin,
      .c = output + begin * step.matrix.columns,
      .c_stride = step.matrix.columns,
      .b = &step.matrix,
      .first_panel = runs * chunk / split.chunks,
      .last_panel = last ? step.matrix.panels.size() : runs * (chunk + 1) / split.chunks,
      .range = step.range};
  kernels.product(product);
}

}  // namespace mobilenet
