#include "training/loop.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <utility>

#include "base/fail.h"
#include "base/machine.h"
#include "base/stopwatch.h"
#include "training/optimizer.h"
#include "training/remarks.h"
#include "training/run_or_throw.h"
#include "training/training_pass.h"

namespace mobilenet {
namespace {

std::vector<std::size_t> Shuffled(std::size_t count, std::uint64_t seed, int epoch) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, static_cast<std::uint64_t>(epoch));
  for (std::size_t i = count - 1; i > 0; --i)
    std::swap(order[i], order[static_cast<std::size_t>(random.Uniform() * static_cast<double>(i + 1))]);
  return order;
}

std::int64_t StepsOf(const Course& course, int steps_per_epoch) {
  const std::int64_t all = std::int64_t{steps_per_epoch} * course.epochs;
  return course.most_steps > 0 ? std::min(all, course.most_steps) : all;
}

// One run of the loop.
class Run {
 public:
  Run(const Loop& loop, std::vector<float> values)
      : loop_(loop),
        options_(loop.options),
        course_(loop.course),
        layout_(loop.network),
        steps_per_epoch_(StepsPerEpoch(loop.source.training().size(), course_.batch)),
        batch_((loop.source.training().size() + steps_per_epoch_ - 1) / steps_per_epoch_),
        steps_(StepsOf(course_, steps_per_epoch_)),
        optimizer_(options_.optimizer, layout_, loop.pool),
        pass_(loop.network,
              {.batch = static_cast<int>(batch_),
               .label_smoothing = static_cast<float>(options_.label_smoothing),
               .dropout = static_cast<float>(options_.dropout),
               .drop_path = static_cast<float>(options_.drop_path),
               .norm_momentum = static_cast<float>(options_.norm_momentum),
               .precision = *options_.precision},
              loop.pool),
        inputs_(batch_ * static_cast<std::size_t>(loop.network.input.size())),
        targets_(batch_),
        gradient_(layout_.size()),
        class_weights_(ClassWeights(loop.source.training(), loop.network.classes(), options_.balance)) {
    if (options_.resume && !loop.checkpoint.empty()) {
      Restore();
    } else {
      state_.values = std::move(values);
      if (course_.average > 0) state_.average = state_.values;
      if (loop.blend) state_.first = state_.values;
    }
    before_ = state_.seconds;
    TellOfMemory();
  }

  LoopResult Go() {
    LoopResult result;
    try {
      while (state_.epoch < course_.epochs) result.validation = Epoch();
      if (result.validation.answers.empty()) result.validation = Validated(Kept());
      result.values.assign(Kept().begin(), Kept().end());
      if (loop_.blend) Blend(result);
    } catch (const Stopped&) {
      result.stopped = true;
      result.validation = {};
      result.blends.clear();
      result.values.assign(Kept().begin(), Kept().end());
      TrySave("this checkpoint could not be written: ");
    }
    result.kept = kept_;
    result.steps = state_.step;
    result.changes = state_.changes;
    result.epochs = state_.history;
    return result;
  }

 private:
  [[nodiscard]] std::span<const float> Kept() const {
    return state_.average.empty() ? state_.values : state_.average;
  }

  // Told before it starts: what is not there when it is touched ends the process on systems that promise more
  // than they have.
  void TellOfMemory() const {
    const std::string remark = RemarkOnMemory(pass_.memory(), AvailableMemory());
    if (!remark.empty() && loop_.observer.warning) loop_.observer.warning(remark);
  }

  [[nodiscard]] double Rate() const { return RateOf(state_.step); }
  [[nodiscard]] double RateOf(std::int64_t step) const {
    return LearningRate(course_.schedule, course_.learning_rate, options_.warmup, step, steps_);
  }

  Validation Validated(std::span<const float> values) {
    return Guarded([&] { return Validate(loop_.network, values, loop_.source, loop_.observer, loop_.pool); });
  }

