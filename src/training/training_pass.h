// Forward with batch statistics, and backward: a batch of images in, its loss and the gradient of every
// weight out.
//
// Each layer keeps one map, what it computes before its batch norm. Batch norm and activation are applied by
// whoever reads it, a block of rows at a time into a buffer that stays in cache; backward makes that buffer
// again instead of having kept it, and turns gradients behind a batch norm into those before it in the same
// way. So training holds one float for each value of each map, and the gradients that are needed at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/thread_pool.h"
#include "mobilenet/network.h"
#include "training/flat_weights.h"

namespace mobilenet {

// What an image should be: `label` with the probability `share`, `other` with the rest (mixup).
struct Target {
  int label = 0;
  int other = 0;
  float share = 1;
  float weight = 1;  // of its loss
};

struct PassOptions {
  int batch = 128;            // the most images at once
  float label_smoothing = 0;  // Szegedy et al. 2016: this much of the probability goes to all classes alike
  float dropout = 0;          // share of what the classifier reads that is dropped (Srivastava et al. 2014)
  // Share of the images that the last sum adds nothing to but what skipped its branch, the sums before it in
  // proportion to their number; in the others the branch counts for as much more (stochastic depth: Huang et
  // al. 2016, with a linear decay). A sum's branch is what it names first.
  float drop_path = 0;
  float norm_momentum = 0.9F;  // of running means and variances: how much of the old value stays
  // kFloat32, or kBfloat16: the factors of products that mix channels are rounded to it, forward and
  // backward, and maps and their gradients are kept in it. Sums, weights and their gradients, batch norms,
  // the first layer's product and the classifier stay float32.
  Precision precision = Precision::kFloat32;
  std::string_view target = {};  // instruction set; empty takes the fastest
};

// The precision that is asked for; without one, that which is faster here. Throws Error where training can't
// use it.
Precision TrainingPrecision(std::optional<Precision> precision);

struct PassResult {
  double loss = 0;  // cross-entropy, mean over the batch
  int correct = 0;  // images whose largest logit is that of the label with the larger share
};

class TrainingPass {
 public:
  // Any network will do that only convolutions read the input of and that ends with a fully connected layer,
  // or is nothing else; each other layer must be read by one. Throws Error for others, and where the
  // instruction set has no dot products of bfloat16 that it would need, or slow ones. `pool` must outlive
  // this.
  TrainingPass(const Network& network, const PassOptions& options, ThreadPool& pool);
  ~TrainingPass();
  TrainingPass(const TrainingPass&) = delete;
  TrainingPass& operator=(const TrainingPass&) = delete;

  // images: as many as targets, NHWC. Writes the gradient of the mean loss for each of `values` (0 for
  // running means and variances), and moves the running means and variances in `values`. The same seed drops
  // the same features and branches. With the same number of threads the same input gives the same bits. One
  // call at a time.
  PassResult Run(std::span<const float> images, std::span<const Target> targets, std::span<float> values,
                 std::span<float> gradient, std::uint64_t seed = 0);

  // Seconds of the last batch in each layer, forward and backward.
  [[nodiscard]] std::span<const double> layer_seconds() const;

  // Bytes of maps, gradients and buffers.
  [[nodiscard]] std::size_t memory() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mobilenet
