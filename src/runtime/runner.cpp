#include <algorithm>
#include <array>
#include <chrono>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "runtime/plan_state.h"

namespace mobilenet {
namespace {

using Clock = std::chrono::steady_clock;

// Each step on its own: the last one's end is the next one's beginning. Off where nobody asks.
class StepWatch {
 public:
  explicit StepWatch(std::span<double> seconds) : seconds_(seconds) {
    std::ranges::fill(seconds_, 0.0);
    if (!seconds_.empty()) begin_ = Clock::now();
  }
  void Lap(std::size_t step) {
    if (seconds_.empty()) return;
    const auto now = Clock::now();
    seconds_[step] += std::chrono::duration<double>(now - begin_).count();
    begin_ = now;
  }

 private:
  std::span<double> seconds_;
  Clock::time_point begin_;
};

// A thread should make at least so many rows of a group's output: the rows above and below them, which its
// neighbours make too, cost it about as much as three.
constexpr int kLeastSegment = 4;

}  // namespace

struct Runner::State {
  State(const Plan& with, int threads) : plan(with), pool(threads) {}

  Plan plan;
  ThreadPool pool;
  std::vector<Split> splits;         // one for each step
  AlignedVector<std::byte> arena;    // feature maps
  AlignedVector<std::byte> scratch;  // scratch_size bytes for each thread
  std::size_t scratch_size = 0;
  AlignedVector<std::byte> blocks;  // block_size bytes of rows for each thread but the first
  std::size_t block_size = 0;
  const float* network_input = nullptr;  // of the run at hand, as is the output
  float* network_output = nullptr;

  [[nodiscard]] const Schedule& schedule() const { return plan.state_->schedule; }

  // The map that a step writes; kNetworkInput is the caller's. Inner maps of a group lie in `block`.
  [[nodiscard]] MapView View(int step, std::byte* block) {
    if (step == kNetworkInput) {
      const Shape& shape = plan.state_->input;
      // Steps only read their input.
      return {const_cast<float*>(network_input), shape.channels * sizeof(float), shape.width, shape.height};
    }
    const Map& map = schedule().maps[step];
    if (static_cast<std::size_t>(step) == schedule().output)
      return {network_output, map.shape.channels * sizeof(float), map.shape.width, map.shape.height};
    std::byte* base = map.place.inner ? block : arena.data();
    return {reinterpret_cast<float*>(base + map.place.offset), map.pitch(), map.shape.width, map.place.rows};
  }

  [[nodiscard]] StepMaps Maps(std::size_t step, std::byte* block) {
    const std::vector<int>& inputs = schedule().steps[step].inputs;
    return {View(inputs.front(), block), View(inputs.back(), block), View(static_cast<int>(step), block)};
  }

  [[nodiscard]] std::byte* Scratch(int thread) { return scratch.data() + thread * scratch_size; }
  [[nodiscard]] std::byte* Block(std::size_t group, int thread) {
    return thread == 0 ? arena.data() + schedule().blocks[group].offset
                       : blocks.data() + (thread - 1) * block_size;
  }

  void RunWhole(std::size_t index) noexcept {
    const Step& step = plan.state_->steps[index];
    const Split& split = splits[index];
    const StepMaps maps = Maps(index, nullptr);
    pool.Run(split.tasks(), [&](int task, int thread) {
      RunPart(step, *plan.state_->kernels, PartOf(step, split, task), maps, Scratch(thread));
    });
  }

  // The output rows [begin, end) of a step.
  void RunRows(std::size_t index, int begin, int end, const StepMaps& maps, std::byte* own_scratch) noexcept {
    const Step& step = plan.state_->steps[index];
    const std::size_t width = step.width();
    for (int y = begin; y < end; ++y) {
      const Part part = {y * width, (y + 1) * width, 0, step.panels()};
      RunPart(step, *plan.state_->kernels, part, maps, own_scratch);
    }
  }