  // Wortsman et al. 2022 (WiSE-FT): between what a network knew and what it learned there is often a better
  // one than either. Of equals the one with the smaller loss.
  void Blend(LoopResult& result) {
    constexpr std::array kShares = {0.0, 0.25, 0.5, 0.75, 1.0};
    const std::vector<float> last = result.values;
    std::vector<float> blended(last.size());
    const auto better = [](const Validation& a, const Validation& b) {
      return a.accuracy != b.accuracy ? a.accuracy > b.accuracy : a.loss < b.loss;
    };
    for (const double share : kShares) {
      for (std::size_t i = 0; i < last.size(); ++i)
        blended[i] = static_cast<float>((1 - share) * state_.first[i] + share * last[i]);
      Validation validation = share == 1 ? result.validation : Validated(blended);
      result.blends.push_back({share, validation.loss, validation.accuracy});
      if (result.blends.size() > 1 && !better(validation, best_)) continue;
      best_ = std::move(validation);
      result.share = share;
      result.values = blended;
    }
    result.validation = std::move(best_);
  }

  // Does what needs pictures. Where they can't be had any more, what was trained is saved before that is
  // said.
  template <typename Work>
  std::invoke_result_t<Work> Guarded(const Work& work) {
    try {
      return work();
    } catch (const std::exception& error) {
      if (loop_.checkpoint.empty()) throw;
      try {
        Save();
      } catch (const Error& unsaved) {
        Fail(error.what(), "; and what was trained since the last checkpoint is lost: ", unsaved.what());
      }
      Fail(error.what(), "; training stopped after step ", state_.step, " of ", steps_,
           ", and can be resumed from ", loop_.checkpoint.string(), " when this is mended");
    }
  }

  // What is left of an epoch. Throws Stopped.
  Validation Epoch() {
    epoch_ = {};
    const auto order = Shuffled(loop_.source.training().size(), options_.seed, state_.epoch + 1);
    while (state_.step_in_epoch < steps_per_epoch_ && state_.step < steps_) {
      const Stopwatch step;
      Step(order);
      epoch_.seconds += step.Seconds();
      state_.seconds = before_ + loop_.since.Seconds();
      Report();
      StopIfAsked(loop_.observer);
      // Not at the end of an epoch: whether it can be gone on from, its validation will tell.
      if (state_.step_in_epoch < steps_per_epoch_ && since_saved_.Seconds() >= options_.checkpoint_seconds)
        TrySave();
    }
    Validation validation = Validated(Kept());
    if (!std::isfinite(validation.loss)) FailDiverged("validation loss");
    state_.seconds = before_ + loop_.since.Seconds();
    FinishEpoch(validation);
    return validation;
  }

  void Step(const std::vector<std::size_t>& order) {
    const std::size_t count = BeginOf(state_.step_in_epoch + 1) - BeginOf(state_.step_in_epoch);
    const auto inputs =
        std::span(inputs_).first(count * static_cast<std::size_t>(loop_.network.input.size()));
    const auto targets = std::span(targets_).first(count);
    Guarded([&] { FillBatch(order, inputs, targets); });
    const double rate = Rate();
    const auto seed = options_.seed + static_cast<std::uint64_t>(state_.step);
    const PassResult result = pass_.Run(inputs, targets, state_.values, gradient_, seed);
    if (!std::isfinite(result.loss) || !RunningFinite()) FailDiverged("loss");
    const double norm = optimizer_.Step(rate, gradient_, state_.values);
    if (!std::isfinite(norm)) FailDiverged("gradient");
    if (!state_.average.empty())
      Average(course_.average, state_.step, state_.values, state_.average, loop_.pool);
    kept_ = false;
    ++state_.step;
    ++state_.step_in_epoch;
    epoch_.inputs += count;
    state_.loss_sum += result.loss;
    state_.correct += result.correct;
    state_.seen += static_cast<std::int64_t>(count);
  }

  // How many inputs of an epoch come before a step.
  [[nodiscard]] std::size_t BeginOf(int step_in_epoch) const {
    return loop_.source.training().size() * static_cast<std::size_t>(step_in_epoch) / steps_per_epoch_;
  }

