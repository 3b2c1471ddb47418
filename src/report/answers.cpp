#include "report/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "report/text.h"

namespace mobilenet {
namespace {

double Share(int part, int whole) { return whole > 0 ? static_cast<double>(part) / whole : 0; }

}  // namespace

double ClassScore::Recall() const { return Share(counts.top1, counts.images); }
double ClassScore::Precision() const { return Share(counts.top1, counts.answered); }

std::vector<ClassScore> WorstFirst(const std::vector<Evaluation::Class>& classes) {
  std::vector<ClassScore> scores;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].images > 0 || classes[i].answered > 0) scores.push_back({i, classes[i]});
  }
  std::ranges::stable_sort(scores, [](const ClassScore& a, const ClassScore& b) {
    const bool empty = a.counts.images == 0;
    if (empty != (b.counts.images == 0)) return !empty;
    return a.Recall() != b.Recall() ? a.Recall() < b.Recall() : a.Precision() < b.Precision();
  });
  return scores;
}

std::vector<Evaluation::Class> ClassesOf(const TrainingResult& result) {
  std::vector<Evaluation::Class> classes(static_cast<std::size_t>(result.model.classes()));
  for (std::size_t i = 0; i < result.answers.size(); ++i) {
    const int label = result.validation[i].label;
    const int predicted = result.answers[i].predicted;
    Evaluation::Class& item = classes[static_cast<std::size_t>(label)];
    ++item.images;
    item.top1 += predicted == label ? 1 : 0;
    ++classes[static_cast<std::size_t>(predicted)].answered;
  }
  return classes;
}

Reliability ReliabilityOf(const TrainingResult& result) {
  Reliability reliability;
  for (std::size_t i = 0; i < result.answers.size(); ++i)
    reliability.Add(result.answers[i].probability, result.answers[i].predicted == result.validation[i].label);
  return reliability;
}

std::string WorstText(const std::vector<Evaluation::Class>& classes, const Model& model) {
  constexpr std::size_t kMost = 3;
  const double mean = BalancedAccuracy(classes);
  std::string text;
  std::size_t named = 0;
  for (const ClassScore& score : WorstFirst(classes)) {
    if (named == kMost || score.counts.images == 0 || score.Recall() > mean - 1e-9) break;
    text += fmt::format("{}{} {} of {}", named++ > 0 ? ", " : "",
                        ShortLabel(model.Label(static_cast<int>(score.index))),
                        ShareText(score.counts.top1, score.counts.images), score.counts.images);
  }
  if (text.empty()) return "";
  return fmt::format("mean over classes {:.2f} %; worst: {}", 100 * mean, text);
}

std::vector<std::size_t> MistakesOf(const TrainingResult& result) {
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < result.answers.size(); ++i) {
    if (result.answers[i].predicted != result.validation[i].label) wrong.push_back(i);
  }
  std::ranges::stable_sort(wrong, std::greater(),
                           [&](std::size_t i) { return result.answers[i].probability; });
  return wrong;
}

std::string CalibrationNote(const Calibration& calibration) {
  return fmt::format("temperature {:.3g} on {}", calibration.temperature,
                     Counted(static_cast<std::size_t>(calibration.images), "picture"));
}

std::string CalibrationText(const Calibration& calibration) {
  return fmt::format("calibrated: {}, whose loss goes from {:.3f} to {:.3f}", CalibrationNote(calibration),
                     calibration.loss_before, calibration.loss_after);
}

std::string ShareText(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-";
}

std::string KeptText(const TrainingResult& result) {
  if (result.blends.empty()) return "";
  const double p = result.validation_accuracy;
  const double error = std::sqrt(p * (1 - p) / static_cast<double>(result.validation.size()));
  const std::string what = result.share == 0   ? "as it was before everything was tuned"
                           : result.share == 1 ? "with everything tuned"
                                               : fmt::format("{:.0f} % of the way", 100 * result.share);
  return fmt::format(
      "kept {}: top-1 was {:.2f} % before tuning, {:.2f} % after it\n"
      "the choice of {} was made on these pictures, which flatters it by up to about {:.1f} points\n",
      what, 100 * result.blends.front().validation_accuracy, 100 * result.blends.back().validation_accuracy,
      result.blends.size(), 100 * error);
}

}  // namespace mobilenet
