// Which functions of a training pass do the work of each kind of layer, and the scratch memory that they
// need.
#include <algorithm>

#include "training/depthwise_rows.h"
#include "training/pass_state.h"

namespace mobilenet {

TrainingPass::State::KindPass TrainingPass::State::PassOf(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConvolution:
      return {&State::ForwardConvolution, &State::BackwardConvolution, &State::ConvolutionScratch};
    case LayerKind::kPointwise:
    case LayerKind::kFullyConnected:
      return {&State::ForwardPointwise, &State::BackwardPointwise, &State::PointwiseScratch};
    case LayerKind::kDepthwise:
      return {&State::ForwardDepthwise, &State::BackwardDepthwise, &State::DepthwiseScratch};
    case LayerKind::kGlobalAveragePool:
      return {&State::ForwardPool, &State::BackwardPool, &State::PoolScratch};
    case LayerKind::kAdd:
      return {&State::ForwardAdd, &State::BackwardAdd, &State::AddScratch};
    case LayerKind::kMaxPool:
      return {};  // refused before
    case LayerKind::kScale:
      return {&State::ForwardScale, &State::BackwardScale, &State::ScaleScratch};
  }
  return {};
}

void TrainingPass::State::Forward(std::size_t index, int worker) {
  layers[index].sums[worker].Clear();
  (this->*PassOf(layers[index].layer->kind).forward)(index, worker);
}

void TrainingPass::State::Backward(std::size_t index, int worker) {
  if (layers[index].weight != nullptr) std::ranges::fill(layers[index].weight_sums[worker], 0.0F);
  for (const LayerInput& input : layers[index].inputs) {
    if (input.completes) input.from->sums[worker].Clear();
  }
  (this->*PassOf(layers[index].layer->kind).backward)(index, worker);
}

std::size_t TrainingPass::State::ScratchSize(std::size_t index) const {
  return (this->*PassOf(layers[index].layer->kind).scratch)(layers[index]);
}

std::size_t TrainingPass::State::ConvolutionScratch(const LayerState& out) const {
  const std::size_t image = out.in() == nullptr ? 0 : out.in()->map.image();
  return image + PatchRows(out) * (out.inner + out.map.pitch);
}

std::size_t TrainingPass::State::PointwiseScratch(const LayerState& out) const {
  const std::size_t pitch = out.in() == nullptr ? out.inner : out.in()->map.pitch;
  return BlockRows(pitch, out.map.pitch) * (pitch + out.map.pitch);
}

std::size_t TrainingPass::State::DepthwiseScratch(const LayerState& out) const {
  const LayerState& in = *out.in();
  const DepthwiseRows rows(*out.layer, in.map, out.map);
  const int strip = StripRows(in, out, true);
  const std::size_t staging = out.inputs.front().adds ? in.map.width * in.map.pitch : 0;
  return std::max(rows.InputRows(StripRows(in, out, false)) * rows.input_row(),
                  rows.InputRows(rows.OwnRows(strip)) * rows.input_row() +
                      rows.SpreadRows(strip) * rows.spread_row() + staging);
}

std::size_t TrainingPass::State::PoolScratch(const LayerState& out) const {
  return out.in()->map.image() + out.in()->map.columns;
}

std::size_t TrainingPass::State::AddScratch(const LayerState& out) const {
  return BlockRows(out.map.pitch, out.map.pitch) * out.map.pitch;
}

std::size_t TrainingPass::State::ScaleScratch(const LayerState& out) const {
  return AddScratch(out) + 2 * out.map.pitch;
}

}  // namespace mobilenet
