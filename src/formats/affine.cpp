#include "formats/affine.h"

#include <cmath>
#include <utility>

namespace mobilenet {

Affine AffineOf(const op::Norm& norm) {
  Affine affine;
  for (std::size_t c = 0; c < norm.mean.size(); ++c) {
    const double gamma = norm.gamma.empty() ? 1 : norm.gamma[c];
    const double beta = norm.beta.empty() ? 0 : norm.beta[c];
    affine.scale.push_back(gamma / std::sqrt(static_cast<double>(norm.variance[c]) + norm.epsilon));
    affine.offset.push_back(beta - norm.mean[c] * affine.scale[c]);
  }
  return affine;
}

op::Norm NormOf(const Affine& affine) {
  op::Norm norm;
  norm.gamma.assign(affine.scale.begin(), affine.scale.end());
  norm.beta.assign(affine.offset.begin(), affine.offset.end());
  norm.mean.assign(norm.gamma.size(), 0);
  norm.variance.assign(norm.gamma.size(), 1);
  norm.epsilon = 0;
  return norm;
}

void Absorb(const Affine& affine, Tensor& weight, std::vector<float>& bias) {
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

}  // namespace mobilenet
