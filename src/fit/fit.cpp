#include "mobilenet/fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "fit/grid.h"
#include "fit/latency_model.h"
#include "fit/samples.h"
#include "fit/timed_group.h"

namespace mobilenet {
namespace {

// How far a prediction may exceed a limit and still be worth a timing.
constexpr double kDoubt = 1.25;

// By how much the worst limit is exceeded; 0 where all are met.
double WorstRatio(const Candidate& candidate, const Limits& limits) {
  double worst = 0;
  for (const Excess& excess : BrokenLimits(candidate, limits)) {
    worst = std::max(worst, excess.value / excess.allowed);
  }
  return worst;
}

// Indices of candidates, the most accurate first, without those that are slower than a more accurate one.
std::vector<std::size_t> Front(const std::vector<Candidate>& grid, std::vector<std::size_t> indices) {
  std::ranges::stable_sort(
      indices, {}, [&](std::size_t i) { return std::pair(-grid[i].accuracy.top1, grid[i].latency_ms()); });
  std::vector<std::size_t> front;
  for (const std::size_t i : indices) {
    if (front.empty() || grid[i].latency_ms() < grid[front.back()].latency_ms()) front.push_back(i);
  }
  return front;
}

class Search {
 public:
  explicit Search(const FitOptions& options) : options_(options), countable_(options.limits) {
    result_.grid = FitGrid(options);
    samples_ = SampleNetworks(options, result_.grid);
    countable_.latency_ms.reset();
    if (meter_.available()) countable_.energy_mj.reset();
  }

  FitResult Run() {
    if (Pool(1).empty()) {  // nothing meets what can be counted: no clock is needed to say so
      SetNearest(All(), countable_);
    } else {
      Learn();
      Choose();
    }
    return std::move(result_);
  }

 private:
  using Indices = std::vector<std::size_t>;

  static constexpr double kBuilt = 0.15;  // of the progress
  static constexpr double kLearned = 0.7;

  // Reports never go back.
  void Report(double share) {
    if (share <= reported_ || !options_.progress) return;
    reported_ = share;
    options_.progress(share);
  }

  [[nodiscard]] Indices All() const {
    Indices all(result_.grid.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }

  // What meets the limits that can be counted and, once there are predictions, takes no more than `doubt`
  // times what the others allow.
  [[nodiscard]] Indices Pool(double doubt) const {
    Indices pool = All();
    std::erase_if(pool, [&](std::size_t i) {
      const Candidate& c = result_.grid[i];
      return !BrokenLimits(c, countable_).empty() || (predicted_ && WorstRatio(c, options_.limits) > doubt);
    });
    return pool;
  }

  void Add(const Recipe& recipe, Precision precision, TimedGroup& group) const {
    group.Add(recipe, precision, MemoryUseFor(options_.limits));
  }

  // Times the samples in each precision, and the networks to check with, and predicts the grid.
  void Learn() {
    const Indices checks = options_.check ? ChecksOf(result_.grid, samples_) : Indices();
    const std::size_t samples = samples_.size() * FitPrecisions().size();
    TimedGroup group(options_.threads, meter_);
    for (std::size_t i = 0; i < samples + checks.size(); ++i) {
      if (i < samples) {
        Add(samples_[i % samples_.size()], FitPrecisions()[i / samples_.size()], group);
      } else {
        group.Add(result_.grid[checks[i - samples]]);
      }
      Report(kBuilt * static_cast<double>(i + 1) / static_cast<double>(samples + checks.size()));
    }
    constexpr double kShare = 0.6;  // of the time
    group.Run(kShare * options_.seconds, [&](double share) { Report(kBuilt + (kLearned - kBuilt) * share); });
    for (std::size_t p = 0; p < FitPrecisions().size(); ++p)
      Predict(group, p * samples_.size(), FitPrecisions()[p]);
    for (std::size_t i = 0; i < checks.size(); ++i) {
      result_.checked.push_back(result_.grid[checks[i]]);
      group.Tell(samples + i, result_.checked.back());
    }
    predicted_ = true;
  }

  // Fits a model to the samples of one precision, which begin at `first` of the group, and predicts with it.
  void Predict(const TimedGroup& group, std::size_t first, Precision precision) {
    std::vector<LatencyModel::Sample> samples;
    double power = 0;  // watts, the mean of the samples
    bool metered = true;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      std::vector<double> step_ms = group[first + i].StepMedians();
      for (double& ms : step_ms) ms *= 1e3;
      const double total_ms = group.TimingOf(first + i).median_ms;
      samples.push_back({Build(samples_[i]), std::move(step_ms), total_ms});
      const std::optional<double> drawn = group[first + i].Millijoules();
      metered = metered && drawn;
      power += drawn.value_or(0) / total_ms / static_cast<double>(samples_.size());
    }
    learned_ms_.push_back(samples[Anchor()].total_ms);
    const LatencyModel model(samples);
    for (Candidate& candidate : result_.grid) {
      if (candidate.precision != precision) continue;
      candidate.predicted_ms = model.Predict(Build(candidate.recipe));
      if (metered) candidate.energy = {power * candidate.predicted_ms, EnergySource::kPredicted};
    }
  }

  // The sample that is timed again beside the finalists, in each precision: what it takes now, over what it
  // took when the model learned from it, is how much the machine has changed its pace meanwhile.
  [[nodiscard]] std::size_t Anchor() const { return samples_.size() / 2; }

