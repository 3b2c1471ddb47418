#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/fail.h"
#include "classify/labelled.h"
#include "classify/temperature.h"
#include "mobilenet/classifier.h"
#include "network/part.h"

namespace mobilenet {
namespace {

// Whether each label has the highest of its row: then the colder the better, without end.
bool AllRight(const Scores& scores) {
  for (std::size_t i = 0; i < scores.labels.size(); ++i) {
    if (scores.wanted(i) < std::ranges::max(scores.row(i))) return false;
  }
  return true;
}

// Whether the least loss lies between the temperatures that there are.
void CheckScores(const Scores& scores) {
  if (AllRight(scores))
    Fail("all of the ", scores.labels.size(),
         " pictures are answered rightly, and tell no temperature: expected more pictures, some of them "
         "answered wrongly");
  if (LossAt(scores, 1 / kMostTemperature).slope < 0)
    Fail("the loss on the ", scores.labels.size(), " pictures is least at a temperature below ",
         1 / kMostTemperature, ", which is too far from 1: the model hardly tells its classes apart");
  if (LossAt(scores, kMostTemperature).slope > 0)
    Fail("the answers to the ", scores.labels.size(),
         " pictures are no better than guesses, and tell no temperature");
}

// One sigmoid alone is a softmax of its logit and 0; several say nothing of each other.
void CheckClassifier(const Model& model) {
  if (!EndsWithClassifier(model.network))
    Fail("the network ends with ", model.network.layers.back().name,
         ", expected a fully connected layer alone, whose weights a temperature can divide");
  if (model.answers == Answers::kSigmoid && model.network.classes() > 1)
    Fail("the model's ", model.network.classes(),
         " labels are independent, and pictures of one class each tell no temperature for them: expected "
         "classes of which one is right");
}

void DivideClassifier(double temperature, Model& model) {
  for (const Parameter& parameter : ParametersOf(model.network.layers.back())) {
    Tensor& tensor = model.weights.find(parameter.name)->second;
    std::vector<float> values(tensor.values.begin(), tensor.values.end());
    for (float& value : values) value = static_cast<float>(value / temperature);
    tensor = Tensor::Of(tensor.shape, std::move(values));
  }
}

Scores ScoresOf(const Model& model, std::span<const Sample> samples, FilesOptions options,
                const std::function<void(const FileResult&)>& done) {
  Scores scores;
  scores.classes = static_cast<std::size_t>(model.classes());
  options.top = model.classes();
  ClassifyFiles(model, FilesOf(model, samples), options, [&](const FileResult& file) {
    if (file.error.empty()) {
      const std::size_t row = scores.rows.size();
      scores.rows.resize(row + scores.classes);
      for (const Prediction& p : file.predictions)
        scores.rows[row + static_cast<std::size_t>(p.index)] =
            std::log(std::max(p.probability, std::numeric_limits<float>::denorm_min()));
      scores.labels.push_back(samples[file.index].label);
    }
    if (done) done(file);
  });
  return scores;
}

}  // namespace

Calibration Calibrate(const Model& model, std::span<const Sample> samples, const FilesOptions& options,
                      const std::function<void(const FileResult&)>& done) {
  CheckNetwork(model.network);
  CheckClassifier(model);
  const Scores scores = OrOutOfMemory("calibration", [&] { return ScoresOf(model, samples, options, done); });
  if (scores.labels.empty()) Fail("there is no picture to calibrate with that can be read");
  CheckScores(scores);
  Calibration result;
  result.model = model;
  result.temperature = BestTemperature(scores);
  result.images = static_cast<int>(scores.labels.size());
  result.failed = static_cast<int>(samples.size()) - result.images;
  result.loss_before = LossAt(scores, 1).value;
  result.loss_after = LossAt(scores, result.temperature).value;
  DivideClassifier(result.temperature, result.model);
  return result;
}

}  // namespace mobilenet
