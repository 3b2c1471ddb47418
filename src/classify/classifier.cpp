#include "mobilenet/classifier.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "classify/labelled.h"
#include "classify/picture_run.h"

namespace mobilenet {

struct Classifier::State {
  PictureRun run;
  Answers answers;
  std::shared_ptr<const std::vector<std::string>> labels;  // shared by copies
  std::vector<float> probabilities = {};
  std::vector<int> order = {};

  // The best classes by their probabilities.
  std::vector<Prediction> Best(int top) {
    const std::vector<float>& p = probabilities;
    order.resize(p.size());
    std::iota(order.begin(), order.end(), 0);
    const auto count = std::min<std::ptrdiff_t>(top, std::ssize(order));
    // Equal probabilities in the order of their numbers, so that the answer doesn't depend on the sort.
    const auto better = [&](int a, int b) { return p[a] != p[b] ? p[a] > p[b] : a < b; };
    std::partial_sort(order.begin(), order.begin() + count, order.end(), better);
    std::vector<Prediction> best;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const int index = order[i];
      best.push_back({LabelOf(*labels, index), p[index], index});
    }
    return best;
  }

  std::vector<Prediction> Classify(const Image& image, int top) {
    if (top < 1) Fail("top is ", top, ", expected at least 1");
    probabilities = run.Run(image);
    ToProbabilities(answers, probabilities);
    return Best(top);
  }
};

std::unique_ptr<Classifier::State> Classifier::Make(const Model& model, const ClassifierOptions& options) {
  CheckClassifies(model.network);
  const auto classes = static_cast<std::size_t>(model.classes());
  if (!model.labels.empty() && model.labels.size() != classes)
    Fail("the model has ", model.labels.size(), " labels, expected ", classes, ", one for each class");
  if (classes < 2)
    Fail("the model has 1 output and a softmax behind it, expected at least two classes to choose from");
  return std::make_unique<State>(
      State{PictureRun(PictureRun::Share(model.network, model.weights, model.preprocessing, options),
                       options.threads),
            model.answers, std::make_shared<const std::vector<std::string>>(model.labels)});
}

Classifier::Classifier(const Model& model, const ClassifierOptions& options)
    : state_(OrOutOfMemory("the classifier", [&] { return Make(model, options); })) {}

Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier::Classifier(const Classifier& other)
    : state_(OrOutOfMemory("the classifier", [&] {
        const PictureRun& run = other.state_->run;
        return std::make_unique<State>(
            State{PictureRun(run.shared(), run.threads()), other.state_->answers, other.state_->labels});
      })) {}
Classifier& Classifier::operator=(Classifier other) noexcept {
  state_.swap(other.state_);
  return *this;
}

std::vector<Prediction> Classifier::File(const std::filesystem::path& path, const TopOptions& options) {
  const Image image = LoadImage(path, state_->run.decode_options());
  return InContext(path.native(), [&] { return Pixels(image, options); });
}

std::vector<Prediction> Classifier::Bytes(std::span<const std::uint8_t> encoded, const TopOptions& options,
                                          std::string_view name) {
  const Image image = DecodeImage(encoded, state_->run.decode_options(), name);
  return InContext(name, [&] { return Pixels(image, options); });
}

std::vector<Prediction> Classifier::Pixels(const Image& image, const TopOptions& options) {
  return OrOutOfMemory("the picture", [&] { return state_->Classify(image, options.top); });
}

}  // namespace mobilenet