  // Times the finalists, and the anchors beside them; the predictions follow the machine's pace.
  void Verify(const Indices& finalists, double seconds, double done) {
    TimedGroup group(options_.threads, meter_);
    for (const std::size_t i : finalists) group.Add(result_.grid[i]);
    for (const Precision precision : FitPrecisions()) Add(samples_[Anchor()], precision, group);
    const double before = reported_;
    group.Run(seconds, [&](double share) { Report(before + (done - before) * share); });
    for (std::size_t f = 0; f < finalists.size(); ++f) {
      group.Tell(f, result_.grid[finalists[f]]);
      verified_.push_back(finalists[f]);
    }
    double pace = 0;
    for (std::size_t p = 0; p < FitPrecisions().size(); ++p) {
      pace += group.TimingOf(finalists.size() + p).median_ms / learned_ms_[p];
    }
    pace /= static_cast<double>(FitPrecisions().size());
    for (Candidate& candidate : result_.grid) candidate.predicted_ms *= pace / result_.pace;
    result_.pace = pace;
  }

  [[nodiscard]] bool Verified(std::size_t i) const { return std::ranges::count(verified_, i) > 0; }
  [[nodiscard]] bool Published(std::size_t i) const { return result_.grid[i].accuracy.published; }

  // Of the networks that were verified, those that meet the limits.
  [[nodiscard]] Indices Good() const {
    Indices good = verified_;
    std::erase_if(good,
                  [&](std::size_t i) { return !BrokenLimits(result_.grid[i], options_.limits).empty(); });
    return good;
  }

  // What is still worth a timing: whoever would be among the choices if its prediction held.
  [[nodiscard]] Indices Finalists(std::size_t count) const {
    Indices pool = Pool(kDoubt);
    std::erase_if(pool, [&](std::size_t i) { return Verified(i); });
    Indices all = Good();
    all.insert(all.end(), pool.begin(), pool.end());
    Indices front = Front(result_.grid, all);
    if (front.size() > count) front.resize(count);
    // And the best published checkpoint, where none is there yet.
    if (std::ranges::none_of(Good(), [&](std::size_t i) { return Published(i); })) {
      std::erase_if(pool, [&](std::size_t i) { return !Published(i) || std::ranges::count(front, i) > 0; });
      const Indices best = Front(result_.grid, pool);
      if (!best.empty()) front.push_back(best.front());
    }
    std::erase_if(front, [&](std::size_t i) { return Verified(i); });
    return front;
  }

  // Verifies what looks best, until no prediction promises better.
  void Choose() {
    constexpr int kAttempts = 6;
    double share = 0.2;  // of the whole time; half as much each time
    double done = 0.85;
    for (int i = 0; i < kAttempts; ++i) {
      // A few more than asked for, since some will turn out slower than predicted.
      const Indices finalists = Finalists(options_.choices + (i == 0 ? 3 : 0));
      if (finalists.empty()) break;
      Verify(finalists, share * options_.seconds, done);
      share = std::max(0.05, share / 2);
      done += (1 - done) / 2;
    }
    // Where none of the finalists was good after all, the nearest is looked for among all, each timed before
    // it is believed.
    while (Good().empty()) {
      const std::size_t nearest = SetNearest(All(), options_.limits);
      if (Verified(nearest)) break;
      Verify({nearest}, 0.05 * options_.seconds, done);
    }
    if (!Good().empty()) {
      result_.nearest.reset();
      result_.binding.clear();
    }
    Indices chosen = Front(result_.grid, Good());
    if (chosen.size() > options_.choices) chosen.resize(options_.choices);
    const auto published = [&](std::size_t i) { return Published(i); };
    if (std::ranges::none_of(chosen, published)) {
      Indices others = Good();
      std::erase_if(others, [&](std::size_t i) { return !Published(i); });
      const Indices best = Front(result_.grid, others);
      if (!best.empty()) chosen.push_back(best.front());
    }
    for (const std::size_t i : chosen) result_.choices.push_back(result_.grid[i]);
    Report(1);
  }

  // The candidate that exceeds the limits least.
  std::size_t SetNearest(const Indices& indices, const Limits& limits) {
    const std::size_t nearest = *std::ranges::min_element(
        indices, {}, [&](std::size_t i) { return WorstRatio(result_.grid[i], limits); });
    result_.nearest = result_.grid[nearest];
    result_.binding = BrokenLimits(*result_.nearest, limits);
    return nearest;
  }

  const FitOptions& options_;
  EnergyMeter meter_;
  Limits countable_;  // the limits that need no clock
  FitResult result_;
  std::vector<Recipe> samples_;
  double reported_ = 0;
  bool predicted_ = false;
  std::vector<double> learned_ms_;  // of the anchor in each precision
  Indices verified_;
};

void Check(const FitOptions& options) {
  const Limits& limits = options.limits;
  for (const auto& [name, limit] :
       {std::pair("latency", limits.latency_ms), std::pair("size", limits.size_bytes),
        std::pair("memory", limits.memory_bytes), std::pair("macs", limits.macs),
        std::pair("energy", limits.energy_mj)}) {
    if (limit && !(*limit > 0 && std::isfinite(*limit))) {
      Fail("the limit on ", name, " is ", *limit, ", expected a finite number above 0");
    }
  }
  CheckThreads(options.threads);
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

FitResult Fit(const FitOptions& options) {
  Check(options);
  return OrOutOfMemory("choosing", [&] { return Search(options).Run(); });
}

double LargestError(const std::vector<Candidate>& candidates) {
  double largest = 0;
  for (const Candidate& c : candidates) {
    if (c.timing) largest = std::max(largest, std::abs(c.predicted_ms / c.timing->median_ms - 1));
  }
  return largest;
}

}  // namespace mobilenet
