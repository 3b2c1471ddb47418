#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/fail.h"
#include "classify/labelled.h"
#include "mobilenet/classifier.h"

namespace mobilenet {
namespace {

constexpr double kMostTemperature = 20;  // and the least is a 20th

// Logits but for a constant in each row: the logarithms of probabilities.
struct Scores {
  std::size_t classes = 0;
  std::vector<float> rows;
  std::vector<int> labels;
};

// The mean cross-entropy of softmax(z / T), and its slope in 1 / T, in which it is convex.
struct Loss {
  double value = 0;
  double slope = 0;
};

Loss LossAt(const Scores& scores, double temperature) {
  Loss loss;
  for (std::size_t i = 0; i < scores.labels.size(); ++i) {
    const std::span<const float> row(scores.rows.data() + i * scores.classes, scores.classes);
    const double most = std::ranges::max(row);
    const double wanted = row[static_cast<std::size_t>(scores.labels[i])];
    double sum = 0;
    double weighted = 0;
    for (const float z : row) {
      const double power = std::exp((z - most) / temperature);
      sum += power;
      weighted += power * z;
    }
    loss.value += std::log(sum) + (most - wanted) / temperature;
    loss.slope += weighted / sum - wanted;
  }
  loss.value /= static_cast<double>(scores.labels.size());
  return loss;
}

// Whether each label has the highest of its row: then the colder the better, without end.
bool AllRight(const Scores& scores) {
  for (std::size_t i = 0; i < scores.labels.size(); ++i) {
    const std::span<const float> row(scores.rows.data() + i * scores.classes, scores.classes);
    if (row[static_cast<std::size_t>(scores.labels[i])] < std::ranges::max(row)) return false;
  }
  return true;
}

// Where the slope is 0, by bisection.
double BestTemperature(const Scores& scores) {
  if (AllRight(scores))
    Fail("all of the ", scores.labels.size(),
         " pictures are answered rightly, and tell no temperature: expected more pictures, some of them "
         "answered wrongly");
  double low = std::log(1 / kMostTemperature);
  double high = -low;
  if (LossAt(scores, std::exp(low)).slope < 0)
    Fail("the loss on the ", scores.labels.size(), " pictures is least at a temperature below ",
         1 / kMostTemperature, ", which is too far from 1: the model hardly tells its classes apart");
  if (LossAt(scores, std::exp(high)).slope > 0)
    Fail("the answers to the ", scores.labels.size(),
         " pictures are no better than guesses, and tell no temperature");
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (LossAt(scores, std::exp(middle)).slope > 0 ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

void CheckClassifier(const Network& network) {
  const Layer& last = network.layers.back();
  if (last.kind != LayerKind::kFullyConnected || last.batch_norm || last.activation != Activation::kNone)
    Fail("the network ends with ", last.name,
         ", expected a fully connected layer alone, whose weights a temperature can divide");
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
  scores.classes = static_cast<std::size_t>(model.network.classes());
  options.top = model.network.classes();
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
  CheckClassifier(model.network);
  const Scores scores = OrOutOfMemory("calibration", [&] { return ScoresOf(model, samples, options, done); });
  if (scores.labels.empty()) Fail("there is no picture to calibrate with that can be read");
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
