// What a trained batch norm does to each channel.
#pragma once

#include <vector>

#include "formats/graph.h"

namespace mobilenet {

struct Affine {
  std::vector<double> scale, offset;  // of each channel
};

// gamma / sqrt(variance + epsilon), and beta - mean * that (Jacob et al. 2018, eq. 14), for as many channels
// as the norm has means; each of its lists is as long as these, or empty where it may be.
Affine AffineOf(const op::Norm& norm);

// A batch norm that does that.
op::Norm NormOf(const Affine& affine);

// Makes W x + b of W (scale * x + offset) + b. `weight` is [in, out] and `bias` has a value for each output.
void Absorb(const Affine& affine, Tensor& weight, std::vector<float>& bias);

}  // namespace mobilenet
