// Networks of ours as files would hold them, for tests: as a graph, and as a TFLite file.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/graph.h"

namespace mobilenet {

// A node for each convolution, batch norm, activation, average and sum. The file's name is "f".
Graph GraphOf(const Network& network, const Weights& weights);

// What the weights of a TFLite file are stored in.
enum class Stored {
  kFloat32,
  kFloat16,    // which an operator widens
  kInt8,       // a scale for each channel out
  kBadScales,  // the same with a scale too few
  kInt4,       // by the type that the file says
};

// An operator by its number in the format, and a constant, first or last, that it takes beside the map.
struct TfliteScaling {
  int code;
  std::vector<float> values;
  bool constant_first = false;
};

// How a TFLite file ends.
enum class SoftmaxSpelling {
  kOperator,
  kParts,    // EXP, SUM, DIV
  kCentred,  // REDUCE_MAX, SUB, EXP, SUM, DIV
};

// What a TFLite file may have that most don't.
struct TfliteOddities {
  float beta = 1;              // of the softmax
  bool any_height = false;     // the input may have any
  bool any_width = false;      // the same
  int inputs = 1;              // of the graph
  int outputs = 1;             // of the graph
  int activation = 0;          // by its number in the format, behind the average
  bool misshapen = false;      // one map is said to have another shape than it has
  bool adds_constant = false;  // instead of a second map
  Stored weights = Stored::kFloat32;
  int code = 25;  // of the operator at the end, a softmax
  int type = 0;   // of the maps, float32
  int pads = -1;  // by its index in PAD's eight numbers, what is padded by one more
  std::vector<TfliteScaling> scalings = {};  // right behind the input
  std::vector<TfliteScaling> behind_average = {};
  SoftmaxSpelling softmax = SoftmaxSpelling::kOperator;
  int axis = -1;              // of the softmax's parts
  bool sums_centred = false;  // x - max(x) instead of its exponentials
};

// The bytes of a float32 TFLite file: operators with their activations, PAD before windows whose padding is
// not "same", and a softmax at the end. The network has no batch norms.
std::vector<std::uint8_t> TfliteOf(const Network& network, const Weights& weights,
                                   const TfliteOddities& oddities = {});

}  // namespace mobilenet
