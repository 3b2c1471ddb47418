#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "kernels/patches.h"
#include "runtime/window.h"
#include "training/depthwise_rows.h"
#include "training/pass_state.h"

namespace mobilenet {
namespace {

// Adds rows of patches to the pixels that they were copied from: CopyPatches backwards.
void AddPatches(const Window& w, const float* patches, std::size_t begin, std::size_t end, float* map,
                std::size_t pitch) {
  const auto channels = static_cast<std::size_t>(w.input_channels);
  for (std::size_t pixel = begin; pixel < end; ++pixel) {
    const int top = static_cast<int>(pixel / w.output_width) * w.stride.down - w.padding_top;
    const int left = static_cast<int>(pixel % w.output_width) * w.stride.across - w.padding_left;
    for (int y = top; y < top + w.kernel; ++y) {
      for (int x = left; x < left + w.kernel; ++x, patches += channels) {
        if (y < 0 || y >= w.input_height || x < 0 || x >= w.input_width) continue;
        float* to = map + (static_cast<std::size_t>(y) * w.input_width + x) * pitch;
        for (std::size_t c = 0; c < channels; ++c) to[c] += patches[c];
      }
    }
  }
}

}  // namespace

void TrainingPass::State::MaskRows(LayerState& layer, std::size_t first_row, std::size_t rows,
                                   int worker) const {
  ChannelSums& sums = layer.sums[worker];
  for (std::size_t end = first_row + rows; first_row < end; first_row += kSummedRows) {
    training->mask(layer.GradientRows(first_row), layer.Rows(first_row),
                   std::min(kSummedRows, end - first_row), layer.map.columns, layer.affine(),
                   layer.centre.data(), sums.part[0].data(), sums.part[1].data());
    sums.Collect();
  }
}

// Ioffe and Szegedy 2015, the gradients of section 3: with n values a channel, g the gradient of scale * y +
// shift and x = (y - mean) / deviation, the gradients are sum(g x) for gamma, sum(g) for beta, and gamma /
// deviation * (g - sum(g) / n - x sum(g x) / n) for y.
void TrainingPass::State::FinishBackward(std::size_t index, std::span<const float> values,
                                         std::span<float> gradient) {
  LayerState& layer = layers[index];
  const double count = static_cast<double>(targets.size() * layer.map.pixels());
  for (std::size_t c = 0; c < layer.map.channels; ++c) {
    const double sum = Total(layer, 0, c);
    const double products = Total(layer, 1, c);
    if (layer.bias != nullptr) gradient[layer.bias->offset + c] = static_cast<float>(sum);
    if (layer.gamma == nullptr) continue;
    const double inverse = layer.inverse[c];
    const double gamma_gradient = products * inverse;
    gradient[layer.gamma->offset + c] = static_cast<float>(gamma_gradient);
    gradient[layer.beta->offset + c] = static_cast<float>(sum);
    const double factor = values[layer.gamma->offset + c] * inverse;
    const double slope = -factor * gamma_gradient * inverse / count;
    layer.factor[c] = static_cast<float>(factor);
    layer.slope[c] = static_cast<float>(slope);
    layer.constant[c] = static_cast<float>(-factor * sum / count - slope * layer.centre[c]);
  }
}

void TrainingPass::State::BeforeNorm(LayerState& layer, std::size_t first_row, std::size_t rows, float* to,
                                     std::size_t to_pitch) const {
  training->combine(layer.GradientRows(first_row), layer.Rows(first_row), rows, layer.map.columns,
                    layer.factor.data(), layer.slope.data(), layer.constant.data(), to, to_pitch);
}

MapRows TrainingPass::State::GradientFor(const LayerInput& input, std::size_t first_row, float* staging) {
  if (input.adds) return {staging, input.from->map.pitch, false};
  return input.from->GradientRows(first_row);
}

void TrainingPass::State::AddStaged(const LayerInput& input, std::size_t first_row, std::size_t rows,
                                    float* staging) const {
  if (!input.adds) return;
  const LayerState& in = *input.from;
  AddRows(in.map, staging, rows, in.gradient + in.map.floats(first_row));
}

void TrainingPass::State::Give(const LayerInput& input, std::size_t first_row, std::size_t rows,
                               float* gradient) const {
  if (input.adds) return AddStaged(input, first_row, rows, gradient);
  const MapRows to = input.from->GradientRows(first_row);
  if (to.bf16) {
    kernels->round_to_bf16(gradient, rows * to.pitch, to.values);
  } else {
    std::copy_n(gradient, rows * to.pitch, static_cast<float*>(to.values));
  }
}

void TrainingPass::State::Complete(const LayerInput& input, std::size_t first_row, std::size_t rows,
                                   int worker) const {
  if (input.completes) MaskRows(*input.from, first_row, rows, worker);
}

void TrainingPass::State::AddWeights(LayerState& layer, const float* input, std::size_t input_pitch,
                                     const float* before, std::size_t rows, int worker) {
  OuterTask task = {.a = input,
                    .a_pitch = input_pitch,
                    .inner = layer.inner,
                    .b = before,
                    .b_pitch = layer.map.pitch,
                    .columns = layer.map.columns,
                    .rows = rows,
                    .c = layer.weight_sums[worker].data(),
                    .c_pitch = layer.map.columns};
  if (!layer.bf16) return training->outer(task);
  float* a = pairs[worker].data();
  float* b = a + PairsOf(rows) * input_pitch;
  training->interleave(input, input_pitch, rows, ColumnsFor(layer.inner), a, input_pitch);
  training->interleave(before, layer.map.pitch, rows, layer.map.columns, b, layer.map.pitch);
  task.a = a;
  task.b = b;
  task.rows = PairsOf(rows);
  training->outer_pairs(task);
}

void TrainingPass::State::BackwardPointwise(std::size_t index, int worker) {
  LayerState& out = layers[index];
  const auto [begin, end] = PartOf(worker);
  if (out.in() == nullptr) {  // a classifier by itself: its gradient is that of its logits
    return AddWeights(out, images.data() + begin * out.inner, out.inner, out.gradient + begin * out.map.pitch,
                      end - begin, worker);
  }
  const LayerInput& to = out.inputs.front();
  LayerState& in = *to.from;
  const std::size_t pixels = out.map.pixels();
  const std::size_t block = BlockRows(in.map.pitch, out.map.pitch);
  float* input = scratch[worker].data();
  float* before = input + block * in.map.pitch;
  for (std::size_t row = begin * pixels; row < end * pixels; row += block) {
    const std::size_t rows = std::min(block, end * pixels - row);
    BeforeNorm(out, row, rows, before, out.map.pitch);
    Activate(in, row, rows, input);
    Dropout(out, row, rows, input);
    AddWeights(out, input, in.map.pitch, before, rows, worker);
    const MapRows gradient = GradientFor(to, row, input);
    Multiply(out, out.backward, before, out.map.pitch, rows, gradient, input, worker);
    Dropout(out, row, rows, static_cast<float*>(gradient.values));
    AddStaged(to, row, rows, input);
    Complete(to, row, rows, worker);
  }
}

void TrainingPass::State::BackwardDepthwise(std::size_t index, int worker) {
  LayerState& out = layers[index];
  const LayerInput& to = out.inputs.front();
  LayerState& in = *to.from;
  const auto [begin, end] = PartOf(worker);
  const DepthwiseRows rows(*out.layer, in.map, out.map);
  const int strip = StripRows(in, out, true);
  float* input = scratch[worker].data();
  const std::size_t input_size = rows.InputRows(rows.OwnRows(strip)) * rows.input_row();
  float* spread = input + input_size;
  const std::size_t spread_size = rows.SpreadRows(strip) * rows.spread_row();
  float* staging = spread + spread_size;
  std::fill_n(input, input_size + spread_size, 0.0F);
  for (std::size_t image = begin; image < end; ++image) {
    for (int first = 0; first < in.map.height; first += strip) {
      const int last = std::min(first + strip, in.map.height);
      const auto needed = rows.OutputsFor(first, last);
      for (int row = needed.begin; row < needed.end; ++row) {
        BeforeNorm(out, image * out.map.pixels() + static_cast<std::size_t>(row) * out.map.width,
                   out.map.width, rows.Spread(spread, needed.begin, row), rows.spread_pitch());
      }
      for (int row = first; row < last; ++row) {
        const std::size_t pixel = (image * in.map.height + row) * in.map.width;
        Depthwise(rows.Backward(spread, needed.begin, row, out.mirrored.data()),
                  GradientFor(to, pixel, staging));
        AddStaged(to, pixel, in.map.width, staging);
      }
      Complete(to, image * in.map.pixels() + static_cast<std::size_t>(first) * in.map.width,
               static_cast<std::size_t>(last - first) * in.map.width, worker);
      const auto own = rows.OutputsOf(first, last);
      if (own.begin == own.end) continue;
      rows.LoadInput(*training, in, image, own.begin, own.end, input);
      for (int row = own.begin; row < own.end; ++row) {
        DepthwiseWeightsTask task = rows.Weights(input, own.begin, row, out.weight_sums[worker].data());
        task.gradient = rows.Spread(spread, needed.begin, row);
        task.gradient_pitch = rows.spread_pitch();
        training->depthwise_weights(task);
      }
    }
  }
}

void TrainingPass::State::BackwardConvolution(std::size_t index, int worker) {
  LayerState& out = layers[index];
  LayerState* in = out.in();
  const auto [begin, end] = PartOf(worker);
  const Window window = WindowOf(*out.layer);
  const std::size_t block = PatchRows(out);
  float* patches = scratch[worker].data();
  float* before = patches + block * out.inner;
  float* activated = before + block * out.map.pitch;
  for (std::size_t image = begin; image < end; ++image) {
    const float* input = images.data() + image * network.input.size();
    std::size_t pitch = network.input.channels;
    float* to = nullptr;
    if (in != nullptr) {
      Activate(*in, image * in->map.pixels(), in->map.pixels(), activated);
      input = activated;
      pitch = in->map.pitch;
      to = in->gradient + image * in->map.image();
      if (!out.inputs.front().adds) std::fill_n(to, in->map.image(), 0.0F);
    }
    const std::size_t first_row = image * out.map.pixels();
    for (std::size_t first = 0; first < out.map.pixels(); first += block) {
      const std::size_t rows = std::min(block, out.map.pixels() - first);
      BeforeNorm(out, first_row + first, rows, before, out.map.pitch);
      CopyPatches(window, input, pitch, first, first + rows, patches);
      AddWeights(out, patches, out.inner, before, rows, worker);
      if (in == nullptr) continue;
      Multiply(out, out.backward, before, out.map.pitch, rows, {patches, out.inner, false}, nullptr, worker);
      AddPatches(window, patches, first, first + rows, to, pitch);
    }
    if (in != nullptr) Complete(out.inputs.front(), image * in->map.pixels(), in->map.pixels(), worker);
  }
}

void TrainingPass::State::BackwardPool(std::size_t index, int worker) {
  const LayerState& out = layers[index];
  const LayerInput& to = out.inputs.front();
  const LayerState& in = *to.from;
  const auto [begin, end] = PartOf(worker);
  const std::size_t pixels = in.map.pixels();
  const float share = 1 / static_cast<float>(pixels);
  float* mean = scratch[worker].data();
  for (std::size_t image = begin; image < end; ++image) {
    const float* gradient = out.gradient + image * out.map.pitch;
    for (std::size_t c = 0; c < in.map.columns; ++c) mean[c] = gradient[c] * share;
    const std::size_t first_row = image * pixels;
    if (to.adds) {
      for (std::size_t p = 0; p < pixels; ++p)
        AddRows(in.map, mean, 1, in.gradient + in.map.floats(first_row + p));
    } else {
      Spread(mean, pixels, in.map.columns, in.GradientRows(first_row));
    }
    Complete(to, first_row, pixels, worker);
  }
}

// Writes the same row to each of so many. Behind it there is room for it as bfloat16.
void TrainingPass::State::Spread(float* row, std::size_t rows, std::size_t columns, const MapRows& to) const {
  const void* from = row;
  std::size_t value = sizeof(float);
  if (to.bf16) {
    void* rounded = row + columns;
    kernels->round_to_bf16(row, columns, rounded);
    from = rounded;
    value = SizeOf(Format::kBfloat16);
  }
  for (std::size_t r = 0; r < rows; ++r)
    std::memcpy(AddBytes(to.values, r * to.pitch * value), from, columns * value);
}

void TrainingPass::State::BackwardAdd(std::size_t index, int worker) {
  const LayerState& out = layers[index];
  const auto [begin, end] = PartOf(worker);
  const std::size_t pixels = out.map.pixels();
  const std::size_t block = BlockRows(out.map.pitch, out.map.pitch);
  for (std::size_t row = begin * pixels; row < end * pixels; row += block) {
    const std::size_t rows = std::min(block, end * pixels - row);
    float* gradient = out.gradient + out.map.floats(row);
    float* branch = gradient;
    if (out.drop != 0) {
      branch = scratch[worker].data();
      std::copy_n(gradient, rows * out.map.pitch, branch);
      DropPath(out, row, rows, branch);
    }
    Give(out.inputs[0], row, rows, branch);
    Complete(out.inputs[0], row, rows, worker);
    Give(out.inputs[1], row, rows, gradient);
    Complete(out.inputs[1], row, rows, worker);
  }
}

void TrainingPass::State::CollectWeights(std::span<float> gradient) {
  pool.Run(static_cast<int>(layers.size()), [&](int index, int) {
    const LayerState& layer = layers[index];
    if (layer.weight == nullptr) return;
    float* to = gradient.data() + layer.weight->offset;
    for (std::size_t i = 0; i < layer.inner; ++i) {
      for (std::size_t worker = 0; worker < layer.weight_sums.size(); ++worker) {
        const float* from = layer.weight_sums[worker].data() + i * layer.map.columns;
        for (std::size_t c = 0; c < layer.map.channels; ++c) to[c] = worker == 0 ? from[c] : to[c] + from[c];
      }
      to += layer.map.channels;
    }
  });
}

}  // namespace mobilenet
