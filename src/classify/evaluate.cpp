#include <algorithm>

#include "base/fail.h"
#include "base/stopwatch.h"
#include "mobilenet/classifier.h"

namespace mobilenet {

Evaluation Evaluate(const Model& model, std::span<const Sample> samples, const FilesOptions& options,
                    const std::function<void(const FileResult&)>& done) {
  if (!done) Fail("there is no function to take the results, expected one");
  std::vector<std::filesystem::path> files;
  const int classes = model.network.output().channels;
  for (const Sample& sample : samples) {
    if (sample.label < 0 || sample.label >= classes)
      Fail(sample.file.string(), ": is of class ", sample.label, ", expected 0 to ", classes - 1);
    files.push_back(sample.file);
  }
  Evaluation result;
  result.classes.resize(static_cast<std::size_t>(classes));
  int top1 = 0;
  int top5 = 0;
  const Stopwatch stopwatch;
  FilesOptions with_five = options;
  with_five.top = std::max(5, options.top);
  ClassifyFiles(model, files, with_five, [&](const FileResult& file) {
    if (!file.error.empty()) {
      ++result.failed;
    } else {
      const int label = samples[file.index].label;
      const bool first = file.predictions.front().index == label;
      const bool among = std::ranges::any_of(
          std::span(file.predictions).first(std::min<std::size_t>(5, file.predictions.size())),
          [&](const auto& p) { return p.index == label; });
      Evaluation::Class& item = result.classes[static_cast<std::size_t>(label)];
      ++item.images;
      item.top1 += first ? 1 : 0;
      item.top5 += among ? 1 : 0;
      ++result.images;
      top1 += first ? 1 : 0;
      top5 += among ? 1 : 0;
    }
    done(file);
  });
  const double seconds = stopwatch.Seconds();
  if (result.images > 0) {
    result.top1 = static_cast<double>(top1) / result.images;
    result.top5 = static_cast<double>(top5) / result.images;
  }
  result.images_per_second = result.images / seconds;
  return result;
}

}  // namespace mobilenet
