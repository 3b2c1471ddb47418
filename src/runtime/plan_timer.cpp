#include "runtime/plan_timer.h"

#include <chrono>

#include "base/fail.h"
#include "base/quantile.h"

namespace mobilenet {

using Clock = std::chrono::steady_clock;

PlanTimer::PlanTimer(const Plan& plan, int threads)
    : runner_(plan, {.threads = threads}),
      input_(static_cast<std::size_t>(plan.input().size())),
      output_(static_cast<std::size_t>(plan.output().size())),
      lap_(plan.steps().size()),
      steps_(plan.steps().size()) {
  for (std::size_t i = 0; i < input_.size(); ++i) input_[i] = static_cast<float>(i * 37 % 255) / 127.5F - 1;
}

void PlanTimer::Run(double seconds, EnergyMeter& meter) {
  if (!runner_.Run(input_, output_)) Fail("the plan's input and output don't fit it");
  meter.Start();
  const std::size_t before = times_.size();
  const auto begin = Clock::now();
  for (auto now = begin; times_.size() == before || now - begin < std::chrono::duration<double>(seconds);) {
    const auto start = now;
    if (!runner_.RunTimed(input_, output_, lap_)) Fail("the plan's input and output don't fit it");
    now = Clock::now();
    times_.push_back(std::chrono::duration<double>(now - start).count());
    for (std::size_t i = 0; i < lap_.size(); ++i) steps_[i].push_back(lap_[i]);
  }
  energy_.Add(meter.Stop(), static_cast<double>(times_.size() - before));
}

std::vector<double> PlanTimer::StepMedians() const {
  std::vector<double> medians;
  for (const auto& times : steps_) medians.push_back(Median(times));
  return medians;
}

}  // namespace mobilenet
