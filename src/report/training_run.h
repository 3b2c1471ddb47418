// The folder of a training run: metrics.csv, TensorBoard events, split.tsv, doubtful.tsv, report.html.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "mobilenet/training.h"
#include "report/events.h"
#include "report/training_page.h"

namespace mobilenet {

// What a run's folder holds, beside its events.
struct RunFiles {
  explicit RunFiles(const std::filesystem::path& in)
      : folder(in),
        checkpoint(in / "checkpoint.safetensors"),
        stopped(in / "stopped.safetensors"),
        metrics(in / "metrics.csv"),
        split(in / "split.tsv"),
        doubtful(in / "doubtful.tsv"),
        report(in / "report.html") {}

  std::filesystem::path folder;
  std::filesystem::path checkpoint;  // as long as training isn't finished
  std::filesystem::path stopped;     // where it was stopped: the model as it was then
  std::filesystem::path metrics;
  std::filesystem::path split;     // the pictures trained on and validated with, as a list
  std::filesystem::path doubtful;  // the same list, pictures whose label may be wrong first, with the answers
  std::filesystem::path report;
};

class TrainingRun {
 public:
  // Makes the folder where there is none. Throws Error where it can't be written, or another process trains
  // in it.
  explicit TrainingRun(RunFiles files);
  ~TrainingRun();  // takes the folder away where it made it and nothing is in it
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  // After each epoch, with all so far, also those before this run was resumed. The first call takes the place
  // of what was written before. Throws Error where something can't be written; the next call writes that
  // too.
  void Epochs(const std::vector<EpochRecord>& epochs);

  // At the end, with the pictures to test with. Returns how many pictures the lists lack, since their names
  // hold a tab or the end of a line. Throws Error where something can't be written.
  std::size_t Finish(const TrainingResult& result, const std::vector<Sample>& test,
                     const TrainingPageOptions& page);

 private:
  RunFiles files_;
  bool made_;  // it was not there before
  FolderLock lock_;
  EventFile events_;
  std::size_t with_events_ = 0;  // epochs
};

}  // namespace mobilenet
