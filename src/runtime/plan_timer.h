// Times one plan, in stretches, so that several plans can take turns on a machine that changes its mind.
#pragma once

#include <optional>
#include <vector>

#include "base/energy_meter.h"
#include "mobilenet/runtime.h"

namespace mobilenet {

class PlanTimer {
 public:
  // Throws as Runner does.
  PlanTimer(const Plan& plan, int threads);

  // One inference that isn't counted, to warm caches and clocks, then inferences until `seconds` have passed,
  // at least one. With a meter that can read, their energy too.
  void Run(double seconds, EnergyMeter& meter);

  [[nodiscard]] const std::vector<double>& times() const { return times_; }  // seconds of each inference
  [[nodiscard]] std::vector<double> StepMedians() const;                     // seconds of each step
  // Of one inference, over all stretches; nothing where a stretch could not be measured.
  [[nodiscard]] std::optional<double> Millijoules() const { return energy_.Each(); }

 private:
  Runner runner_;
  std::vector<float> input_;
  std::vector<float> output_;
  std::vector<double> lap_;
  std::vector<std::vector<double>> steps_;
  std::vector<double> times_;
  EnergyShare energy_;
};

}  // namespace mobilenet
