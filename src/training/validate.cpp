#include "training/validate.h"

#include <algorithm>
#include <cmath>

#include "training/flat_weights.h"
#include "training/inference.h"

namespace mobilenet {

void StopIfAsked(const TrainingObserver& observer) {
  if (observer.stop && observer.stop()) throw Stopped();
}

Validation Validate(const Network& network, std::span<const float> values, const Source& source,
                    const TrainingObserver& observer, ThreadPool& pool) {
  Inference inference(network, WeightLayout(network).ToWeights(values), pool);
  const std::vector<int>& labels = source.validation();
  Validation result;
  result.answers.resize(labels.size());
  std::vector<double> losses(labels.size());
  inference.Run(
      labels.size(),
      {.fill = [&](std::size_t i, std::span<float> input) { source.Validation(i, input); },
       .take =
           [&](std::size_t i, std::span<const float> logits) {
             std::vector<float> probabilities(logits.begin(), logits.end());
             Softmax(probabilities);
             const auto best = std::ranges::max_element(probabilities);
             result.answers[i] = {static_cast<int>(best - probabilities.begin()), *best};
             // Softmax makes numbers of logits that are minus infinity.
             const bool finite = std::ranges::all_of(logits, [](float v) { return std::isfinite(v); });
             losses[i] = finite ? -std::log(std::max(double{probabilities[labels[i]]}, 1e-12)) : NAN;
           },
       .progress = [&](std::size_t) { StopIfAsked(observer); }});
  std::size_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    result.loss += losses[i] / static_cast<double>(labels.size());
    correct += result.answers[i].predicted == labels[i] ? 1 : 0;
  }
  result.accuracy = static_cast<double>(correct) / static_cast<double>(labels.size());
  return result;
}

}  // namespace mobilenet
