// What the forward and the backward half of a TrainingPass share.
#pragma once

#include <algorithm>
#include <vector>

#include "base/aligned.h"
#include "kernels/kernels.h"
#include "kernels/training_kernels.h"
#include "training/training_pass.h"

namespace mobilenet {

// Floats for `channels` channels as training kernels want them, and how far apart pixels are: where that
// would be a multiple of 1 KiB, pixels of one channel would compete for a few lines of the first cache.
constexpr std::size_t ColumnsFor(std::size_t channels) {
  return (channels + kColumnStep - 1) / kColumnStep * kColumnStep;
}

// A map of the whole batch: pixels of `pitch` values, images one after the other. With bf16 set, it and its
// gradient are kept in bfloat16.
struct TrainingMap {
  int height = 0;
  int width = 0;
  std::size_t channels = 0;
  std::size_t columns = 0;
  std::size_t pitch = 0;
  bool bf16 = false;

  [[nodiscard]] std::size_t pixels() const { return static_cast<std::size_t>(height) * width; }
  [[nodiscard]] std::size_t image() const { return pixels() * pitch; }  // values
  // The floats whose place `rows` pixels take: pitch is even.
  [[nodiscard]] std::size_t floats(std::size_t rows) const { return rows * pitch / (bf16 ? 2 : 1); }
  [[nodiscard]] MapRows RowsAt(float* memory, std::size_t row) const {
    return {memory + floats(row), pitch, bf16};
  }
};

// Rows that are added up in float32 before they go to float64. Gradients of shifts are small sums of large
// terms: what comes behind is a batch norm again.
constexpr std::size_t kSummedRows = 64;

// Sums over the batch that one worker made.
struct ChannelSums {
  AlignedVector<float> part[2];
  std::vector<double> total[2];

  void Clear();
  void Collect();  // part to total
};

struct LayerState;

// What a layer reads, and what its backward does to the gradient there. Of the layers that read one map, that
// which comes last in the network comes first in backward: it stores its gradient, the others add theirs.
struct LayerInput {
  LayerState* from = nullptr;
  bool adds = false;      // to what others have stored
  bool completes = true;  // nothing is added after it
};

// One layer: its map before batch norm and activation, and what leads from there on.
struct LayerState {
  const Layer* layer = nullptr;
  std::vector<LayerInput> inputs;  // none: it reads the network's input
  TrainingMap map;
  AlignedVector<float> y;     // batch x map
  float* gradient = nullptr;  // of the map behind the batch norm, until this layer's backward is done
  bool in_place = false;      // the gradient changes after it is stored: it and the map stay float32
  Range range;
  float drop = 0;  // of a sum: the share of the images whose branch is dropped
  // z = f(scale * y + shift); centre is the batch's mean, 0 without batch norm.
  AlignedVector<float> scale, shift, centre;
  // gradient of y = factor * gradient of (scale * y + shift) + slope * y + constant.
  AlignedVector<float> factor, slope, constant;
  std::vector<double> inverse;    // 1 / sqrt(variance + epsilon)
  std::vector<ChannelSums> sums;  // for each worker

  // Weights, in the order that the kernels want. `inner` is what a weight matrix has rows. Where bf16 is set,
  // the two matrices are of bfloat16 pairs.
  std::size_t inner = 0;
  bool bf16 = false;
  PackedMatrix forward;
  PackedMatrix backward;                          // transposed
  AlignedVector<float> filter;                    // depthwise: [kernel, kernel, columns]
  AlignedVector<float> mirrored;                  // the same, each row of the kernel reversed
  std::vector<AlignedVector<float>> weight_sums;  // for each worker, [inner, columns]

  const Slot* weight = nullptr;
  const Slot* bias = nullptr;
  const Slot* gamma = nullptr;
  const Slot* beta = nullptr;
  const Slot* mean = nullptr;
  const Slot* variance = nullptr;