  // The rows [begin, end) of a group's output, depth first, on one thread.
  void RunSegment(std::size_t index, int begin, int end, int thread, StepWatch* watch) noexcept {
    const StepGroup& group = schedule().groups[index];
    const std::size_t steps = group.last - group.first + 1;
    const auto rows = std::span(schedule().windows).subspan(group.first, steps);
    std::array<int, kLongestGroup> made{};
    std::array<int, kLongestGroup> needed{};
    FirstRows(rows, begin, std::span(made).first(steps));
    for (int row = begin; row < end; ++row) {
      RowsNeeded(rows, row + 1, std::span(needed).first(steps));
      for (std::size_t i = 0; i < steps; ++i) {
        const std::size_t step = group.first + i;
        RunRows(step, made[i], needed[i], Maps(step, Block(index, thread)), Scratch(thread));
        if (watch != nullptr) watch->Lap(step);
      }
      made = needed;
    }
  }

  void RunGroup(std::size_t index, StepWatch& watch) noexcept {
    const StepGroup& group = schedule().groups[index];
    if (group.first == group.last) {
      RunWhole(group.first);
    } else {
      const int height = schedule().windows[group.last].output_height;
      const int segments = std::min(pool.threads(), std::max(1, height / kLeastSegment));
      // The first segment tells the steps apart; what the others take longer counts as the last step's.
      pool.Run(segments, [&](int task, int thread) {
        RunSegment(index, height * task / segments, height * (task + 1) / segments, thread,
                   task == 0 ? &watch : nullptr);
      });
    }
    watch.Lap(group.last);
  }

  void Run(std::span<const float> input, std::span<float> logits, std::span<double> seconds) noexcept {
    StepWatch watch(seconds);
    network_input = input.data();
    network_output = logits.data();
    for (std::size_t g = 0; g < schedule().groups.size(); ++g) RunGroup(g, watch);
  }

  [[nodiscard]] bool Fits(std::span<const float> input, std::span<const float> logits) const {
    return input.size() == static_cast<std::size_t>(plan.input().size()) &&
           logits.size() == static_cast<std::size_t>(plan.output().size());
  }
};

std::unique_ptr<Runner::State> Runner::Make(const Plan& plan, const RunnerOptions& options) {
  auto state = std::make_unique<State>(plan, options.threads);
  const Plan::State& shared = *plan.state_;
  for (const Step& step : shared.steps) {
    state->splits.push_back(
        SplitStep(step, *shared.kernels, shared.caches.l1, shared.caches.l2, options.threads));
  }
  std::size_t largest = 0;
  for (std::size_t g = 0; g < shared.schedule.groups.size(); ++g) {
    const StepGroup& group = shared.schedule.groups[g];
    for (std::size_t s = group.first; s <= group.last; ++s) {
      const Step& step = shared.steps[s];
      const std::size_t pixels = group.first == group.last ? state->splits[s].block_pixels : step.width();
      largest = std::max(largest, ScratchSize(step, pixels));
    }
    state->block_size = std::max(state->block_size, shared.schedule.blocks[g].size);
  }
  state->scratch_size = (largest + kCacheLine - 1) / kCacheLine * kCacheLine;
  const std::size_t scratch = state->scratch_size * static_cast<std::size_t>(options.threads);
  const std::size_t blocks = state->block_size * static_cast<std::size_t>(options.threads - 1);
  const std::size_t arena = shared.schedule.arena_bytes;
  const CacheLineAllocator<std::byte> slab(std::make_shared<Slab>(arena + scratch + blocks + 2 * kCacheLine));
  state->scratch = AlignedVector<std::byte>(scratch, slab);
  state->arena = AlignedVector<std::byte>(arena, slab);
  state->blocks = AlignedVector<std::byte>(blocks, slab);
  return state;
}

Runner::Runner(const Plan& plan, const RunnerOptions& options)
    : state_(OrOutOfMemory("the runner", [&] { return Make(plan, options); })) {}
Runner::~Runner() = default;
Runner::Runner(Runner&&) noexcept = default;
Runner& Runner::operator=(Runner&&) noexcept = default;

bool Runner::Run(std::span<const float> input, std::span<float> logits) noexcept {
  if (!state_->Fits(input, logits)) return false;
  state_->Run(input, logits, {});
  return true;
}

bool Runner::RunTimed(std::span<const float> input, std::span<float> logits,
                      std::span<double> seconds) noexcept {
  if (!state_->Fits(input, logits) || seconds.size() != state_->splits.size()) return false;
  state_->Run(input, logits, seconds);
  return true;
}

int Runner::threads() const { return state_->pool.threads(); }

void Softmax(std::span<float> logits) {
  if (!logits.empty()) AvailableKernels().front()->softmax(logits);
}

}  // namespace mobilenet
