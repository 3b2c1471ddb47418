// Networks of random weights that take turns on the machine.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/energy_meter.h"
#include "mobilenet/fit.h"
#include "runtime/plan_timer.h"

namespace mobilenet {

class TimedGroup {
 public:
  TimedGroup(int threads, EnergyMeter& meter) : threads_(threads), meter_(meter) {}

  void Add(const Recipe& recipe, Precision precision, MemoryUse memory);
  void Add(const Candidate& candidate) { Add(candidate.recipe, candidate.precision, candidate.memory); }

  // Rounds of short stretches until `seconds` have passed, at least two; `progress` gets the share of them
  // that is done, from 0 to 1.
  void Run(double seconds, const std::function<void(double)>& progress);

  [[nodiscard]] const PlanTimer& operator[](std::size_t i) const { return *timers_[i]; }
  [[nodiscard]] Timing TimingOf(std::size_t i) const;
  // Sets what was measured of it.
  void Tell(std::size_t i, Candidate& candidate) const;

 private:
  int threads_;
  EnergyMeter& meter_;
  std::vector<std::unique_ptr<PlanTimer>> timers_;
};

}  // namespace mobilenet
