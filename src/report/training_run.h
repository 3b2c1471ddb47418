// The folder of a training run: metrics.csv, TensorBoard events, report.html.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mobilenet/training.h"
#include "report/events.h"

namespace mobilenet {

class TrainingRun {
 public:
  // Makes the folder where there is none, and clears it of another run's events unless this one is resumed.
  // `command` is shown as the way to train again. Throws Error where it can't be written.
  TrainingRun(std::filesystem::path folder, std::string command, bool resumed);

  // After each epoch, with all so far.
  void Epochs(const std::vector<EpochRecord>& epochs);

  // At the end.
  void Finish(const TrainingResult& result);

 private:
  std::filesystem::path folder_;
  std::string command_;
  EventFile events_;
  int last_epoch_ = 0;
};

}  // namespace mobilenet
