// How good a training is on pictures that had no part in it.
#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "mobilenet/training.h"

namespace mobilenet {
namespace {

// All pictures, each class dealt to the folds in turn.
std::vector<std::vector<Sample>> Deal(const TrainingData& data, int folds) {
  std::vector<std::vector<Sample>> dealt(static_cast<std::size_t>(folds));
  std::vector<std::size_t> next(data.classes.size());
  for (const auto* side : {&data.training, &data.validation}) {
    for (const Sample& sample : *side)
      dealt[next.at(static_cast<std::size_t>(sample.label))++ % dealt.size()].push_back(sample);
  }
  for (std::size_t c = 0; c < next.size(); ++c) {
    if (next[c] < dealt.size())
      Fail("the class \"", data.classes[c], "\" has ", next[c],
           " pictures, expected at least one for each of ", folds, " folds");
  }
  return dealt;
}

// With one fold left to measure, and the next to validate with.
TrainingData Without(const TrainingData& data, const std::vector<std::vector<Sample>>& folds,
                     std::size_t measured) {
  const std::size_t validated = (measured + 1) % folds.size();
  TrainingData rest;
  rest.classes = data.classes;
  rest.validation = folds[validated];
  for (std::size_t f = 0; f < folds.size(); ++f) {
    if (f != measured && f != validated)
      rest.training.insert(rest.training.end(), folds[f].begin(), folds[f].end());
  }
  return rest;
}

void Summarise(CrossValidation& result, int right, int pictures) {
  if (pictures == 0) return;
  result.mean = static_cast<double>(right) / pictures;
  double squares = 0;
  for (const double accuracy : result.accuracies)
    squares += (accuracy - result.mean) * (accuracy - result.mean);
  const auto folds = static_cast<double>(result.accuracies.size());
  if (folds > 1) result.error = std::sqrt(squares / (folds - 1) / folds);
}

}  // namespace

CrossValidation CrossValidate(const TrainingData& data, const TrainingOptions& options, int folds,
                              const TrainingObserver& observer) {
  constexpr int kLeast = 3;
  constexpr int kMost = 100;
  if (folds < kLeast || folds > kMost)
    Fail("cross-validation in ", folds, " folds, expected ", kLeast, " to ", kMost);
  TrainingOptions each = options;
  each.checkpoint.clear();
  each.resume = false;
  const std::vector<std::vector<Sample>> dealt = Deal(data, folds);
  CrossValidation result;
  int pictures = 0;
  int right = 0;
  for (std::size_t fold = 0; fold < dealt.size(); ++fold) {
    if (observer.note) observer.note(Concat("fold ", fold + 1, " of ", folds));
    TrainingObserver quiet = observer;
    quiet.epoch = nullptr;
    const TrainingResult trained = Train(Without(data, dealt, fold), each, quiet);
    if (trained.stopped) break;
    const Evaluation measured =
        Evaluate(trained.model, dealt[fold], {.threads = options.threads, .max_pixels = options.max_pixels},
                 [](const FileResult&) {});
    for (const Evaluation::Class& one : measured.classes) right += one.top1;
    pictures += measured.images;
    result.accuracies.push_back(measured.top1);
  }
  Summarise(result, right, pictures);
  return result;
}

}  // namespace mobilenet
