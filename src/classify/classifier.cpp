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
    std::size_t max_pixels;
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
    DecodeOptions options = DecodeOptionsFor(shared->preprocessing, shape.width, shape.height);
    options.max_pixels = shared->max_pixels;
    return options;
  }

  // The best classes of `output`, which holds probabilities.
  std::vector<Prediction> Best(int top) {
    order.resize(output.size());
    std::iota(order.begin(), order.end(), 0);
    const auto count = std::min<std::ptrdiff_t>(top, std::ssize(order));
    // Equal probabilities in the order of their numbers, so that the answer doesn't depend on the sort.
    const auto better = [this](int a, int b) {
      return output[a] != output[b] ? output[a] > output[b] : a < b;
    };
    std::partial_sort(order.begin(), order.begin() + count, order.end(), better);
    std::vector<Prediction> best;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const int index = order[i];
      best.push_back({LabelOf(shared->labels, index), output[index], index});
    }
    return best;
  }

  std::vector<Prediction> Classify(const Image& image, int top) {
    if (top < 1) Fail("top is ", top, ", expected at least 1");
    const Shape& shape = shared->plan.input();
    Preprocess(image, shared->preprocessing, shape.width, shape.height, shape.channels, input);
    if (!runner.Run(input, output)) Fail("the network's input and output don't fit its plan");
    if (!std::ranges::all_of(output, [](float logit) { return std::isfinite(logit); })) {
      Fail("the network's answer is not finite: its weights are damaged, or the preprocessing is not theirs");
    }
    Softmax(output);
    return Best(top);
  }
};

std::unique_ptr<Classifier::State> Classifier::Make(const Model& model, const ClassifierOptions& options) {
  CheckPreprocessing(model.preprocessing);
  const Shape& output = model.network.output();
  if (output.height != 1 || output.width != 1)
    Fail("the network's output is a map of ", output.height, " x ", output.width, " x ", output.channels,
         ", expected one number for each class: it has no classifier");
  const auto classes = static_cast<std::size_t>(output.channels);
  if (!model.labels.empty() && model.labels.size() != classes)
    Fail("the model has ", model.labels.size(), " labels, expected ", classes, ", one for each class");
  if (classes < 2) Fail("the model has ", classes, " output, expected at least two classes to choose from");
  if (options.max_pixels < 1) Fail("max_pixels is 0, expected at least 1");
  const PlanOptions plan = {.precision = options.precision, .memory = options.memory};
  auto shared = std::make_shared<const State::Shared>(State::Shared{
      Plan(model.network, model.weights, plan), model.preprocessing, model.labels, options.max_pixels});
  return std::make_unique<State>(std::move(shared), options.threads);
}

Classifier::Classifier(const Model& model, const ClassifierOptions& options)
    : state_(OrOutOfMemory("the classifier", [&] { return Make(model, options); })) {}

Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier::Classifier(const Classifier& other)
    : state_(OrOutOfMemory("the classifier", [&] {
        return std::make_unique<State>(other.state_->shared, other.state_->runner.threads());
      })) {}
Classifier& Classifier::operator=(Classifier other) noexcept {
  state_.swap(other.state_);
  return *this;
}

std::vector<Prediction> Classifier::File(const std::filesystem::path& path, const TopOptions& options) {
  const Image image = LoadImage(path, state_->decode_options());
  return InContext(path.native(), [&] { return Pixels(image, options); });
}

std::vector<Prediction> Classifier::Bytes(std::span<const std::uint8_t> encoded, const TopOptions& options,
                                          std::string_view name) {
  const Image image = DecodeImage(encoded, state_->decode_options(), name);
  return InContext(name, [&] { return Pixels(image, options); });
}

std::vector<Prediction> Classifier::Pixels(const Image& image, const TopOptions& options) {
  return OrOutOfMemory("the picture", [&] { return state_->Classify(image, options.top); });
}

}  // namespace mobilenet
