#include "mobilenet/fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "fit/latency_model.h"
#include "runtime/plan_timer.h"

namespace mobilenet {
namespace {

struct Size {
  double alpha;
  int resolution;
};

// What the model learns from: the corners of the grid, and enough between them for every price.
constexpr std::array<Size, 12> kSamples = {{{0.25, 128},
                                            {0.25, 224},
                                            {0.375, 176},
                                            {0.5, 128},
                                            {0.5, 208},
                                            {0.625, 160},
                                            {0.625, 224},
                                            {0.75, 128},
                                            {0.75, 192},
                                            {0.875, 144},
                                            {1, 160},
                                            {1, 224}}};
// What it is checked with.
constexpr std::array<Size, 8> kChecks = {
    {{0.25, 160}, {0.375, 144}, {0.375, 208}, {0.5, 176}, {0.625, 192}, {0.75, 160}, {0.875, 208}, {1, 192}}};

// How far a prediction may exceed a limit and still be worth a timing.
constexpr double kDoubt = 1.1;

// Networks that take turns on the machine.
class TimedGroup {
 public:
  TimedGroup(int threads, EnergyMeter& meter) : threads_(threads), meter_(meter) {}

  void Add(const Network& network) {
    timers_.push_back(std::make_unique<PlanTimer>(Plan(network, RandomWeights(network, 1)), threads_));
  }

  // Rounds of short stretches for about `seconds` in all; `progress` gets the share of them that is done.
  void Run(double seconds, const std::function<void(double)>& progress) {
    constexpr double kStretch = 0.02;
    const double round = kStretch * static_cast<double>(timers_.size());
    const int rounds = std::max(3, static_cast<int>(seconds / round));
    for (int i = 0; i < rounds; ++i) {
      for (std::size_t t = 0; t < timers_.size(); ++t) {
        timers_[t]->Run(std::min(kStretch, seconds / rounds / static_cast<double>(timers_.size())), meter_);
        progress((i + static_cast<double>(t + 1) / static_cast<double>(timers_.size())) / rounds);
      }
    }
  }

  [[nodiscard]] const PlanTimer& operator[](std::size_t i) const { return *timers_[i]; }

  [[nodiscard]] Timing TimingOf(std::size_t i) const {
    const std::vector<double>& times = timers_[i]->times();
    return {1e3 * Quantile(times, 0.5), 1e3 * Quantile(times, 0.25), 1e3 * Quantile(times, 0.75),
            static_cast<int>(times.size())};
  }

 private:
  int threads_;
  EnergyMeter& meter_;
  std::vector<std::unique_ptr<PlanTimer>> timers_;
};

Candidate& Find(std::vector<Candidate>& grid, const Size& size) {
  return *std::ranges::find_if(grid, [&](const Candidate& c) {
    return c.options.alpha == size.alpha && c.options.resolution == size.resolution;
  });
}

void SetTiming(Candidate& candidate, const TimedGroup& group, std::size_t index) {
  candidate.timing = group.TimingOf(index);
  if (const auto drawn = group[index].Millijoules()) candidate.energy = {*drawn, EnergySource::kMeasured};
}

// By how much the worst limit is exceeded: at most 1 where all are met.
double WorstRatio(const Candidate& candidate, const Limits& limits) {
  double worst = 0;
  for (const Excess& excess : BrokenLimits(candidate, limits)) {
    worst = std::max(worst, excess.value / excess.allowed);
  }
  return worst;
}

void SortByAccuracy(std::vector<Candidate*>& candidates) {
  std::ranges::stable_sort(candidates, [](const Candidate* a, const Candidate* b) {
    return std::pair(-a->accuracy.top1, a->latency_ms()) < std::pair(-b->accuracy.top1, b->latency_ms());
  });
}

// The candidates, most accurate first, without those that are slower than a more accurate one; and the best
// published one, where none is among the first `count`.
std::vector<Candidate*> Front(std::vector<Candidate*> candidates, std::size_t count) {
  SortByAccuracy(candidates);
  std::vector<Candidate*> front;
  for (Candidate* c : candidates) {
    if (front.empty() || c->latency_ms() < front.back()->latency_ms()) front.push_back(c);
  }
  if (front.size() > count) front.resize(count);
  const auto published = [](const Candidate* c) { return c->accuracy.published; };
  if (std::ranges::none_of(front, published)) {
    const auto best = std::ranges::find_if(candidates, published);
    if (best != candidates.end()) {
      if (front.size() == count) front.pop_back();
      front.push_back(*best);
    }
  }
  return front;
}

class Search {
 public:
  explicit Search(const FitOptions& options) : options_(options) { result_.grid = FitGrid(options.classes); }

