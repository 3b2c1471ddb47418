// Where the rows of a depthwise convolution stand while a worker has a strip of them in its buffer.
//
// Rows of the buffer have the window's padding around them, zeros that are set once, so that kernels meet no
// borders. For the gradient of the input, rows of the output's gradient are spread out by the stride: with
// zeros between, that gradient is a convolution of stride 1 with the filter turned around.
#pragma once

#include <algorithm>

#include "runtime/window.h"
#include "training/pass_state.h"

namespace mobilenet {

class DepthwiseRows {
 public:
  DepthwiseRows(const Layer& layer, const TrainingMap& in, const TrainingMap& out)
      : kernel_(layer.kernel),
        stride_(layer.stride.down),  // the same across
        top_(layer.padding.top),
        left_(layer.padding.left),
        in_(in),
        out_(out),
        input_width_(std::max((out.width - 1) * stride_ + kernel_, in.width + left_)),
        spread_width_(std::max(in.width + kernel_ - 1, (out.width - 1) * stride_ + kernel_ - left_)) {}

  // Floats of a row in the buffer, and how many rows a strip needs.
  [[nodiscard]] std::size_t input_row() const { return static_cast<std::size_t>(input_width_) * in_.pitch; }
  [[nodiscard]] std::size_t spread_row() const { return static_cast<std::size_t>(spread_width_) * in_.pitch; }
  [[nodiscard]] int InputRows(int outputs) const { return (outputs - 1) * stride_ + kernel_; }
  [[nodiscard]] int SpreadRows(int inputs) const { return (inputs + kernel_ - 2) / stride_ + 1; }
  [[nodiscard]] int OwnRows(int inputs) const { return (inputs + kernel_ - 1) / stride_ + 1; }

  // Output rows that the gradient of the input rows [first, last) needs, and those that belong to them: each
  // output row belongs to one input row.
  struct Span {
    int begin;
    int end;
  };
  [[nodiscard]] Span OutputsFor(int first, int last) const {
    const int begin = std::max(0, first + top_ - kernel_ + 1 + stride_ - 1) / stride_;
    return {begin, std::min(out_.height, (last - 1 + top_) / stride_ + 1)};
  }
  [[nodiscard]] Span OutputsOf(int first, int last) const {
    const auto at = [&](int row) { return std::min(out_.height, (row + stride_ - 1) / stride_); };
    return {at(first), last == in_.height ? OutputsFor(first, last).end : at(last)};
  }

  // Loads the activated input rows that the output rows [first, last) need, of image `image` of `layer`'s
  // map.
  void LoadInput(const TrainingKernels& kernels, LayerState& layer, std::size_t image, int first, int last,
                 float* buffer) const {
    const int begin = first * stride_ - top_;
    const int end = (last - 1) * stride_ - top_ + kernel_;
    for (int row = std::max(begin, 0); row < std::min(end, in_.height); ++row) {
      kernels.apply(layer.Rows((image * in_.height + row) * in_.width), in_.width, in_.columns,
                    layer.affine(), buffer + (row - begin) * input_row() + left_ * in_.pitch, in_.pitch);
    }
  }

  // The output row `row`, from a buffer whose strip begins with output row `first`. Bias and output are left
  // open.
  [[nodiscard]] DepthwiseTask Forward(const float* buffer, int first, int row, const float* filter) const {
    DepthwiseTask task = Task(input_width_, out_.width, stride_);
    const int top = row * stride_ - top_;
    for (int r = 0; r < kernel_; ++r) {
      if (top + r < 0 || top + r >= in_.height) continue;
      task.input[task.rows] = buffer + ((row - first) * stride_ + r) * input_row();
      task.weight[task.rows++] = filter + static_cast<std::size_t>(r) * kernel_ * in_.columns;
    }
    return task;
  }

  // The gradient of the filter from output row `row`; `sums` is [kernel, kernel, columns]. The gradient is
  // left open.
  [[nodiscard]] DepthwiseWeightsTask Weights(const float* buffer, int first, int row, float* sums) const {
    DepthwiseWeightsTask task = {};
    task.kernel = kernel_;
    task.stride = stride_;
    task.input_pitch = in_.pitch;
    task.width = out_.width;
    task.columns = in_.columns;
    const int top = row * stride_ - top_;
    for (int r = 0; r < kernel_; ++r) {
      if (top + r < 0 || top + r >= in_.height) continue;
      task.input[task.rows] = buffer + ((row - first) * stride_ + r) * input_row();
      task.sum[task.rows++] = sums + static_cast<std::size_t>(r) * kernel_ * in_.columns;
    }
    return task;
  }

  // Where output row `row`'s gradient goes in a buffer that begins with output row `first`, pixels
  // spread_pitch apart.
  [[nodiscard]] float* Spread(float* buffer, int first, int row) const {
    return buffer + (row - first) * spread_row() + static_cast<std::size_t>(kernel_ - 1 - left_) * in_.pitch;
  }
  [[nodiscard]] std::size_t spread_pitch() const { return stride_ * in_.pitch; }

  // The gradient of input row `row`, from such a buffer. Bias and output are left open.
  [[nodiscard]] DepthwiseTask Backward(const float* buffer, int first, int row, const float* mirrored) const {
    DepthwiseTask task = Task(spread_width_, in_.width, 1);
    for (int r = 0; r < kernel_; ++r) {
      const int above = row + top_ - r;
      if (above < 0 || above % stride_ != 0 || above / stride_ >= out_.height) continue;
      task.input[task.rows] = buffer + (above / stride_ - first) * spread_row();
      task.weight[task.rows++] = mirrored + static_cast<std::size_t>(r) * kernel_ * in_.columns;
    }
    return task;
  }

 private:
  [[nodiscard]] DepthwiseTask Task(int width, int outputs, int stride) const {
    DepthwiseTask task = {};
    task.kernel = kernel_;
    task.stride = stride;
    task.width = width;
    task.channels = in_.columns;
    task.input_pitch = in_.pitch * sizeof(float);
    task.range = kWholeRange;
    task.x_end = outputs;
    return task;
  }

  int kernel_, stride_, top_, left_;
  const TrainingMap& in_;
  const TrainingMap& out_;
  int input_width_;
  int spread_width_;
};

}  // namespace mobilenet
