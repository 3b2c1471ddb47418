#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "kernels/patches.h"
#include "runtime/window.h"
#include "training/depthwise_rows.h"
#include "training/pass_state.h"

namespace mobilenet {
void ChannelSums::Clear() {
  for (int i = 0; i < 2; ++i) {
    std::ranges::fill(part[i], 0.0F);
    std::ranges::fill(total[i], 0.0);
  }
}

void ChannelSums::Collect() {
  for (int i = 0; i < 2; ++i) {
    for (std::size_t c = 0; c < total[i].size(); ++c) total[i][c] += part[i][c];
    std::ranges::fill(part[i], 0.0F);
  }
}

TrainingPass::State::Part TrainingPass::State::PartOf(int worker) const {
  const std::size_t workers = pool.threads();
  return {targets.size() * worker / workers, targets.size() * (worker + 1) / workers};
}

std::size_t TrainingPass::State::BlockRows(std::size_t in_pitch, std::size_t out_pitch) const {
  const std::size_t row = (in_pitch + out_pitch) * sizeof(float);
  return std::clamp(cache / row / kernels->tile_rows, std::size_t{2}, std::size_t{256}) * kernels->tile_rows;
}

std::size_t TrainingPass::State::PatchRows(const LayerState& out) const {
  return std::max(cache / sizeof(float) / (out.inner + out.map.pitch), kernels->tile_rows);
}

void TrainingPass::State::Pack(std::span<const float> values) {
  pool.Run(static_cast<int>(layers.size()), [&](int index, int) {
    LayerState& layer = layers[index];
    if (layer.weight == nullptr) return;
    // Sums of what differs from the running mean lose no digits to a mean that is large beside the deviation.
    if (layer.mean != nullptr)
      std::copy_n(values.data() + layer.mean->offset, layer.map.channels, layer.centre.data());
    const float* weight = values.data() + layer.weight->offset;
    const std::size_t channels = layer.map.channels;
    if (layer.layer->kind == LayerKind::kDepthwise) {
      const std::size_t kernel = layer.layer->kernel;
      for (std::size_t y = 0; y < kernel; ++y) {
        for (std::size_t x = 0; x < kernel; ++x) {
          const float* from = weight + (y * kernel + x) * channels;
          std::copy_n(from, channels, layer.filter.data() + (y * kernel + x) * layer.map.columns);
          std::copy_n(from, channels,
                      layer.mirrored.data() + (y * kernel + kernel - 1 - x) * layer.map.columns);
        }
      }
    } else if (layer.bf16) {
      RefillBf16(weight, layer.inner, channels, 1, layer.forward);
      RefillBf16(weight, channels, 1, channels, layer.backward);
    } else {
      Refill(weight, channels, 1, layer.forward);
      if (layer.in() != nullptr) Refill(weight, 1, channels, layer.backward);
    }
  });
}

void TrainingPass::State::Multiply(const LayerState& layer, const PackedMatrix& matrix, const float* a,
                                   std::size_t a_stride, std::size_t rows, const MapRows& c, float* staging,
                                   int worker) {
  ProductTask task = {.a = a,
                      .a_stride = a_stride * sizeof(float),
                      .rows = rows,
                      .c = c.bf16 ? staging : static_cast<float*>(c.values),
                      .c_stride = c.pitch * sizeof(float),
                      .b = &matrix,
                      .first_panel = 0,
                      .last_panel = matrix.panels.size(),
                      .range = kWholeRange};
  if (layer.bf16) {
    // a_stride is even, and what lies between the rows is rounded with them.
    float* rounded = pairs[worker].data();
    kernels->round_to_bf16(a, rows * a_stride, rounded);
    task.a = rounded;
    task.a_stride = a_stride * SizeOf(Format::kBfloat16);
    kernels->product_bf16(task);
  } else {
    kernels->product(task);
  }
  if (c.bf16) kernels->round_to_bf16(staging, rows * c.pitch, c.values);
}

void TrainingPass::State::Activate(LayerState& layer, std::size_t first_row, std::size_t rows,
                                   float* to) const {
  training->apply(layer.Rows(first_row), rows, layer.map.columns, layer.affine(), to, layer.map.pitch);
}

double TrainingPass::State::Total(const LayerState& layer, int which, std::size_t channel) {
  double total = 0;
  for (const ChannelSums& sums : layer.sums) total += sums.total[which][channel];
  return total;
}

void TrainingPass::State::AddMoments(LayerState& layer, std::size_t first_row, std::size_t rows,
                                     int worker) const {
  if (layer.gamma == nullptr) return;
  ChannelSums& sums = layer.sums[worker];
  for (std::size_t end = first_row + rows; first_row < end; first_row += kSummedRows) {
    training->moments(layer.Rows(first_row), std::min(kSummedRows, end - first_row), layer.map.columns,
                      layer.centre.data(), sums.part[0].data(), sums.part[1].data());
    sums.Collect();
  }
}

void TrainingPass::State::ForwardConvolution(std::size_t index, int worker) {
  LayerState& out = layers[index];
  LayerState* in = out.in();
  const auto [begin, end] = PartOf(worker);
  const Window window = WindowOf(*out.layer);
  float* activated = scratch[worker].data();
  const std::size_t block = PatchRows(out);
  float* patches = activated + (in == nullptr ? 0 : in->map.image());
  float* staging = patches + block * out.inner;
  for (std::size_t image = begin; image < end; ++image) {
    const float* input = images.data() + image * network.input.size();
    std::size_t pitch = network.input.channels;
    if (in != nullptr) {
      Activate(*in, image * in->map.pixels(), in->map.pixels(), activated);
      input = activated;
      pitch = in->map.pitch;
    }
    const std::size_t first_row = image * out.map.pixels();
    for (std::size_t first = 0; first < out.map.pixels(); first += block) {
      const std::size_t rows = std::min(block, out.map.pixels() - first);
      CopyPatches(window, input, pitch, first, first + rows, patches);
      Multiply(out, out.forward, patches, out.inner, rows, out.Rows(first_row + first), staging, worker);
      AddMoments(out, first_row + first, rows, worker);
    }
  }
}

void TrainingPass::State::ForwardPointwise(std::size_t index, int worker) {
  LayerState& out = layers[index];
  const auto [begin, end] = PartOf(worker);
  if (out.in() == nullptr) {  // a classifier by itself
    if (begin < end)
      Multiply(out, out.forward, images.data() + begin * out.inner, out.inner, end - begin, out.Rows(begin),
               nullptr, worker);
    return;
  }
  LayerState& in = *out.in();
  float* activated = scratch[worker].data();
  const std::size_t pixels = out.map.pixels();
  const std::size_t block = BlockRows(in.map.pitch, out.map.pitch);
  float* staging = activated + block * in.map.pitch;
  for (std::size_t row = begin * pixels; row < end * pixels; row += block) {
    const std::size_t rows = std::min(block, end * pixels - row);
    Activate(in, row, rows, activated);
    Dropout(out, row, rows, activated);
    Multiply(out, out.forward, activated, in.map.pitch, rows, out.Rows(row), staging, worker);
    AddMoments(out, row, rows, worker);
  }
}

void TrainingPass::State::ForwardDepthwise(std::size_t index, int worker) {
  LayerState& out = layers[index];
  LayerState& in = *out.in();
  const auto [begin, end] = PartOf(worker);
  const DepthwiseRows rows(*out.layer, in.map, out.map);
  const int strip = StripRows(in, out, false);
  float* input = scratch[worker].data();
  std::fill_n(input, rows.InputRows(strip) * rows.input_row(), 0.0F);
  for (std::size_t image = begin; image < end; ++image) {
    for (int first = 0; first < out.map.height; first += strip) {
      const int last = std::min(first + strip, out.map.height);
      rows.LoadInput(*training, in, image, first, last, input);
      for (int row = first; row < last; ++row) {
        Depthwise(rows.Forward(input, first, row, out.filter.data()),
                  out.Rows((image * out.map.height + row) * out.map.width));
      }
      AddMoments(out, image * out.map.pixels() + static_cast<std::size_t>(first) * out.map.width,
                 static_cast<std::size_t>(last - first) * out.map.width, worker);
    }
  }
}

void TrainingPass::State::Depthwise(DepthwiseTask task, const MapRows& to) const {
  task.bias = zeros.data();
  task.output = to.values;
  task.output_format = to.bf16 ? Format::kBfloat16 : Format::kFloat32;
  task.output_pitch = to.pitch * SizeOf(task.output_format);
  kernels->depthwise(task);
}

void TrainingPass::State::ForwardPool(std::size_t index, int worker) {
  LayerState& out = layers[index];
  LayerState& in = *out.in();
  const auto [begin, end] = PartOf(worker);
  float* activated = scratch[worker].data();
  for (std::size_t image = begin; image < end; ++image) {
    Activate(in, image * in.map.pixels(), in.map.pixels(), activated);
    kernels->average(activated, in.map.pixels(), in.map.pitch * sizeof(float), out.map.columns,
                     out.y.data() + image * out.map.image());
  }
}

void TrainingPass::State::ForwardAdd(std::size_t index, int worker) {
  LayerState& out = layers[index];
  LayerState& first = *out.inputs[0].from;
  LayerState& second = *out.inputs[1].from;
  const auto [begin, end] = PartOf(worker);
  const std::size_t pixels = out.map.pixels();
  const std::size_t block = BlockRows(out.map.pitch, out.map.pitch);
  float* activated = scratch[worker].data();
  for (std::size_t row = begin * pixels; row < end * pixels; row += block) {
    const std::size_t rows = std::min(block, end * pixels - row);
    float* sum = out.y.data() + out.map.floats(row);
    Activate(first, row, rows, sum);
    DropPath(out, row, rows, sum);
    Activate(second, row, rows, activated);
    AddRows(out.map, activated, rows, sum);
  }
}

void TrainingPass::State::AddRows(const TrainingMap& map, float* from, std::size_t rows, float* to) const {
  training->combine({from, map.pitch, false}, {to, map.pitch, false}, rows, map.columns, ones.data(),
                    ones.data(), zeros.data(), to, map.pitch);
}

void TrainingPass::State::DropPath(const LayerState& sum, std::size_t first_row, std::size_t rows,
                                   float* branch) const {
  if (sum.drop == 0) return;
  const std::size_t index = static_cast<std::size_t>(&sum - layers.data());
  const std::size_t end = first_row + rows;
  for (std::size_t row = first_row; row < end;) {
    const std::size_t image = row / sum.map.pixels();
    const std::size_t next = std::min(end, (image + 1) * sum.map.pixels());
    // Streams of their own beside those of Dropout.
    Random random(seed, (index + 1) * static_cast<std::size_t>(options.batch) + image);
    const float factor = random.Uniform() < sum.drop ? 0 : 1 / (1 - sum.drop);
    float* value = branch + (row - first_row) * sum.map.pitch;
    for (float* last = branch + (next - first_row) * sum.map.pitch; value < last; ++value) *value *= factor;
    row = next;
  }
}

void TrainingPass::State::Dropout(const LayerState& layer, std::size_t first_image, std::size_t count,
                                  float* features) const {
  if (options.dropout == 0 || &layer != &layers.back()) return;
  const float keep = 1 / (1 - options.dropout);
  for (std::size_t i = 0; i < count; ++i, features += layer.in()->map.pitch) {
    Random random(seed, first_image + i);
    for (std::size_t c = 0; c < layer.inner; ++c)
      features[c] *= random.Uniform() < options.dropout ? 0 : keep;
  }
}

void TrainingPass::State::FinishForward(std::size_t index, std::span<float> values) {
  LayerState& layer = layers[index];
  if (layer.bias != nullptr)
    std::copy_n(values.data() + layer.bias->offset, layer.map.channels, layer.shift.data());
  if (layer.gamma == nullptr) return;
  const float* gamma = values.data() + layer.gamma->offset;
  const float* beta = values.data() + layer.beta->offset;
  float* running_mean = values.data() + layer.mean->offset;
  float* running_variance = values.data() + layer.variance->offset;
  const double count = static_cast<double>(targets.size() * layer.map.pixels());
  const double kept = options.norm_momentum;
  for (std::size_t c = 0; c < layer.map.channels; ++c) {
    const double shifted =
        Total(layer, 0, c) / count;  // the sums are of what differs from the centre, the old running mean
    const double variance = std::max(0.0, Total(layer, 1, c) / count - shifted * shifted);
    const double mean = layer.centre[c] + shifted;
    layer.inverse[c] = 1 / std::sqrt(variance + layer.layer->epsilon);
    layer.centre[c] = static_cast<float>(mean);
    layer.scale[c] = static_cast<float>(gamma[c] * layer.inverse[c]);
    layer.shift[c] = static_cast<float>(beta[c] - mean * gamma[c] * layer.inverse[c]);
    // As other frameworks do, the running variance is the unbiased one (of count - 1).
    const double unbiased = count > 1 ? variance * count / (count - 1) : variance;
    running_mean[c] = static_cast<float>(kept * running_mean[c] + (1 - kept) * mean);
    running_variance[c] = static_cast<float>(kept * running_variance[c] + (1 - kept) * unbiased);
  }
}

void TrainingPass::State::Loss(int worker) {
  LayerState& layer = layers.back();
  const auto classes = layer.map.channels;
  const auto [begin, end] = PartOf(worker);
  std::vector<double> logits(classes);
  PassResult& result = results[worker];
  result = {};
  const double even = options.label_smoothing / static_cast<double>(classes);
  for (std::size_t image = begin; image < end; ++image) {
    const float* y = layer.y.data() + image * layer.map.pitch;
    float* gradient = layer.gradient + image * layer.map.pitch;
    const Target& target = targets[image];
    double largest = -std::numeric_limits<double>::infinity();
    std::size_t best = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      logits[c] = double{y[c]} + layer.shift[c];
      if (logits[c] > largest) {
        largest = logits[c];
        best = c;
      }
    }
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(logits[c] - largest);
    const double log_sum = largest + std::log(sum);
    const int mostly = target.share >= 0.5F ? target.label : target.other;
    result.correct += best == static_cast<std::size_t>(mostly) ? 1 : 0;
    for (std::size_t c = 0; c < classes; ++c) {
      double wanted = even;
      if (c == static_cast<std::size_t>(target.label)) wanted += (1 - options.label_smoothing) * target.share;
      if (c == static_cast<std::size_t>(target.other))
        wanted += (1 - options.label_smoothing) * (1 - target.share);
      const double log_probability = logits[c] - log_sum;
      if (wanted > 0) result.loss -= target.weight * wanted * log_probability;
      gradient[c] = static_cast<float>(target.weight * (std::exp(log_probability) - wanted) /
                                       static_cast<double>(targets.size()));
    }
  }
  MaskRows(layer, begin, end - begin, worker);
}

}  // namespace mobilenet
