// Networks of ours as files would hold them, for tests: as a graph, and as a TFLite file.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/graph.h"

namespace mobilenet {

// A node for each convolution, batch norm, activation, average and sum. The file's name is "f".
Graph GraphOf(const Network& network, const Weights& weights);

// The bytes of a float32 TFLite file: operators with their activations, PAD before windows whose padding is
// not "same", and a softmax at the end. The network has no batch norms.
std::vector<std::uint8_t> TfliteOf(const Network& network, const Weights& weights);

}  // namespace mobilenet
