#include "fit/timed_group.h"

#include <algorithm>

#include "base/quantile.h"
#include "base/stopwatch.h"

namespace mobilenet {

void TimedGroup::Add(const Candidate& candidate) {
  const Network network = V1(candidate.options);
  const Plan plan(network, RandomWeights(network, 1),
                  {.precision = candidate.precision, .memory = candidate.memory});
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
