#include "mobilenet/classifier.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "mobilenet/runtime.h"

namespace mobilenet {

struct Classifier::State {
  // What copies share.
  struct Shared {
    Plan plan;
    Preprocessing preprocessing;
    std::vector<std::string> labels;
  };

  State(std::shared_ptr<const Shared> with, int threads)
      : shared(std::move(with)),
        runner(shared->plan, {.threads = threads}),
        input(static_cast<std::size_t>(shared->plan.input().size())),
        output(static_cast<std::size_t>(shared->plan.output().size())) {}

  std::shared_ptr<const Shared> shared;
  Runner runner;
  std::vector<float> input;
  std::vector<float> output;
  std::vector<int> order;

  [[nodiscard]] DecodeOptions decode_options() const {
    const Shape& shape = shared->plan.input();
    return DecodeOptionsFor(shared->preprocessing, shape.width, shape.height);
  }

  // The best classes of `output`, which holds probabilities.
  std::vector<Prediction> Best(int top) {
    order.resize(output.size());
    std::iota(order.begin(), order.end(), 0);
    const auto count = std::clamp<std::ptrdiff_t>(top, 0, std::ssize(order));
    // Equal probabilities in the order of their numbers, so that the answer doesn't depend on the sort.
    const auto better = [this](int a, int b) {
      return output[a] != output[b] ? output[a] > output[b] : a < b;
    };
    std::partial_sort(order.begin(), order.begin() + count, order.end(), better);
    std::vector<Prediction> best;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const int index = order[i];
      const auto& labels = shared->labels;
      best.push_back({labels.empty() ? std::to_string(index) : labels[index], output[index], index});
    }
    return best;
  }
};

Classifier::Classifier(const Model& model, const ClassifierOptions& options)
    : state_(std::make_unique<State>(std::make_shared<const State::Shared>(State::Shared{
                                         Plan(model.network, model.weights, {.precision = options.precision}),
                                         model.preprocessing, model.labels}),
                                     options.threads)) {
  if (!model.labels.empty() &&
      model.labels.size() != static_cast<std::size_t>(model.network.options.classes)) {
    Fail("the model has ", model.labels.size(), " labels, expected ", model.network.options.classes,
         ", one for each class");
  }
}

Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier::Classifier(const Classifier& other)
    : state_(std::make_unique<State>(other.state_->shared, other.state_->runner.threads())) {}
Classifier& Classifier::operator=(Classifier other) noexcept {
  state_.swap(other.state_);
  return *this;
}

std::vector<Prediction> Classifier::File(const std::filesystem::path& path, const TopOptions& options) {
  return Pixels(LoadImage(path, state_->decode_options()), options);
}

std::vector<Prediction> Classifier::Bytes(std::span<const std::uint8_t> encoded, const TopOptions& options,
                                          std::string_view name) {
  return Pixels(DecodeImage(encoded, state_->decode_options(), name), options);
}

std::vector<Prediction> Classifier::Pixels(const Image& image, const TopOptions& options) {
  State& s = *state_;
  const Shape& shape = s.shared->plan.input();
  Preprocess(image, s.shared->preprocessing, shape.width, shape.height, shape.channels, s.input);
  if (!s.runner.Run(s.input, s.output)) Fail("the network's input and output don't fit its plan");
  if (!std::ranges::all_of(s.output, [](float logit) { return std::isfinite(logit); })) {
    Fail("the network's answer is not finite: its weights are damaged, or the preprocessing is not theirs");
  }
  Softmax(s.output);
  return s.Best(options.top);
}

}  // namespace mobilenet
