// What `mobilenet train` shows while it trains.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mobilenet/training.h"
#include "report/progress.h"

namespace mobilenet::cli {

// "83.25 %".
std::string Percent(double share);

// "59 s", "12:05 min", "3:40 h".
std::string Duration(double seconds);

// Progress bars, warnings, and a row for each epoch unless it is `quiet`. What can't be written is lost, and
// throws nothing.
class TrainingDisplay {
 public:
  explicit TrainingDisplay(bool quiet) : quiet_(quiet) {}

  // Shows what Train tells, but not its epochs. Refers to this object.
  TrainingObserver Observer();

  // Prints the epochs that it hasn't printed yet.
  void Epochs(const std::vector<EpochRecord>& epochs);

  void Tell(const std::string& text);
  void Warn(const std::string& message);

  // Takes the last bar away.
  void Finish() { progress_.reset(); }

 private:
  // A bar for as long as `title` and `of` stay the same.
  void Show(const std::string& title, const std::string& counted, std::size_t done, std::size_t of,
            const std::string& note);

  bool quiet_;
  std::string title_;
  std::size_t of_ = 0;
  std::unique_ptr<Progress> progress_;
  int epochs_ = 0;  // that there will be, once a step was taken
  std::size_t printed_ = 0;
};

}  // namespace mobilenet::cli
