#include "formats/batch_norms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mobilenet {
namespace {

// scale[c] * value + offset[c].
template <typename Scale, typename Offset>
void Change(Tensor& tensor, const Scale& scale, const Offset& offset) {
  std::vector<float> values(tensor.values.begin(), tensor.values.end());
  for (std::size_t c = 0; c < values.size(); ++c)
    values[c] = static_cast<float>(scale(c) * values[c] + offset(c));
  tensor = Tensor::Of(tensor.shape, std::move(values));
}

double Nothing(std::size_t) { return 0; }

}  // namespace

ChannelAffine AffineOf(const op::Norm& norm) {
  ChannelAffine affine;
  for (std::size_t c = 0; c < norm.mean.size(); ++c) {
    const double gamma = norm.gamma.empty() ? 1 : norm.gamma[c];
    const double beta = norm.beta.empty() ? 0 : norm.beta[c];
    affine.scale.push_back(gamma / std::sqrt(static_cast<double>(norm.variance[c]) + norm.epsilon));
    affine.offset.push_back(beta - norm.mean[c] * affine.scale[c]);
  }
  return affine;
}

op::Norm NormOf(const ChannelAffine& affine) {
  op::Norm norm;
  norm.gamma.assign(affine.scale.begin(), affine.scale.end());
  norm.beta.assign(affine.offset.begin(), affine.offset.end());
  norm.mean.assign(norm.gamma.size(), 0);
  norm.variance.assign(norm.gamma.size(), 1);
  norm.epsilon = 0;
  return norm;
}

void Absorb(const ChannelAffine& affine, Tensor& weight, std::vector<float>& bias) {
  std::vector<float> scaled(weight.values.begin(), weight.values.end());
  std::vector<double> sums(bias.begin(), bias.end());
  for (std::size_t in = 0; in < affine.scale.size(); ++in) {
    for (std::size_t out = 0; out < sums.size(); ++out) {
      float& value = scaled[in * sums.size() + out];
      sums[out] += affine.offset[in] * value;
      value = static_cast<float>(affine.scale[in] * value);
    }
  }
  for (std::size_t out = 0; out < bias.size(); ++out) bias[out] = static_cast<float>(sums[out]);
  weight = Tensor::Of(weight.shape, std::move(scaled));
}

op::Rescale RescaleOf(const op::Norm& norm) {
  const ChannelAffine affine = AffineOf(norm);
  op::Rescale rescale;
  for (std::size_t c = 0; c < rescale.scale.size(); ++c) {
    const std::size_t from = std::min(c, affine.scale.size() - 1);
    rescale.scale[c] = affine.scale[from];
    rescale.offset[c] = affine.offset[from];
  }
  return rescale;
}

void AddNorm(const op::Norm& norm, Layer& layer, Weights& weights) {
  const auto channels = static_cast<std::size_t>(layer.output.channels);
  const auto or_else = [&](const std::vector<float>& values, float absent) {
    return VectorOf(values.empty() ? std::vector<float>(channels, absent) : values);
  };
  std::vector<float> mean = norm.mean;
  const auto bias = weights.at(".bias").values;
  for (std::size_t c = 0; c < channels; ++c) mean[c] -= bias[c];
  weights.erase(".bias");
  weights[".norm.gamma"] = or_else(norm.gamma, 1.0F);
  weights[".norm.beta"] = or_else(norm.beta, 0.0F);
  weights[".norm.mean"] = VectorOf(std::move(mean));
  weights[".norm.variance"] = VectorOf(norm.variance);
  layer.bias = false;
  layer.batch_norm = true;
  layer.epsilon = norm.epsilon;
}

void AddSecondNorm(const op::Norm& norm, Weights& weights) {
  const ChannelAffine affine = AffineOf(norm);
  const auto scale = [&](std::size_t c) { return affine.scale[c]; };
  Change(weights.at(".norm.gamma"), scale, Nothing);
  Change(weights.at(".norm.beta"), scale, [&](std::size_t c) { return affine.offset[c]; });
}

void TakeNormIn(Layer& layer, Weights& weights) {
  const auto values = [&](const char* name) {
    const auto& of = weights.at(name).values;
    return std::vector<float>(of.begin(), of.end());
  };
  const ChannelAffine affine = AffineOf({values(".norm.gamma"), values(".norm.beta"), values(".norm.mean"),
                                         values(".norm.variance"), layer.epsilon});
  const std::size_t channels = affine.scale.size();
  Change(
      weights.at(".weight"), [&](std::size_t i) { return affine.scale[i % channels]; }, Nothing);
  weights[".bias"] = VectorOf({affine.offset.begin(), affine.offset.end()});
  for (const char* name : {".norm.gamma", ".norm.beta", ".norm.mean", ".norm.variance"}) weights.erase(name);
  layer.batch_norm = false;
  layer.bias = true;
  layer.epsilon = Layer().epsilon;
}

void Multiply(double by, Weights& weights) {
  const bool norm = weights.contains(".norm.gamma");
  for (const char* name : norm ? std::array{".norm.gamma", ".norm.beta"} : std::array{".weight", ".bias"})
    Change(
        weights.at(name), [by](std::size_t) { return by; }, Nothing);
}

void ShiftBias(float by, Weights& weights) {
  Change(
      weights.at(".bias"), [](std::size_t) { return 1.0; }, [by](std::size_t) { return by; });
}

Tensor VectorOf(std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return Tensor::Of({size}, std::move(values));
}

}  // namespace mobilenet
