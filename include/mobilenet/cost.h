// What a network costs, from its description alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mobilenet/export.h"
#include "mobilenet/network.h"

namespace mobilenet {

struct LayerCost {
  std::int64_t params = 0;  // trainable: weights, biases, and the scale and shift of batch norms
  std::int64_t macs = 0;    // mult-adds: one multiplication and one addition count as 1
  // Stored for running, batch norms folded: the weights in the given precision and a 4-byte bias for each
  // output channel; int8 also has a 4-byte scale for each.
  std::int64_t weight_bytes = 0;
  // Of the layer's output: float32 unless the precision is int8, since 16 bits are for weights and products
  // and feature maps stay as they are.
  std::int64_t activation_bytes = 0;
};

struct Cost {
  std::int64_t params = 0;
  std::int64_t macs = 0;
  std::int64_t weight_bytes = 0;
  // The most that feature maps take at once in a Plan, which fuses each depthwise layer with the pointwise
  // one behind it, and sums with the layer before them, runs the layers of large maps depth first so that
  // only a few rows of each are kept, and gives maps that never live together the same memory; with
  // MemoryUse::kLeast it runs depth first what takes less so. The input and the output are the caller's.
  std::int64_t peak_activation_bytes = 0;
  std::vector<LayerCost> layers;  // in the network's order
};

// Counts, for one image, with K the kernel, M and N the channels in and out, F the side of the output
// (Howard et al. 2017, section 3.1):
//   convolution      K K M N F F    (eq. 2)
//   depthwise        K K M F F      (eq. 4)
//   pointwise        M N F F        (eq. 5, second term)
//   fully connected  M N
// so that a separable layer costs 1/N + 1/K^2 of the standard one. Under alpha, M and N become alpha M and
// alpha N (eq. 6), under rho F becomes rho F (eq. 7). Batch norm, activations and pooling count as nothing,
// as in the paper. Throws Error as CheckNetwork does.
MOBILENET_EXPORT Cost CostOf(const Network& network, Precision precision = Precision::kFloat32,
                             MemoryUse memory = MemoryUse::kFast);

// The sum over the layers of one kind.
struct KindCost {
  LayerKind kind = LayerKind::kConvolution;
  int layers = 0;
  std::int64_t params = 0;
  std::int64_t macs = 0;
};

// One for each kind that the network has, the most mult-adds first.
MOBILENET_EXPORT std::vector<KindCost> CostByKind(const Network& network);

// A separable block beside the standard convolution that does the same job.
struct BlockComparison {
  std::string name;  // "block3"
  int kernel = 0;    // K
  Shape input;
  Shape output;
  LayerCost depthwise;
  LayerCost pointwise;
  LayerCost standard;
  double formula = 0;  // 1/N + 1/K^2, the ratio of mult-adds that the paper derives

  [[nodiscard]] std::int64_t separable_macs() const { return depthwise.macs + pointwise.macs; }
  [[nodiscard]] std::int64_t separable_params() const { return depthwise.params + pointwise.params; }
};

// For each depthwise layer of `network` that a pointwise one follows.
MOBILENET_EXPORT std::vector<BlockComparison> CompareWithStandard(const Network& network);

// V1 with a standard convolution in the place of each separable block; nothing for any other network.
MOBILENET_EXPORT std::optional<Network> StandardTwin(const Network& network);

}  // namespace mobilenet