  FitResult Run() {
    // With no clock yet, only what can be counted binds.
    Limits countable = options_.limits;
    countable.latency_ms.reset();
    if (meter_.available()) countable.energy_mj.reset();
    if (std::ranges::none_of(result_.grid,
                             [&](const Candidate& c) { return BrokenLimits(c, countable).empty(); })) {
      SetNearest(countable);
      return std::move(result_);
    }
    Learn();
    Choose();
    return std::move(result_);
  }

 private:
  void Report(double begin, double end, double share) const {
    if (options_.progress) options_.progress(begin + (end - begin) * share);
  }

  // Times the samples, and the networks to check with, and predicts the grid.
  void Learn() {
    TimedGroup group(options_.threads, meter_);
    std::vector<Size> sizes(kSamples.begin(), kSamples.end());
    if (options_.check) sizes.insert(sizes.end(), kChecks.begin(), kChecks.end());
    for (const Size& size : sizes) group.Add(V1(Find(result_.grid, size).options));
    group.Run(0.6 * options_.seconds, [&](double share) { Report(0, 0.6, share); });

    std::vector<LatencyModel::Sample> samples;
    double power = 0;  // watts, the mean of the samples
    for (std::size_t i = 0; i < kSamples.size(); ++i) {
      std::vector<double> step_ms = group[i].StepMedians();
      for (double& ms : step_ms) ms *= 1e3;
      const double total_ms = group.TimingOf(i).median_ms;
      samples.push_back({V1(Find(result_.grid, sizes[i]).options), std::move(step_ms), total_ms});
      power += group[i].Millijoules().value_or(0) / total_ms / static_cast<double>(kSamples.size());
    }
    const LatencyModel model(samples);
    for (Candidate& candidate : result_.grid) {
      candidate.predicted_ms = model.Predict(V1(candidate.options));
      if (power > 0) candidate.energy = {power * candidate.predicted_ms, EnergySource::kPredicted};
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      Candidate& candidate = Find(result_.grid, sizes[i]);
      SetTiming(candidate, group, i);
      if (i >= kSamples.size()) result_.checked.push_back(candidate);
    }
  }

  // Times what looks best until something meets the limits.
  void Choose() {
    std::vector<Candidate*> pool;
    for (Candidate& c : result_.grid) {
      if (BrokenLimits(c, options_.limits).empty() || WorstRatio(c, options_.limits) <= kDoubt)
        pool.push_back(&c);
    }
    constexpr int kAttempts = 3;
    for (int i = 0; i < kAttempts && !pool.empty() && result_.choices.empty(); ++i) {
      // A few more than asked for, since some will turn out slower than predicted.
      std::vector<Candidate*> finalists = Front(pool, options_.choices + 3);
      Time(finalists, 0.6 + 0.4 * i / kAttempts, i == 0 ? 1.0 : 0.6 + 0.4 * (i + 1) / kAttempts);
      std::erase_if(pool, [&](Candidate* c) { return std::ranges::count(finalists, c) > 0; });
      std::erase_if(finalists, [&](Candidate* c) { return !BrokenLimits(*c, options_.limits).empty(); });
      for (const Candidate* c : Front(std::move(finalists), options_.choices)) result_.choices.push_back(*c);
    }
    if (!result_.choices.empty()) return;
    SetNearest(options_.limits);
    if (result_.nearest->timing) return;
    Time({&Find(result_.grid, {result_.nearest->options.alpha, result_.nearest->options.resolution})}, 1, 1);
    SetNearest(options_.limits);
    if (result_.binding.empty()) result_.choices.push_back(*std::exchange(result_.nearest, std::nullopt));
  }

