#include "training/logistic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <numeric>
#include <span>
#include <utility>

#include "base/fail.h"
#include "classify/temperature.h"
#include "training/flat_weights.h"
#include "training/inference.h"
#include "training/training_pass.h"

namespace mobilenet {
namespace {

constexpr std::array kDecays = {1.0, 0.3, 0.1, 0.03, 0.01, 0.003};  // from the strongest
constexpr double kUsualDecay = 0.03;                                // where there is too little to choose by
constexpr std::size_t kFolds = 5;

double Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

// The loss of some of the features, all at once, and its slope.
class Objective {
 public:
  Objective(const Network& network, const Features& features, const std::vector<std::size_t>& rows,
            bool balanced, ThreadPool& pool)
      : layout_(network), pass_(network, {.batch = static_cast<int>(rows.size())}, pool) {
    rows_.reserve(rows.size() * features.size);
    std::vector<int> labels;
    for (const std::size_t row : rows) {
      rows_.insert(rows_.end(), features.row(row).begin(), features.row(row).end());
      labels.push_back(features.labels[row]);
    }
    const std::vector<float> weights = ClassWeights(labels, network.classes(), balanced);
    for (const int label : labels)
      targets_.push_back({label, label, 1, weights[static_cast<std::size_t>(label)]});
  }

  [[nodiscard]] std::size_t size() const { return layout_.size(); }
  [[nodiscard]] double accuracy() const {
    return static_cast<double>(correct_) / static_cast<double>(targets_.size());
  }
  void set_decay(double decay) { decay_ = decay; }

  double operator()(std::span<float> values, std::span<float> gradient) {
    const PassResult result = pass_.Run(rows_, targets_, values, gradient);
    correct_ = result.correct;
    double squares = 0;
    for (const Slot& slot : layout_.slots()) {
      if (slot.role != Role::kWeight) continue;
      const auto weights = values.subspan(slot.offset, slot.size);
      squares += Dot(weights, weights);
      for (std::size_t i = 0; i < slot.size; ++i)
        gradient[slot.offset + i] += static_cast<float>(decay_ * weights[i]);
    }
    return result.loss + decay_ / 2 * squares;
  }

 private:
  WeightLayout layout_;
  TrainingPass pass_;
  std::vector<float> rows_;
  std::vector<Target> targets_;
  double decay_ = 0;
  int correct_ = 0;
};

// Liu and Nocedal 1989: steps along the gradient as the last few steps bend it. Convex functions alone.
class Lbfgs {
 public:
  Lbfgs(Objective& objective, std::vector<float>& values)
      : objective_(objective), values_(values), gradient_(values.size()) {
    loss_ = objective_(values_, gradient_);
  }

  // At most so many steps, and none after one that took less than a share `enough` off the loss.
  void Run(int steps, double enough) {
    for (int step = 0; step < steps; ++step) {
      const double before = loss_;
      if (!Step() || before - loss_ < enough * before) return;
    }
  }

 private:
  struct Change {
    std::vector<float> values;
    std::vector<float> gradient;
    double inverse;  // of their product
  };

  // The two loops of the paper's section 2.
  [[nodiscard]] std::vector<float> Direction() const {
    std::vector<float> direction = gradient_;
    const auto add = [&](double factor, const std::vector<float>& other) {
      for (std::size_t i = 0; i < direction.size(); ++i)
        direction[i] += static_cast<float>(factor * other[i]);
    };
    std::vector<double> factors(changes_.size());
    for (std::size_t k = changes_.size(); k-- > 0;) {
      factors[k] = changes_[k].inverse * Dot(changes_[k].values, direction);
      add(-factors[k], changes_[k].gradient);
    }
    double scale = 1 / std::max(1.0, std::sqrt(Dot(gradient_, gradient_)));
    if (!changes_.empty())
      scale = 1 / (changes_.back().inverse * Dot(changes_.back().gradient, changes_.back().gradient));
    for (float& value : direction) value = static_cast<float>(scale * value);
    for (std::size_t k = 0; k < changes_.size(); ++k)
      add(factors[k] - changes_[k].inverse * Dot(changes_[k].gradient, direction), changes_[k].values);
    return direction;
  }

  // Halves the step until it does some good. Whether one did.
  bool Step() {
    constexpr double kLeastShare = 1e-4;  // of what the slope promises (Armijo 1966)
    constexpr int kHalvings = 20;
    constexpr std::size_t kKept = 10;
    const std::vector<float> direction = Direction();
    const double slope = Dot(direction, gradient_);
    std::vector<float> tried(values_.size());
    std::vector<float> gradient(values_.size());
    double length = 1;
    for (int i = 0; i < kHalvings; ++i, length /= 2) {
      for (std::size_t v = 0; v < tried.size(); ++v)
        tried[v] = static_cast<float>(values_[v] - length * direction[v]);
      const double loss = objective_(tried, gradient);
      if (!(loss <= loss_ - kLeastShare * length * slope)) continue;
      Change change;
      change.values.reserve(tried.size());
      change.gradient.reserve(tried.size());
      for (std::size_t v = 0; v < tried.size(); ++v) {
        change.values.push_back(tried[v] - values_[v]);
        change.gradient.push_back(gradient[v] - gradient_[v]);
      }
      const double product = Dot(change.values, change.gradient);
      change.inverse = 1 / product;
      if (product > 0) changes_.push_back(std::move(change));
      if (changes_.size() > kKept) changes_.pop_front();
      values_.swap(tried);
      gradient_.swap(gradient);
      loss_ = loss;
      return true;
    }
    return false;
  }

