#include <algorithm>
#include <chrono>
#include <system_error>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "runtime/plan_state.h"

namespace mobilenet {
namespace {

using Clock = std::chrono::steady_clock;

// Each step on its own: the last one's end is the next one's beginning. Off where nobody asks.
class Stopwatch {
 public:
  explicit Stopwatch(std::span<double> seconds) : seconds_(seconds) {
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

// How a row of a band is cut, so that every thread has something to do.
struct Strips {
  std::size_t width;  // pixels
  std::size_t count;
};

Strips StripsFor(std::size_t width, int rows, int threads) {
  const auto parts = static_cast<std::size_t>((threads + rows - 1) / rows);
  const std::size_t strip = (width + parts - 1) / parts;
  return {strip, (width + strip - 1) / strip};
}

// What a group of steps needs beside the steps, made once.
struct Bands {
  std::vector<RowWindow> windows;  // of each step
  // How many rows of each step's output there are, and shall be after this band.
  std::vector<int> made;
  std::vector<int> needed;
};

}  // namespace

struct Runner::State {
  State(const Plan& with, int threads) : plan(with), pool(threads) {}

  Plan plan;
  ThreadPool pool;
  std::vector<Split> splits;     // one for each step
  std::vector<Bands> bands;      // one for each group
  AlignedVector<float> arena;    // feature maps
  AlignedVector<float> scratch;  // scratch_size floats for each thread
  std::size_t scratch_size = 0;

  // The map that a step writes; kNetworkInput is the caller's.
  [[nodiscard]] MapView Map(int step, const float* network_input, float* network_output) {
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
    return {arena.data() + place.offset, PixelPitch(shape.channels), shape.width, place.rows};
  }

  [[nodiscard]] float* Scratch(int thread) { return scratch.data() + thread * scratch_size; }

  void RunWhole(std::size_t index, const float* network_input, float* network_output) noexcept {
    const Step& step = plan.state_->steps[index];
    const Split& split = splits[index];
    const Kernels& kernels = *plan.state_->kernels;
    const MapView input = Map(plan.state_->inputs[index], network_input, network_output);
    const MapView output = Map(static_cast<int>(index), network_input, network_output);
    pool.Run(split.tasks(), [&](int task, int thread) {
      const Part part = PartOf(step, split, task);
      RunPart(step, kernels, part, input, output.data + part.begin * output.pitch, output.pitch,
              Scratch(thread));
    });
  }

  // The output rows [begin, end) of a step, one task for each strip of each row.
  void RunRows(std::size_t index, int begin, int end, const float* network_input,
               float* network_output) noexcept {
    const Step& step = plan.state_->steps[index];
    const Kernels& kernels = *plan.state_->kernels;
    const MapView input = Map(plan.state_->inputs[index], network_input, network_output);
    const MapView output = Map(static_cast<int>(index), network_input, network_output);
    const std::size_t width = step.width();
    const Strips strips = StripsFor(width, end - begin, pool.threads());
    pool.Run((end - begin) * static_cast<int>(strips.count), [&](int task, int thread) {
      const int y = begin + task / static_cast<int>(strips.count);
      const std::size_t x = static_cast<std::size_t>(task) % strips.count * strips.width;
      const std::size_t row = static_cast<std::size_t>(y) * width;
      const Part part = {row + x, row + std::min(width, x + strips.width), 0, step.matrix.panels.size()};
      RunPart(step, kernels, part, input, output.Row(y) + x * output.pitch, output.pitch, Scratch(thread));
    });
  }

  void RunGroup(std::size_t index, const float* network_input, float* network_output,
                Stopwatch& watch) noexcept {
    const StepGroup& group = plan.state_->groups[index];
    if (group.first == group.last) {
      RunWhole(group.first, network_input, network_output);
      watch.Lap(group.first);
      return;
    }
    Bands& band = bands[index];
    std::ranges::fill(band.made, 0);
    const int height = band.windows.back().output_height;
    // A single thread keeps the least in its cache; several meet less often.
    const int band_rows = pool.threads() == 1 ? 1 : kBandRows;
    for (int rows = 0; rows < height;) {
      rows = AfterNextBand(rows, band_rows, height);
      RowsNeeded(band.windows, rows, band.needed);
      for (std::size_t i = 0; i < band.windows.size(); ++i) {
        if (band.needed[i] == band.made[i]) continue;
        RunRows(group.first + i, band.made[i], band.needed[i], network_input, network_output);
        watch.Lap(group.first + i);
      }
      std::swap(band.made, band.needed);
    }
  }

  void Run(std::span<const float> input, std::span<float> logits, std::span<double> seconds) noexcept {
    Stopwatch watch(seconds);
    for (std::size_t g = 0; g < plan.state_->groups.size(); ++g)
      RunGroup(g, input.data(), logits.data(), watch);
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
  for (const Step& step : shared.steps) {
    state_->splits.push_back(
        SplitStep(step, *shared.kernels, shared.caches.l1, shared.caches.l2, options.threads));
  }
  std::size_t largest = 0;
  for (const StepGroup& group : shared.groups) {
    Bands& bands = state_->bands.emplace_back();
    for (std::size_t s = group.first; s <= group.last; ++s) {
      const Step& step = shared.steps[s];
      const std::size_t pixels = group.first == group.last ? state_->splits[s].block_rows : step.width();
      largest = std::max(largest, ScratchSize(step, pixels));
      bands.windows.push_back({step.window.kernel, step.window.stride, step.window.padding_top,
                               step.window.input_height, step.window.output_height});
    }
    bands.made.resize(bands.windows.size());
    bands.needed.resize(bands.windows.size());
  }
  constexpr std::size_t kUnit = kCacheLine / sizeof(float);
  state_->scratch_size = (largest + kUnit - 1) / kUnit * kUnit;
  const std::size_t scratch = state_->scratch_size * static_cast<std::size_t>(options.threads);
  const CacheLineAllocator<float> slab(
      std::make_shared<Slab>((shared.arena.size + scratch) * sizeof(float) + kCacheLine));
  state_->scratch = AlignedVector<float>(scratch, slab);
  state_->arena = AlignedVector<float>(shared.arena.size, slab);
}

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
