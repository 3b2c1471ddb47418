#include <algorithm>
#include <chrono>
#include <system_error>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "runtime/plan_state.h"

namespace mobilenet {
namespace {

// Each step on its own: the last one's end is the next one's beginning.
class Stopwatch {
 public:
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> lap = now - begin_;
    begin_ = now;
    return lap.count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

struct Runner::State {
  State(const Plan& with, int threads) : plan(with), pool(threads) {}

  Plan plan;
  ThreadPool pool;
  std::vector<Split> splits;     // one for each step
  AlignedVector<float> arena;    // feature maps
  AlignedVector<float> scratch;  // scratch_size floats for each thread
  std::size_t scratch_size = 0;

  void RunStep(std::size_t index, const float* network_input, float* network_output) noexcept {
    const Step& step = plan.state_->steps[index];
    const Split& split = splits[index];
    const Kernels& kernels = *plan.state_->kernels;
    const float* input = step.input_offset == kOutside ? network_input : arena.data() + step.input_offset;
    float* output = step.output_offset == kOutside ? network_output : arena.data() + step.output_offset;
    pool.Run(split.tasks(), [&](int task, int thread) {
      RunTask(step, split, kernels, task, input, output, scratch.data() + thread * scratch_size);
    });
  }

  [[nodiscard]] bool Fits(std::span<const float> input, std::span<const float> logits) const {
    return input.size() == static_cast<std::size_t>(plan.input().size()) &&
           logits.size() == static_cast<std::size_t>(plan.output().size());
  }
};

Runner::Runner(const Plan& plan, const RunnerOptions& options) {
  if (options.threads < 1 || options.threads > 256) {
    Fail("threads is ", options.threads, ", expected 1 to 256");
  }
  try {
    state_ = std::make_unique<State>(plan, options.threads);
  } catch (const std::system_error& error) {
    Fail("the system refused to start ", options.threads, " threads: ", error.what());
  }
  const Plan::State& shared = *plan.state_;
  constexpr std::size_t kUnit = kCacheLine / sizeof(float);
  for (const Step& step : shared.steps) {
    const Split split = SplitStep(step, *shared.kernels, shared.caches.l1, shared.caches.l2, options.threads);
    state_->splits.push_back(split);
    state_->scratch_size =
        std::max(state_->scratch_size, (ScratchSize(step, split) + kUnit - 1) / kUnit * kUnit);
  }
  state_->arena.resize(shared.arena_size);
  state_->scratch.resize(state_->scratch_size * options.threads);
}

Runner::~Runner() = default;
Runner::Runner(Runner&&) noexcept = default;
Runner& Runner::operator=(Runner&&) noexcept = default;

bool Runner::Run(std::span<const float> input, std::span<float> logits) noexcept {
  if (!state_->Fits(input, logits)) return false;
  for (std::size_t i = 0; i < state_->splits.size(); ++i) state_->RunStep(i, input.data(), logits.data());
  return true;
}

bool Runner::RunTimed(std::span<const float> input, std::span<float> logits,
                      std::span<double> seconds) noexcept {
  if (!state_->Fits(input, logits) || seconds.size() != state_->splits.size()) return false;
  Stopwatch watch;
  for (std::size_t i = 0; i < state_->splits.size(); ++i) {
    state_->RunStep(i, input.data(), logits.data());
    seconds[i] = watch.Lap();
  }
  return true;
}

int Runner::threads() const { return state_->pool.threads(); }

void Softmax(std::span<float> logits) {
  if (!logits.empty()) AvailableKernels().front()->softmax(logits);
}

}  // namespace mobilenet
