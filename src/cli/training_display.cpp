#include "cli/training_display.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "report/text.h"

namespace mobilenet::cli {

std::string Percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::string Duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02} h", whole / 3600, whole / 60 % 60);
}

TrainingObserver TrainingDisplay::Observer() {
  TrainingObserver observer;
  observer.preparing = [this](const std::string& what, std::size_t done, std::size_t of) {
    const bool pictures = what.find("pictures") != std::string::npos;
    Show(what + ": ", pictures ? "pictures" : "fits", done, of, "");
  };
  observer.note = [this](const std::string& text) { Tell(text); };
  observer.warning = [this](const std::string& message) { Warn(message); };
  observer.step = [this](const TrainingProgress& p) {
    epochs_ = p.epochs;
    Show("", "", static_cast<std::size_t>(p.step), static_cast<std::size_t>(p.steps),
         fmt::format("epoch {} of {}, loss {:.3f}, top-1 {}, {:.0f} images/s", p.epoch, p.epochs, p.loss,
                     Percent(p.accuracy), p.images_per_second));
  };
  return observer;
}

void TrainingDisplay::Epochs(const std::vector<EpochRecord>& epochs) {
  if (progress_) progress_->Clear();
  if (quiet_) return;
  std::string rows;
  if (printed_ == 0) {
    rows += fmt::format("{:>9}  {:>10}  {:>13}  {:>14}  {:>15}  {:>16}  {:>10}\n", "epoch", "rate",
                        "training loss", "training top-1", "validation loss", "validation top-1", "so far");
  }
  for (; printed_ < epochs.size(); ++printed_) {
    const EpochRecord& e = epochs[printed_];
    rows += fmt::format("{:>9}  {:>10.2g}  {:>13.4f}  {:>14}  {:>15.4f}  {:>16}  {:>10}\n",
                        fmt::format("{}/{}", e.epoch, std::max(e.epoch, epochs_)), e.learning_rate,
                        e.training_loss, Percent(e.training_accuracy), e.validation_loss,
                        Percent(e.validation_accuracy), Duration(e.seconds));
  }
  std::fputs(rows.c_str(), stdout);  // where that fails, training goes on
  std::fflush(stdout);
}

void TrainingDisplay::Tell(const std::string& text) {
  if (progress_) progress_->Clear();
  if (quiet_) return;
  std::fputs((Printable(text) + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void TrainingDisplay::Warn(const std::string& message) {
  if (progress_) progress_->Clear();
  PrintError(message);
}

void TrainingDisplay::Show(const std::string& title, const std::string& counted, std::size_t done,
                           std::size_t of, const std::string& note) {
  if (!progress_ || title != title_ || of != of_) {
    progress_.reset();
    progress_ = std::make_unique<Progress>(of, counted, title);
    title_ = title;
    of_ = of;
  }
  progress_->AdvanceTo(done, note);
}

}  // namespace mobilenet::cli