  [[nodiscard]] LayerState* in() const { return inputs.empty() ? nullptr : inputs.front().from; }
  [[nodiscard]] MapRows Rows(std::size_t first) { return map.RowsAt(y.data(), first); }
  [[nodiscard]] MapRows GradientRows(std::size_t first) const { return map.RowsAt(gradient, first); }
  [[nodiscard]] Affine affine() const { return {scale.data(), shift.data(), range}; }
};

struct TrainingPass::State {
  Network network;
  PassOptions options;
  ThreadPool& pool;
  WeightLayout layout;
  const Kernels* kernels = nullptr;
  const TrainingKernels* training = nullptr;
  std::size_t cache = 0;  // bytes that a worker's buffers may fill
  std::vector<LayerState> layers;
  AlignedVector<float> gradients;             // of all layers, those at once that are alive at once
  std::vector<AlignedVector<float>> scratch;  // for each worker
  std::vector<AlignedVector<float>> pairs;    // for each worker: rows of a product rounded to bfloat16
  AlignedVector<float> zeros, ones;
  std::vector<double> seconds;      // of the last batch in each layer
  std::vector<PassResult> results;  // for each worker, sums over its images

  // The batch at hand.
  std::span<const float> images;
  std::span<const Target> targets;
  std::uint64_t seed = 0;

  State(const Network& the_network, const PassOptions& the_options, ThreadPool& the_pool);
  // Who reads whom.
  void SetUpInputs();
  // What a layer keeps, with room for a batch; and what it keeps for its weights, where it has some.
  void SetUpMap(std::size_t layer);
  void SetUpWeight(std::size_t layer);
  void PlaceGradients();

  // The images of a worker.
  struct Part {
    std::size_t begin;
    std::size_t end;
  };
  [[nodiscard]] Part PartOf(int worker) const;
  // Calls work(worker) for each worker, at once.
  template <typename Work>
  void Parallel(const Work& work) {
    pool.Run(pool.threads(), [&](int worker, int) { work(worker); });
  }

  void Pack(std::span<const float> values);

  // c = a times `matrix`, which is one of the layer's; a's rows lie a_stride floats apart. Where c is of
  // bfloat16, `staging` holds the rows as float32 first, which need as many values.
  void Multiply(const LayerState& layer, const PackedMatrix& matrix, const float* a, std::size_t a_stride,
                std::size_t rows, const MapRows& c, float* staging, int worker);
  // What `layer`, the map of pixels [first_row, first_row + rows), hands on: activated, its pixels as far
  // apart as before.
  void Activate(LayerState& layer, std::size_t first_row, std::size_t rows, float* to) const;
  // The sum that a channel has over all workers, of the first or second kind.
  [[nodiscard]] static double Total(const LayerState& layer, int which, std::size_t channel);

  // Forward: what a worker does for its images, and what follows when all have.
  void Forward(std::size_t layer, int worker);
  void Backward(std::size_t layer, int worker);
  // What a kind of layer does for them: forward, backward, and the floats of scratch that the two need.
  struct KindPass {
    void (State::*forward)(std::size_t layer, int worker) = nullptr;
    void (State::*backward)(std::size_t layer, int worker) = nullptr;
    std::size_t (State::*scratch)(const LayerState& out) const = nullptr;
  };
  [[nodiscard]] static KindPass PassOf(LayerKind kind);
  [[nodiscard]] std::size_t ScratchSize(std::size_t layer) const;
  [[nodiscard]] std::size_t ConvolutionScratch(const LayerState& out) const;
  [[nodiscard]] std::size_t PointwiseScratch(const LayerState& out) const;
  [[nodiscard]] std::size_t DepthwiseScratch(const LayerState& out) const;
  [[nodiscard]] std::size_t PoolScratch(const LayerState& out) const;
  [[nodiscard]] std::size_t AddScratch(const LayerState& out) const;
  [[nodiscard]] std::size_t ScaleScratch(const LayerState& out) const;
  void ForwardConvolution(std::size_t layer, int worker);
  void ForwardPointwise(std::size_t layer, int worker);
  void ForwardDepthwise(std::size_t layer, int worker);
  void ForwardPool(std::size_t layer, int worker);
  void ForwardAdd(std::size_t layer, int worker);
  void ForwardScale(std::size_t layer, int worker);
  // Drops the branch of `sum` for some images: rows of its map, or of the gradient there. The same in each
  // call.
  void DropPath(const LayerState& sum, std::size_t first_row, std::size_t rows, float* branch) const;
  void SetUpDropPath();
  // Adds float32 rows of such a map to others.
  void AddRows(const TrainingMap& map, float* from, std::size_t rows, float* to) const;
  // Runs a depthwise task whose bias and output are open: no bias, and rows of a map.
  void Depthwise(DepthwiseTask task, const MapRows& to) const;
  // Adds up what `layer`'s batch norm needs of rows that were just computed.
  void AddMoments(LayerState& layer, std::size_t first_row, std::size_t rows, int worker) const;
  void FinishForward(std::size_t layer, std::span<float> values);
  // Drops some of the features that `layer` reads where it is the classifier: the same in each call.
  void Dropout(const LayerState& layer, std::size_t first_image, std::size_t count, float* features) const;
  void Loss(int worker);

