// Running a network on many inputs while it is trained: to validate, and for features.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "mobilenet/runtime.h"

namespace mobilenet {

// A network with a Runner and an input for each thread of a pool, which must outlive it.
class Inference {
 public:
  Inference(const Network& network, const Weights& weights, ThreadPool& pool);

  struct Work {
    // Writes an input, and takes the output that the network makes of it: both on any thread.
    std::function<void(std::size_t index, std::span<float> input)> fill;
    std::function<void(std::size_t index, std::span<const float> output)> take;
    // Called on the caller's thread every so often.
    std::function<void(std::size_t done)> progress;
  };
  // Runs the network on `count` inputs. Throws what the three throw.
  void Run(std::size_t count, const Work& work);

 private:
  ThreadPool& pool_;
  Plan plan_;
  std::vector<Runner> runners_;
  std::vector<std::vector<float>> inputs_;
  std::vector<std::vector<float>> outputs_;
};

}  // namespace mobilenet
