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
  std::vector<Split> splits;                    // one for each step
  std::vector<std::vector<RowWindow>> windows;  // of each group's steps
  AlignedVector<float> arena;                   // feature maps
  AlignedVector<std::byte> scratch;             // scratch_size bytes for each thread
  std::size_t scratch_size = 0;
  AlignedVector<float> blocks;  // block_size floats of rows for each thread but the first
  std::size_t block_size = 0;

  // The map that a step writes; kNetworkInput is the caller's. Inner maps of a group lie in `block`.
  [[nodiscard]] MapView Map(int step, const float* network_input, float* network_output, float* block) {
    const Plan::State& shared = *plan.state_;
    if (step == kNetworkInput) {
      // Steps only read their input.
      return {const_cast<float*>(network_input), static_cast<std::size_t>(shared.input.channels),
              shared.input.width, shared.input.height};
    }
    const Shape& shape = shared.infos[step].output;
    if (step + 1 == static_cast<int>(shared.steps.size())) {
      return {network_output, static_cast<std::size_t>(shape.channels), shape.width, shape.height};
    }
    const MapPlace& place = shared.arena.places[step];
    float* base = shared.inner[step] ? block : arena.data();
    return {base + place.offset, PixelPitch(shape.channels), shape.width, place.rows};
  }

  [[nodiscard]] std::byte* Scratch(int thread) { return scratch.data() + thread * scratch_size; }
  [[nodiscard]] float* Block(std::size_t group, int thread) {
    return thread == 0 ? arena.data() + plan.state_->arena.blocks[group].offset
                       : blocks.data() + (thread - 1) * block_size;
  }

  void RunWhole(std::size_t index, const float* network_input, float* network_output) noexcept {
    const Step& step = plan.state_->steps[index];
    const Split& split = splits[index];
    const Kernels& kernels = *plan.state_->kernels;
    const MapView input = Map(plan.state_->inputs[index], network_input, network_output, nullptr);
    const MapView output = Map(static_cast<int>(index), network_input, network_output, nullptr);
    pool.Run(split.tasks(), [&](int task, int thread) {
      const Part part = PartOf(step, split, task);
      RunPart(step, kernels, part, input, output.data + part.begin * output.pitch, output.pitch,
              Scratch(thread));
    });
  }

  // The output rows [begin, end) of a step.
  void RunRows(std::size_t index, int begin, int end, const MapView& input, const MapView& output,
               std::byte* own_scratch) noexcept {
    const Step& step = plan.state_->steps[index];
    const std::size_t width = step.width();
    for (int y = begin; y < end; ++y) {
      const Part part = {y * width, (y + 1) * width, 0, step.matrix.panels.size()};
      RunPart(step, *plan.state_->kernels, part, input, output.Row(y), output.pitch, own_scratch);
    }
  }

  // The rows [begin, end) of a group's output, depth first, on one thread.
  void RunSegment(std::size_t index, int begin, int end, const float* network_input, float* network_output,
                  int thread, StepWatch* watch) noexcept {
    const StepGroup& group = plan.state_->groups[index];
    const std::vector<RowWindow>& rows = windows[index];
    std::array<int, kLongestGroup> made{};
    std::array<int, kLongestGroup> needed{};
    FirstRows(rows, begin, std::span(made).first(rows.size()));
    for (int row = begin; row < end; ++row) {
      RowsNeeded(rows, row + 1, std::span(needed).first(rows.size()));
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::size_t step = group.first + i;
        const MapView input =
            Map(plan.state_->inputs[step], network_input, network_output, Block(index, thread));
        const MapView output =
            Map(static_cast<int>(step), network_input, network_output, Block(index, thread));
        RunRows(step, made[i], needed[i], input, output, Scratch(thread));
        if (watch != nullptr) watch->Lap(step);
      }
      made = needed;
    }
  }

  void RunGroup(std::size_t index, const float* network_input, float* network_output,
                StepWatch& watch) noexcept {
    const StepGroup& group = plan.state_->groups[index];
    if (group.first == group.last) {
      RunWhole(group.first, network_input, network_output);
    } else {
      const int height = windows[index].back().output_height;
      const int segments = std::min(pool.threads(), std::max(1, height / kLeastSegment));
      // The first segment tells the steps apart; what the others take longer counts as the last step's.
      pool.Run(segments, [&](int task, int thread) {
        RunSegment(index, height * task / segments, height * (task + 1) / segments, network_input,
                   network_output, thread, task == 0 ? &watch : nullptr);
      });
    }
    watch.Lap(group.last);
  }

  void Run(std::span<const float> input, std::span<float> logits, std::span<double> seconds) noexcept {
    StepWatch watch(seconds);
    for (std::size_t g = 0; g < plan.state_->groups.size(); ++g)
      RunGroup(g, input.data(), logits.data(), watch);
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
  for (std::size_t g = 0; g < shared.groups.size(); ++g) {
    const StepGroup& group = shared.groups[g];
    std::vector<RowWindow>& windows = state->windows.emplace_back();
    for (std::size_t s = group.first; s <= group.last; ++s) {
      const Step& step = shared.steps[s];
      const std::size_t pixels = group.first == group.last ? state->splits[s].block_rows : step.width();
      largest = std::max(largest, ScratchSize(step, pixels));
      windows.push_back({step.window.kernel, step.window.stride, step.window.padding_top,
                         step.window.input_height, step.window.output_height});
    }
    state->block_size = std::max(state->block_size, shared.arena.blocks[g].size);
  }
  state->scratch_size = (largest + kCacheLine - 1) / kCacheLine * kCacheLine;
  const std::size_t scratch = state->scratch_size * static_cast<std::size_t>(options.threads);
  const std::size_t blocks = state->block_size * static_cast<std::size_t>(options.threads - 1);
  const std::size_t floats = shared.arena.size + blocks;
  const CacheLineAllocator<float> slab(
      std::make_shared<Slab>(floats * sizeof(float) + scratch + 2 * kCacheLine));
  state->scratch = AlignedVector<std::byte>(scratch, CacheLineAllocator<std::byte>(slab));
  state->arena = AlignedVector<float>(shared.arena.size, slab);
  state->blocks = AlignedVector<float>(blocks, slab);
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
