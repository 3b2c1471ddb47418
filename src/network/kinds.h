// What each kind of layer is, in one place: whatever can be told of a layer by its kind is asked here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mobilenet/network.h"

namespace mobilenet {

// What keeps every count and offset of one map, and of one weight, within an int.
constexpr int kMostSide = 65'536;
constexpr std::int64_t kMostValues = std::int64_t{1} << 31;
// The largest windows that are run.
constexpr int kMostWindow = 255;
constexpr int kMostDepthwiseWindow = 7;

struct KindTraits {
  int inputs = 1;           // how many maps it reads
  bool window = false;      // slides a kernel; others have a kernel and a stride of 1
  bool weights = false;     // has weights, and perhaps a bias and a batch norm
  bool mixes = false;       // its weights add up channels, [..., in, out], and are most of a network's
  bool activation = false;  // may end in one
};

KindTraits TraitsOf(LayerKind kind);

// What the input of that number has to be like.
Shape InputOf(const Layer& layer, std::size_t number);

// The shape of a layer's weight; empty where it has none.
std::vector<std::int64_t> WeightShapeOf(const Layer& layer);

// The values of that weight, without bias and batch norm; none where it has no weight.
std::int64_t WeightsOf(const Layer& layer);

// The output that follows from a layer's input, kernel, stride and padding; layers that mix channels may have
// any number of them, that of `layer.output`. A side below 1 where the window is larger than the map.
Shape OutputOf(const Layer& layer);

// Mult-adds of one image, by the formulas of mobilenet/cost.h.
std::int64_t MacsOf(const Layer& layer);

}  // namespace mobilenet
