#include "training/inference.h"

#include <algorithm>

#include "base/fail.h"
#include "training/run_or_throw.h"

namespace mobilenet {

Inference::Inference(const Network& network, const Weights& weights, ThreadPool& pool)
    : pool_(pool), plan_(network, weights) {
  runners_.reserve(pool.threads());
  for (int i = 0; i < pool.threads(); ++i) {
    runners_.emplace_back(plan_);
    inputs_.emplace_back(static_cast<std::size_t>(network.input.size()));
    outputs_.emplace_back(static_cast<std::size_t>(network.output().size()));
  }
}

void Inference::Run(std::size_t count, const Work& work) {
  constexpr std::size_t kAtOnce = 128;
  for (std::size_t begin = 0; begin < count; begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, count);
    RunOrThrow(pool_, static_cast<int>(end - begin), [&](int i, int thread) {
      const std::size_t index = begin + static_cast<std::size_t>(i);
      work.fill(index, inputs_[thread]);
      if (!runners_[thread].Run(inputs_[thread], outputs_[thread]))
        Fail("the network and its inputs have different sizes");
      work.take(index, outputs_[thread]);
    });
    work.progress(end);
  }
}

}  // namespace mobilenet
