#include "training/plain_loss.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "runtime/window.h"

namespace mobilenet {
namespace {

using Map = std::vector<double>;  // the whole batch

void BatchNorm(const double* gamma, const double* beta, double epsilon, std::size_t channels, Map& map) {
  const double count = static_cast<double>(map.size()) / static_cast<double>(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    double mean = 0;
    double variance = 0;
    for (std::size_t i = c; i < map.size(); i += channels) mean += map[i] / count;
    for (std::size_t i = c; i < map.size(); i += channels)
      variance += (map[i] - mean) * (map[i] - mean) / count;
    for (std::size_t i = c; i < map.size(); i += channels)
      map[i] = gamma[c] * (map[i] - mean) / std::sqrt(variance + epsilon) + beta[c];
  }
}

}  // namespace

std::vector<double> PlainLinear(const Layer& layer, std::span<const double> input, const double* weight,
                                std::size_t batch) {
  const Shape& in = layer.input;
  const Shape& out = layer.output;
  Map output(batch * out.size());
  for (std::size_t n = 0; n < batch; ++n) {
    const double* from = input.data() + n * in.size();
    double* to = output.data() + n * out.size();
    if (layer.kind == LayerKind::kGlobalAveragePool) {
      for (std::int64_t i = 0; i < in.size(); ++i)
        to[i % in.channels] += from[i] / (static_cast<double>(in.height) * in.width);
      continue;
    }
    const bool depthwise = layer.kind == LayerKind::kDepthwise;
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        for (int i = 0; i < layer.kernel; ++i) {
          for (int j = 0; j < layer.kernel; ++j) {
            const int v = y * layer.stride.down - layer.padding.top + i;
            const int u = x * layer.stride.across - layer.padding.left + j;
            if (v < 0 || u < 0 || v >= in.height || u >= in.width) continue;
            const double* pixel = from + (static_cast<std::int64_t>(v) * in.width + u) * in.channels;
            double* sum = to + (static_cast<std::int64_t>(y) * out.width + x) * out.channels;
            const int tap = i * layer.kernel + j;
            for (int c = 0; c < in.channels; ++c) {
              if (depthwise) {
                sum[c] += pixel[c] * weight[tap * in.channels + c];
              } else {
                for (int o = 0; o < out.channels; ++o)
                  sum[o] += pixel[c] * weight[(tap * in.channels + c) * out.channels + o];
              }
            }
          }
        }
      }
    }
  }
  return output;
}

Map PlainScale(const Layer& layer, Map map, const Map& gates) {
  const auto channels = static_cast<std::size_t>(layer.output.channels);
  const auto image = static_cast<std::size_t>(layer.output.size());
  for (std::size_t i = 0; i < map.size(); ++i) map[i] *= gates[i / image * channels + i % channels];
  return map;
}

double PlainActivation(Activation activation, double v) {
  const double gate = std::clamp(v + 3, 0.0, 6.0) / 6;
  switch (activation) {
    case Activation::kNone:
      return v;
    case Activation::kRelu:
      return std::max(v, 0.0);
    case Activation::kRelu6:
      return std::clamp(v, 0.0, 6.0);
    case Activation::kHardSigmoid:
      return gate;
    case Activation::kHardSwish:
      return v * gate;
  }
  return v;
}

double PlainLoss(const Network& network, std::span<const double> values, std::span<const float> images,
                 std::span<const Target> targets, double label_smoothing) {
  const WeightLayout layout(network);
  const auto at = [&](std::size_t layer, const char* ending) {
    const Slot* slot = layout.Find(layer, ending);
    return slot == nullptr ? nullptr : values.data() + slot->offset;
  };
  const Map input(images.begin(), images.end());
  std::vector<Map> maps;
  const auto read = [&](int from) -> const Map& { return from == kNetworkInput ? input : maps[from]; };
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    Map map;
    switch (layer.kind) {
      case LayerKind::kConvolution:
      case LayerKind::kDepthwise:
      case LayerKind::kPointwise:
      case LayerKind::kFullyConnected:
      case LayerKind::kGlobalAveragePool:
        map = PlainLinear(layer, read(layer.inputs[0]), at(i, ".weight"), targets.size());
        break;
      case LayerKind::kAdd:
        map = read(layer.inputs[0]);
        std::ranges::transform(map, read(layer.inputs[1]), map.begin(), std::plus<>());
        break;
      case LayerKind::kMaxPool:
        break;  // which is not trained
      case LayerKind::kScale:
        map = PlainScale(layer, read(layer.inputs[0]), read(layer.inputs[1]));
        break;
    }
    const auto channels = static_cast<std::size_t>(layer.output.channels);
    if (const double* bias = at(i, ".bias")) {
      for (std::size_t k = 0; k < map.size(); ++k) map[k] += bias[k % channels];
    }
    if (layer.batch_norm) BatchNorm(at(i, ".gamma"), at(i, ".beta"), layer.epsilon, channels, map);
    for (double& v : map) v = PlainActivation(layer.activation, v);
    maps.push_back(std::move(map));
  }
  const Map& map = maps.back();
  const std::size_t classes = map.size() / targets.size();
  double loss = 0;
  for (std::size_t n = 0; n < targets.size(); ++n) {
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(map[n * classes + c]);
    for (std::size_t c = 0; c < classes; ++c) {
      double wanted = label_smoothing / static_cast<double>(classes);
      if (static_cast<int>(c) == targets[n].label) wanted += (1 - label_smoothing) * targets[n].share;
      if (static_cast<int>(c) == targets[n].other) wanted += (1 - label_smoothing) * (1 - targets[n].share);
      loss -= wanted * (map[n * classes + c] - std::log(sum)) / static_cast<double>(targets.size());
    }
  }
  return loss;
}

}  // namespace mobilenet