  // Backward.
  void FinishBackward(std::size_t layer, std::span<const float> values, std::span<float> gradient);
  // Gradients of rows before `layer`'s batch norm, from those behind it.
  void BeforeNorm(LayerState& layer, std::size_t first_row, std::size_t rows, float* to,
                  std::size_t to_pitch) const;
  // Where to write the gradient of rows of an input: `staging` if it is one that adds, which AddStaged does.
  static MapRows GradientFor(const LayerInput& input, std::size_t first_row, float* staging);
  void AddStaged(const LayerInput& input, std::size_t first_row, std::size_t rows, float* staging) const;
  // Makes float32 rows the gradient of an input's, or adds them to it.
  void Give(const LayerInput& input, std::size_t first_row, std::size_t rows, float* gradient) const;
  // What is to be done to rows of an input's gradient when they are whole.
  void Complete(const LayerInput& input, std::size_t first_row, std::size_t rows, int worker) const;
  // Adds to the gradient of `layer`'s weights what rows of its input and of the gradient before its batch
  // norm make.
  void AddWeights(LayerState& layer, const float* input, std::size_t input_pitch, const float* before,
                  std::size_t rows, int worker);
  void CollectWeights(std::span<float> gradient);

  // Rows of a pointwise layer that go together.
  [[nodiscard]] std::size_t BlockRows(std::size_t in_pitch, std::size_t out_pitch) const;
  // Windows of a convolution that go together.
  [[nodiscard]] std::size_t PatchRows(const LayerState& out) const;
  // Rows of a depthwise layer's output (forward) or input (backward) that go together.
  [[nodiscard]] int StripRows(const LayerState& in, const LayerState& out, bool backward) const;
  // Floats that AddWeights and Multiply round a block of `layer`'s rows into.
  [[nodiscard]] std::size_t PairsSize(std::size_t layer) const;
  void BackwardConvolution(std::size_t layer, int worker);
  void BackwardPointwise(std::size_t layer, int worker);
  void BackwardDepthwise(std::size_t layer, int worker);
  void BackwardPool(std::size_t layer, int worker);
  void Spread(float* row, std::size_t rows, std::size_t columns, const MapRows& to) const;

  void BackwardAdd(std::size_t layer, int worker);
  void BackwardScale(std::size_t layer, int worker);
  // rows times a gate, which may be in place.
  void ScaleRows(const TrainingMap& map, const float* from, std::size_t rows, const float* gate,
                 float* to) const;
  // Calls use(first_row, rows) for the blocks of a scale's rows, which are each of one image.
  template <typename Use>
  void ForBlocks(const LayerState& out, std::size_t image, const Use& use) const {
    const std::size_t pixels = out.map.pixels();
    const std::size_t block = BlockRows(out.map.pitch, out.map.pitch);
    for (std::size_t first = 0; first < pixels; first += block)
      use(image * pixels + first, std::min(block, pixels - first));
  }

  // Sets gradients behind `layer`'s activation to those before it, and adds up what its batch norm needs.
  void MaskRows(LayerState& layer, std::size_t first_row, std::size_t rows, int worker) const;
};

}  // namespace mobilenet