  Objective& objective_;
  std::vector<float>& values_;
  std::vector<float> gradient_;
  double loss_ = 0;
  std::deque<Change> changes_;
};

// What is right, each picture counting as its class does.
double Right(const Scores& scores, const std::vector<float>& weights) {
  double right = 0;
  for (std::size_t i = 0; i < scores.labels.size(); ++i) {
    const auto row = scores.row(i);
    if (std::ranges::max_element(row) - row.begin() == scores.labels[i])
      right += weights[static_cast<std::size_t>(scores.labels[i])];
  }
  return right;
}

// Adds what is said of features that a classifier was not fitted to.
void Answer(const Network& network, std::span<const float> values, const Features& features,
            const std::vector<std::size_t>& rows, ThreadPool& pool, Scores& scores) {
  const std::size_t first = scores.labels.size();
  scores.classes = static_cast<std::size_t>(network.classes());
  scores.rows.resize((first + rows.size()) * scores.classes);
  for (const std::size_t row : rows) scores.labels.push_back(features.labels[row]);
  Inference(network, WeightLayout(network).ToWeights(values), pool)
      .Run(rows.size(),
           {.fill = [&](std::size_t i,
                        std::span<float> input) { std::ranges::copy(features.row(rows[i]), input.begin()); },
            .take =
                [&](std::size_t i, std::span<const float> output) {
                  std::ranges::copy(output, scores.rows.begin() +
                                                static_cast<std::ptrdiff_t>((first + i) * scores.classes));
                },
            .progress = [](std::size_t) {}});
}

// Which features decays are compared on: of each class a share of them, such that comparing takes seconds.
std::vector<std::size_t> Compared(const Features& features, int classes) {
  constexpr std::size_t kMostRows = 4000;
  constexpr std::size_t kMostWork = 400'000'000;  // products of a pass
  const std::size_t most =
      std::min(kMostRows, kMostWork / (features.size * static_cast<std::size_t>(classes)));
  const std::size_t count = std::min(most, features.labels.size());
  std::vector<std::size_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = i * features.labels.size() / count;
  return rows;
}

// Which fold each of `rows` is held out in: those of a class in turn.
std::vector<std::size_t> FoldsOf(const Features& features, const std::vector<std::size_t>& rows,
                                 int classes) {
  std::vector<std::size_t> next(static_cast<std::size_t>(classes));
  std::iota(next.begin(), next.end(), 0);
  std::vector<std::size_t> folds;
  folds.reserve(rows.size());
  for (const std::size_t row : rows)
    folds.push_back(next[static_cast<std::size_t>(features.labels[row])]++ % kFolds);
  return folds;
}

struct Choice {
  double decay = kUsualDecay;
  double temperature = 1;
};

Choice Choose(const Network& network, const Features& features, bool balanced, ThreadPool& pool,
              const std::function<void(std::size_t done, std::size_t of)>& progress) {
  constexpr int kSteps = 30;  // from the solution of the next stronger decay
  constexpr std::size_t kLeastOfAClass = 3;
  const int classes = network.classes();
  const std::vector<std::size_t> rows = Compared(features, classes);
  if (rows.size() < kLeastOfAClass * static_cast<std::size_t>(classes)) return {};
  const std::vector<std::size_t> folds = FoldsOf(features, rows, classes);
  std::array<Scores, kDecays.size()> answers;
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<std::size_t> fitted;
    std::vector<std::size_t> held_out;
    for (std::size_t i = 0; i < rows.size(); ++i) (folds[i] == fold ? held_out : fitted).push_back(rows[i]);
    Objective objective(network, features, fitted, balanced, pool);
    std::vector<float> values(objective.size());
    for (std::size_t d = 0; d < kDecays.size(); ++d) {
      objective.set_decay(kDecays[d]);
      Lbfgs(objective, values).Run(kSteps, 1e-4);
      Answer(network, values, features, held_out, pool, answers[d]);
      progress(fold * kDecays.size() + d + 1, kFolds * kDecays.size());
    }
  }
  std::size_t best = 0;
  const std::vector<float> weights = ClassWeights(answers.front().labels, classes, balanced);
  const auto better = [&](const Scores& a, const Scores& b) {
    const double right_a = Right(a, weights);
    const double right_b = Right(b, weights);
    return right_a != right_b ? right_a > right_b : LossAt(a, 1).value < LossAt(b, 1).value;
  };
  for (std::size_t d = 1; d < kDecays.size(); ++d)
    if (better(answers[d], answers[best])) best = d;
  // Decay is to a sum over the pictures what it is to their mean, times their number.
  return {kDecays[best] * static_cast<double>(rows.size()) / static_cast<double>(features.labels.size()),
          BestTemperature(answers[best])};
}

}  // namespace

LogisticFit FitLogistic(const Network& network, const Features& features, bool balanced, ThreadPool& pool,
                        const std::function<void(std::size_t done, std::size_t of)>& progress) {
  constexpr int kSteps = 300;
  if (!std::ranges::all_of(features.rows, [](float value) { return std::isfinite(value); }))
    Fail("the features of a picture are not finite: the model to start from can't be used");
  const Choice choice = Choose(network, features, balanced, pool, progress);
  std::vector<std::size_t> all(features.labels.size());
  std::iota(all.begin(), all.end(), 0);
  Objective objective(network, features, all, balanced, pool);
  LogisticFit fit = {.values = std::vector<float>(objective.size()),
                     .decay = choice.decay,
                     .temperature = choice.temperature};
  objective.set_decay(choice.decay);
  Lbfgs(objective, fit.values).Run(kSteps, 1e-6);
  std::vector<float> gradient(fit.values.size());
  objective.set_decay(0);
  fit.loss = objective(fit.values, gradient);
  fit.accuracy = objective.accuracy();
  for (float& value : fit.values) value = static_cast<float>(value / choice.temperature);
  return fit;
}

}  // namespace mobilenet
