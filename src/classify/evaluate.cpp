#include <algorithm>

#include "base/fail.h"
#include "base/stopwatch.h"
#include "classify/labelled.h"
#include "mobilenet/classifier.h"

namespace mobilenet {
namespace {

void Count(const std::vector<Prediction>& predictions, int label, Evaluation& result) {
  const Prediction& best = predictions.front();
  const bool first = best.index == label;
  const auto five = std::span(predictions).first(std::min<std::size_t>(5, predictions.size()));
  Evaluation::Class& item = result.classes[static_cast<std::size_t>(label)];
  ++result.images;
  ++item.images;
  ++result.classes[static_cast<std::size_t>(best.index)].answered;
  item.top1 += first ? 1 : 0;
  item.top5 += std::ranges::any_of(five, [&](const auto& p) { return p.index == label; }) ? 1 : 0;
  result.reliability.Add(best.probability, first);
}

void SumUp(Evaluation& result) {
  if (result.images == 0) return;
  int top1 = 0;
  int top5 = 0;
  for (const Evaluation::Class& item : result.classes) {
    top1 += item.top1;
    top5 += item.top5;
  }
  result.top1 = static_cast<double>(top1) / result.images;
  result.top5 = static_cast<double>(top5) / result.images;
}

}  // namespace

void CheckClassifies(const Network& network) {
  if (HasClassifier(network)) return;
  const Shape& output = network.output();
  if (output.height == 1 && output.width == 1)
    Fail("the network has no classifier and yields ", output.channels,
         " features: mobilenet train --from gives it one, trained on labelled pictures");
  Fail("the network's output is a map of ", output.height, " x ", output.width, " x ", output.channels,
       ", expected one number for each class: it has no classifier");
}

std::vector<std::filesystem::path> FilesOf(const Model& model, std::span<const Sample> samples) {
  std::vector<std::filesystem::path> files;
  const int classes = model.classes();
  for (const Sample& sample : samples) {
    if (sample.label < 0 || sample.label >= classes)
      Fail(sample.file.string(), ": is of class ", sample.label, ", expected 0 to ", classes - 1);
    files.push_back(sample.file);
  }
  return files;
}

Evaluation Evaluate(const Model& model, std::span<const Sample> samples, const FilesOptions& options,
                    const std::function<void(const FileResult&)>& done) {
  if (!done) Fail("there is no function to take the results, expected one");
  const std::vector<std::filesystem::path> files = FilesOf(model, samples);
  Evaluation result;
  result.classes.resize(static_cast<std::size_t>(model.classes()));
  const Stopwatch stopwatch;
  FilesOptions with_five = options;
  with_five.top = std::max(5, options.top);
  ClassifyFiles(model, files, with_five, [&](const FileResult& file) {
    if (file.error.empty()) {
      Count(file.predictions, samples[file.index].label, result);
    } else {
      ++result.failed;
    }
    done(file);
  });
  result.images_per_second = result.images / stopwatch.Seconds();
  SumUp(result);
  return result;
}

double BalancedAccuracy(std::span<const Evaluation::Class> classes) {
  double sum = 0;
  int with_images = 0;
  for (const Evaluation::Class& item : classes) {
    if (item.images == 0) continue;
    sum += static_cast<double>(item.top1) / item.images;
    ++with_images;
  }
  return with_images > 0 ? sum / with_images : 0;
}

}  // namespace mobilenet