  // A loss can be a number where running means and variances are none any more: it is made with the batch's
  // own.
  [[nodiscard]] bool RunningFinite() const {
    return std::ranges::all_of(layout_.slots(), [&](const Slot& slot) {
      return slot.role != Role::kRunning ||
             std::ranges::all_of(std::span(state_.values).subspan(slot.offset, slot.size),
                                 [](float value) { return std::isfinite(value); });
    });
  }

  void FillBatch(const std::vector<std::size_t>& order, std::span<float> inputs, std::span<Target> targets) {
    const std::size_t size = inputs.size() / targets.size();
    const std::size_t first = BeginOf(state_.step_in_epoch);
    RunOrThrow(loop_.pool, static_cast<int>(targets.size()), [&](int i, int) {
      const std::size_t index = order[first + i];
      const int label = loop_.source.training()[index];
      targets[i] = {label, label, 1, class_weights_[static_cast<std::size_t>(label)]};
      loop_.source.Training(state_.epoch + 1, index, inputs.subspan(i * size, size));
    });
    if (course_.mixup > 0) Mix(inputs, targets);
  }

  // Zhang et al. 2018: each input mixed with another of the batch, by one share for all.
  void Mix(std::span<float> inputs, std::span<Target> targets) {
    const std::size_t size = inputs.size() / targets.size();
    Random random(options_.seed ^ 0x6d69787570U, static_cast<std::uint64_t>(state_.step));
    const auto share = static_cast<float>(Beta(course_.mixup, random));
    loop_.pool.Run(static_cast<int>((targets.size() + 1) / 2), [&](int i, int) {
      const std::size_t j = targets.size() - 1 - i;
      float* a = inputs.data() + i * size;
      float* b = inputs.data() + j * size;
      for (std::size_t k = 0; k < size; ++k) {
        const float mixed = share * a[k] + (1 - share) * b[k];
        b[k] = share * b[k] + (1 - share) * a[k];
        a[k] = mixed;
      }
      targets[i].other = targets[j].label;
      targets[j].other = targets[i].label;
      targets[i].share = targets[j].share = share;
      const float weight = share * targets[i].weight + (1 - share) * targets[j].weight;
      targets[j].weight = share * targets[j].weight + (1 - share) * targets[i].weight;
      targets[i].weight = weight;
    });
  }

  [[noreturn]] void FailDiverged(const char* what) const {
    std::error_code unknown;
    const bool saved = !loop_.checkpoint.empty() && std::filesystem::exists(loop_.checkpoint, unknown);
    Fail("the ", what, " is no longer a number, in step ", std::min(state_.step + 1, steps_), " of ", steps_,
         ", at a learning rate of ", Rate(),
         "; a lower learning rate, or clipping the gradient (a norm of 1), often helps",
         saved ? Concat(": resume with either from the last good checkpoint, ", loop_.checkpoint.string())
               : std::string());
  }

  void Report() {
    if (!loop_.observer.step) return;
    loop_.observer.step({.epoch = state_.epoch + 1,
                         .epochs = course_.epochs,
                         .step = state_.step,
                         .steps = steps_,
                         .loss = state_.loss_sum / state_.step_in_epoch,
                         .accuracy = static_cast<double>(state_.correct) / static_cast<double>(state_.seen),
                         .images_per_second = static_cast<double>(epoch_.inputs) / epoch_.seconds});
  }

  void FinishEpoch(const Validation& validation) {
    const std::int64_t last_step = state_.step - 1;
    state_.history.push_back(
        {.epoch = state_.epoch + 1,
         .learning_rate = RateOf(last_step),
         .training_loss = state_.loss_sum / state_.step_in_epoch,
         .training_accuracy = static_cast<double>(state_.correct) / static_cast<double>(state_.seen),
         .validation_loss = validation.loss,
         .validation_accuracy = validation.accuracy,
         .seconds = state_.seconds});
    ++state_.epoch;
    state_.step_in_epoch = 0;
    state_.loss_sum = 0;
    state_.correct = 0;
    state_.seen = 0;
    TrySave();
    if (loop_.observer.epoch) loop_.observer.epoch(state_.history);
    const std::string rise = RemarkOnRise(state_.history);
    if (!rise.empty() && !std::exchange(told_of_rise_, true) && loop_.observer.warning)
      loop_.observer.warning(rise);
  }

