#include "training/remarks.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace mobilenet {
namespace {

// Of a share, with one digit.
double Percent(double share) { return std::round(1000 * share) / 10; }

}  // namespace

std::string RemarkOnRise(const std::vector<EpochRecord>& epochs) {
  // Of mixed or erased pictures losses waver.
  constexpr double kMuch = 1.5;  // times the least
  constexpr double kMore = 0.3;
  if (epochs.size() < 2) return "";
  const EpochRecord& last = epochs.back();
  const auto least = std::ranges::min_element(epochs, {}, &EpochRecord::training_loss);
  const bool risen = last.training_loss > kMuch * least->training_loss + kMore;
  if (!risen) return "";
  return Concat("training goes wrong: its loss was ", least->training_loss, " in epoch ", least->epoch,
                " and is ", last.training_loss, " in epoch ", last.epoch, ", at a learning rate of ",
                last.learning_rate, ": stop it, and begin anew with a lower one (--lr)");
}

std::string RemarkOnGap(const EpochRecord& last, double validation_accuracy, std::size_t classes,
                        std::int64_t steps) {
  constexpr double kGap = 0.2;
  constexpr std::int64_t kEnough = 100;
  if (steps < kEnough) return "";
  const double chance = 1 / static_cast<double>(classes);
  if (last.training_accuracy - validation_accuracy <= kGap) return "";
  const std::string found =
      Concat("top-1 is ", Percent(last.training_accuracy), " % on the pictures that were trained on and ",
             Percent(validation_accuracy), " % on those held out");
  if (validation_accuracy < chance + kGap / 2)
    return found +
           ", hardly more than chance: look whether these are of the same kind, and in the right "
           "classes";
  return found + ": what was learned carries over badly; more pictures, or more varied ones, help most";
}

std::string RemarkOnMemory(std::size_t needed, std::size_t free) {
  if (free == 0 || needed <= free) return "";
  return Concat("training takes ", needed >> 20, " MiB of memory for its maps, and ", free >> 20,
                " MiB are free: a smaller batch or a smaller input takes less");
}

}  // namespace mobilenet
