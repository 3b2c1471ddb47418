// A map times a gate for each channel, as squeeze-excite has it: forward and backward.
#include <algorithm>

#include "training/pass_state.h"

namespace mobilenet {

void TrainingPass::State::ScaleRows(const TrainingMap& map, const float* from, std::size_t rows,
                                    const float* gate, float* to) const {
  const std::size_t pitch = map.pitch * sizeof(float);
  kernels->scale({.map = from,
                  .map_pitch = pitch,
                  .gate = gate,
                  .pixels = rows,
                  .channels = map.columns,
                  .output = to,
                  .output_pitch = pitch});
}

void TrainingPass::State::ForwardScale(std::size_t index, int worker) {
  LayerState& out = layers[index];
  const auto [begin, end] = PartOf(worker);
  float* gate = scratch[worker].data();
  for (std::size_t image = begin; image < end; ++image) {
    Activate(*out.inputs[1].from, image, 1, gate);
    ForBlocks(out, image, [&](std::size_t row, std::size_t rows) {
      float* to = out.y.data() + out.map.floats(row);
      Activate(*out.inputs[0].from, row, rows, to);
      ScaleRows(out.map, to, rows, gate, to);
    });
  }
}

// The map's gradient is the output's times the gate; the gate's is the sum over the map's pixels of the
// output's gradient times the map.
void TrainingPass::State::BackwardScale(std::size_t index, int worker) {
  const LayerState& out = layers[index];
  const LayerInput& to_map = out.inputs[0];
  const LayerInput& to_gate = out.inputs[1];
  const auto [begin, end] = PartOf(worker);
  float* gate = scratch[worker].data();
  float* sum = gate + out.map.pitch;
  float* map = sum + out.map.pitch;
  for (std::size_t image = begin; image < end; ++image) {
    Activate(*to_gate.from, image, 1, gate);
    std::fill_n(sum, out.map.pitch, 0.0F);
    ForBlocks(out, image, [&](std::size_t row, std::size_t rows) {
      const float* gradient = out.gradient + out.map.floats(row);
      Activate(*to_map.from, row, rows, map);
      training->products(gradient, map, out.map.pitch, rows, out.map.columns, sum);
      ScaleRows(out.map, gradient, rows, gate, map);
      Give(to_map, row, rows, map);
      Complete(to_map, row, rows, worker);
    });
    Give(to_gate, image, 1, sum);
    Complete(to_gate, image, 1, worker);
  }
}

}  // namespace mobilenet