  void Save() {
    since_saved_ = {};
    if (loop_.checkpoint.empty()) return;
    state_.velocity.assign(optimizer_.velocity().begin(), optimizer_.velocity().end());
    state_.squares.assign(optimizer_.squares().begin(), optimizer_.squares().end());
    SaveCheckpoint(loop_.checkpoint, state_, loop_.identity);
    kept_ = true;
  }

  // What can't be written now may be later: training goes on, and the old checkpoint stays.
  void TrySave(const char* failed = "this checkpoint could not be written, training goes on: ") {
    try {
      Save();
    } catch (const Error& error) {
      if (loop_.observer.warning) loop_.observer.warning(Concat(failed, error.what()));
    }
  }

  void Restore() {
    const std::vector<Difference> differences = Differences(loop_.checkpoint, loop_.identity);
    state_ = LoadCheckpoint(loop_.checkpoint, layout_.size());
    kept_ = true;
    for (const auto& [name, before, now] : differences) {
      state_.changes.push_back(Concat(name, " ", before, ", from step ", state_.step + 1, " on ", now));
      if (loop_.observer.warning) {
        loop_.observer.warning(Concat(loop_.checkpoint.string(), ": was made with ", name, " ", before,
                                      ", now it is ", now,
                                      ": the weights will be others than without a stop"));
      }
    }
    const bool fits = state_.velocity.size() == optimizer_.velocity().size() &&
                      state_.squares.size() == optimizer_.squares().size() &&
                      state_.average.empty() == (course_.average == 0) &&
                      state_.first.empty() == !loop_.blend;
    if (!fits) Fail(loop_.checkpoint.string(), ": lacks what its optimizer, its average or its blend keeps");
    const std::int64_t step =
        std::min(std::int64_t{state_.epoch} * steps_per_epoch_ + state_.step_in_epoch, steps_);
    if (state_.epoch > course_.epochs || state_.step_in_epoch > steps_per_epoch_ || state_.step != step ||
        state_.seen != static_cast<std::int64_t>(BeginOf(state_.step_in_epoch))) {
      Fail(loop_.checkpoint.string(), ": is after step ", state_.step, " and ", state_.step_in_epoch,
           " of epoch ", state_.epoch + 1, ", which is no place in ", course_.epochs, " epochs of ",
           steps_per_epoch_, " steps");
    }
    std::ranges::copy(state_.velocity, optimizer_.velocity().begin());
    std::ranges::copy(state_.squares, optimizer_.squares().begin());
    optimizer_.set_steps(state_.step);
    if (loop_.observer.epoch && !state_.history.empty()) loop_.observer.epoch(state_.history);
  }

  const Loop& loop_;
  const TrainingOptions& options_;
  const Course& course_;
  WeightLayout layout_;
  int steps_per_epoch_;
  std::size_t batch_;  // the inputs of the largest step
  std::int64_t steps_;
  Optimizer optimizer_;
  TrainingPass pass_;
  std::vector<float> inputs_;
  std::vector<Target> targets_;
  std::vector<float> gradient_;
  std::vector<float> class_weights_;
  TrainingState state_;
  Validation best_;    // of the blends so far
  bool kept_ = false;  // the checkpoint holds `state_`
  double before_ = 0;  // the seconds that training took before it was resumed
  struct {             // what this run did of the epoch that is under way
    std::size_t inputs = 0;
    double seconds = 0;  // in steps
  } epoch_;
  bool told_of_rise_ = false;
  Stopwatch since_saved_;
};

}  // namespace

LoopResult RunLoop(const Loop& loop, std::vector<float> values) { return Run(loop, std::move(values)).Go(); }

}  // namespace mobilenet
