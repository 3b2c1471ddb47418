// What trained batch norms and their like do to each channel, and to the weights of a layer that takes them
// in. A layer's weights are named by what follows its name: ".weight", ".bias", ".norm.gamma".
#pragma once

#include <vector>

#include "formats/graph.h"

namespace mobilenet {

struct ChannelAffine {
  std::vector<double> scale, offset;  // of each channel
};

// gamma / sqrt(variance + epsilon), and beta - mean * that (Jacob et al. 2018, eq. 14), for as many channels
// as the norm has means; each of its lists is as long as these, or empty where it may be.
ChannelAffine AffineOf(const op::Norm& norm);

// A batch norm that does that.
op::Norm NormOf(const ChannelAffine& affine);

// Makes W x + b of W (scale * x + offset) + b. `weight` is [in, out] and `bias` has a value for each output.
void Absorb(const ChannelAffine& affine, Tensor& weight, std::vector<float>& bias);

// The same as the first thing of all, before the network's first layer.
op::Rescale RescaleOf(const op::Norm& norm);

// Makes the norm a part of the layer, which has a bias and no norm: its mean takes in the bias.
void AddNorm(const op::Norm& norm, Layer& layer, Weights& weights);

// The same where the layer has a norm, behind which this one follows.
void AddSecondNorm(const op::Norm& norm, Weights& weights);

// Makes the layer's norm a part of its weights: it has a bias then, and no norm.
void TakeNormIn(Layer& layer, Weights& weights);

// What the layer makes times a number, before its activation.
void Multiply(double by, Weights& weights);

// Adds a number to the layer's bias.
void ShiftBias(float by, Weights& weights);

// Values by channel.
Tensor VectorOf(std::vector<float> values);

}  // namespace mobilenet
