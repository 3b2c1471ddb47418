#include "fit/timed_group.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/quantile.h"
#include "base/random.h"
#include "base/stopwatch.h"

namespace mobilenet {
namespace {

// Like RandomWeights, but even over a range (He et al. 2015's), which takes a tenth of the time to draw. What
// the values are makes a plan no faster or slower as long as they stay of ordinary size.
Weights EvenWeights(const Network& network) {
  Weights weights;
  Random random(1);
  for (const Parameter& parameter : ParametersOf(network)) {
    const bool one = parameter.name.ends_with(".gamma") || parameter.name.ends_with(".variance");
    std::vector<float> values(static_cast<std::size_t>(parameter.size()), one ? 1.0F : 0.0F);
    if (parameter.name.ends_with(".weight")) {
      const double inputs =
          static_cast<double>(parameter.size()) / static_cast<double>(parameter.shape.back());
      const double most = std::sqrt(6 / inputs);
      for (float& value : values) value = static_cast<float>(random.Uniform(-most, most));
    }
    weights[parameter.name] = Tensor::Of(parameter.shape, std::move(values));
  }
  return weights;
}

}  // namespace

void TimedGroup::Add(const Recipe& recipe, Precision precision, MemoryUse memory) {
  const Network network = Build(recipe);
  const Plan plan(network, EvenWeights(network), {.precision = precision, .memory = memory});
  timers_.push_back(std::make_unique<PlanTimer>(plan, threads_));
}

void TimedGroup::Run(double seconds, const std::function<void(double)>& progress) {
  constexpr double kStretch = 0.02;
  constexpr int kLeastRounds = 2;
  const double stretch = std::min(kStretch, seconds / kLeastRounds / static_cast<double>(timers_.size()));
  const Stopwatch stopwatch;
  for (int round = 0;; ++round) {
    for (std::size_t t = 0; t < timers_.size(); ++t) {
      timers_[t]->Run(stretch, meter_);
      const double by_time = stopwatch.Seconds() / seconds;
      const double by_rounds =
          (round + static_cast<double>(t + 1) / static_cast<double>(timers_.size())) / kLeastRounds;
      const double share = std::min({by_time, by_rounds, 1.0});
      progress(share);
      if (share >= 1 && t + 1 == timers_.size()) return;
    }
  }
}

Timing TimedGroup::TimingOf(std::size_t i) const {
  const std::vector<double>& times = timers_[i]->times();
  return {1e3 * Median(times), 1e3 * Quantile(times, 0.25), 1e3 * Quantile(times, 0.75),
          static_cast<int>(times.size())};
}

void TimedGroup::Tell(std::size_t i, Candidate& candidate) const {
  candidate.timing = TimingOf(i);
  if (const auto drawn = timers_[i]->Millijoules()) candidate.energy = {*drawn, EnergySource::kMeasured};
}

}  // namespace mobilenet