  void Time(const std::vector<Candidate*>& candidates, double begin, double end) {
    TimedGroup group(options_.threads, meter_);
    for (const Candidate* c : candidates) group.Add(V1(c->options));
    group.Run(0.4 * options_.seconds, [&](double share) { Report(begin, end, share); });
    for (std::size_t i = 0; i < candidates.size(); ++i) SetTiming(*candidates[i], group, i);
  }

  void SetNearest(const Limits& limits) {
    result_.nearest = *std::ranges::min_element(result_.grid, {},
                                                [&](const Candidate& c) { return WorstRatio(c, limits); });
    result_.binding = BrokenLimits(*result_.nearest, limits);
  }

  const FitOptions& options_;
  EnergyMeter meter_;
  FitResult result_;
};

void Check(const FitOptions& options) {
  const Limits& limits = options.limits;
  for (const auto& [name, limit] :
       {std::pair("latency", limits.latency_ms), std::pair("size", limits.size_bytes),
        std::pair("memory", limits.memory_bytes), std::pair("macs", limits.macs),
        std::pair("energy", limits.energy_mj)}) {
    if (limit && !(*limit > 0 && std::isfinite(*limit))) {
      Fail("the limit of ", name, " is ", *limit, ", expected more than 0");
    }
  }
  if (options.choices < 1) Fail("choices is 0, expected at least 1");
  if (!(options.seconds > 0 && options.seconds <= 3600)) {
    Fail("seconds is ", options.seconds, ", expected more than 0 and at most 3600");
  }
}

}  // namespace

std::vector<Excess> BrokenLimits(const Candidate& candidate, const Limits& limits) {
  std::vector<Excess> broken;
  const auto check = [&](const char* name, double value, const std::optional<double>& limit) {
    if (limit && value > *limit) broken.push_back({name, value, *limit});
  };
  check("latency", candidate.latency_ms(), limits.latency_ms);
  check("size", static_cast<double>(candidate.size_bytes), limits.size_bytes);
  check("memory", static_cast<double>(candidate.memory_bytes), limits.memory_bytes);
  check("macs", static_cast<double>(candidate.macs), limits.macs);
  check("energy", candidate.energy.millijoules, limits.energy_mj);
  return broken;
}

std::vector<Candidate> FitGrid(int classes) {
  std::vector<Candidate> grid;
  for (int eighths = 2; eighths <= 8; ++eighths) {
    for (int resolution = 128; resolution <= 224; resolution += 16) {
      Candidate c;
      c.options = {.alpha = eighths / 8.0, .resolution = resolution, .classes = classes};
      const Network network = V1(c.options);
      const Cost cost = CostOf(network, c.precision);
      c.accuracy = *ImagenetAccuracy(c.options.alpha, resolution);
      c.macs = cost.macs;
      c.size_bytes = cost.weight_bytes;
      c.memory_bytes = cost.weight_bytes + cost.peak_activation_bytes;
      c.energy = EstimateEnergy(network, c.precision);
      grid.push_back(c);
    }
  }
  return grid;
}

FitResult Fit(const FitOptions& options) {
  Check(options);
  return Search(options).Run();
}

double LargestError(const std::vector<Candidate>& candidates) {
  double largest = 0;
  for (const Candidate& c : candidates) {
    if (c.timing) largest = std::max(largest, std::abs(c.predicted_ms / c.timing->median_ms - 1));
  }
  return largest;
}

}  // namespace mobilenet
